"""Golden set: questions whose right answer is known, one JSON object a line."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from judgefleet.errors import ConfigError
from judgefleet.storage import read_bytes
from judgefleet.trace import Trace
from judgefleet.traces.reject import UnreadableError
from judgefleet.traces.values import loads
from judgefleet.validation import validate_mapping

ITEM_ID = "judgefleet.item_id"


class GoldenItem(BaseModel):
    """One question, its reference answer and what a right answer must say and cite."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    item_id: str = Field(min_length=1)
    question: str = Field(min_length=1)
    reference: str = Field(min_length=1)
    customer_name: str | None = None
    category: str | None = None
    difficulty: Literal["easy", "medium", "hard"] | None = None
    expected_facts: list[str] = []
    policy_ids: list[str] = []
    contexts: list[str] = []


def load_golden(uri: str | Path) -> dict[str, GoldenItem]:
    """The items by ``item_id``, in the order of the file.

    Raises ConfigError with every mistake at once, each with its line: not JSON, unknown or missing keys, wrong types,
    an ``item_id`` that stands twice; and for a file that is missing, not UTF-8 or empty.
    """
    items: dict[str, GoldenItem] = {}
    lines: dict[str, int] = {}
    mistakes: list[str] = []
    for number, line in enumerate(_text(uri).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            item = _item(line, str(uri), number)
            if item.item_id in lines:
                first = lines[item.item_id]
                raise ConfigError(f"{uri}:{number}: the item_id {item.item_id!r} stands twice, first in line {first}")
        except ConfigError as error:
            mistakes.append(str(error))
        else:
            items[item.item_id], lines[item.item_id] = item, number
    if mistakes or not items:
        raise ConfigError("\n".join(mistakes) or f"{uri}: found no items; a golden set has one JSON object a line")
    return items


def enrich(trace: Trace, golden: Mapping[str, GoldenItem], key: str = ITEM_ID) -> Trace:
    """``trace`` with what its golden item knows, found by the attribute ``key``; unchanged where there is no item.

    Adds the reference (the item's counts), the item's contexts where the trace has none, and the attributes
    ``golden.category`` and ``golden.difficulty``.
    """
    item = golden.get(trace.attributes.get(key, ""))
    if item is None:
        return trace
    known = {"golden.category": item.category, "golden.difficulty": item.difficulty}
    return replace(
        trace,
        reference=item.reference,
        contexts=trace.contexts or tuple(item.contexts),
        attributes={**trace.attributes, **{name: value for name, value in known.items() if value is not None}},
    )


def _text(uri: str | Path) -> str:
    try:
        return read_bytes(uri).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        found = error.object[error.start]
        raise ConfigError(f"{uri}:{line}: found byte 0x{found:02x}; save the file as UTF-8") from error


def _item(line: str, uri: str, number: int) -> GoldenItem:
    try:
        value = loads(line)
    except UnreadableError as error:
        raise ConfigError(f"{uri}:{number}: {error}") from error
    return validate_mapping(value, GoldenItem, uri, lambda _: number)
