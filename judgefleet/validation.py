"""Turns what pydantic finds wrong into sentences: where, what was found, what is allowed."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from judgefleet.allowed_keys import Loc, keys_at
from judgefleet.errors import ConfigError, did_you_mean

M = TypeVar("M", bound=BaseModel)

_LONGEST_FOUND = 80
_MAPPING, _LIST = "a mapping (key: value)", "a list"
# What belongs at a place, by the type of pydantic's error.
_BELONGS = {
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "dataclass_type": _MAPPING,
    "dict_type": _MAPPING,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "string_type": "text",
    "path_type": "a path",
}


def validate_mapping(data: object, model: type[M], source: str, line_of: Callable[[Loc], int | None]) -> M:
    """``data`` as a validated ``model``.

    ``line_of`` gives the line in ``source`` of a place in ``data`` (None where there are no lines).
    Raises ConfigError with every mistake at once, one a line.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        mistakes = [
            _mistake(place, details, model, source, line_of)
            for place, details in _by_place(error.errors(), data).items()
        ]
    except ConfigError as error:
        mistakes = [f"{source}: {error}"]
    raise ConfigError("\n".join(mistakes))


def _by_place(errors: Iterable[ErrorDetails], data: object) -> dict[Loc, list[ErrorDetails]]:
    """What is wrong at each place. Of a union pydantic tells what every member has against a value: where one of them
    got further down, the mistake is there."""
    found: dict[Loc, list[ErrorDetails]] = {}
    for detail in errors:
        found.setdefault(_place(detail, data), []).append(detail)
    further = {place[:end] for place in found for end in range(len(place))}
    return {place: details for place, details in found.items() if place not in further}


def _place(detail: ErrorDetails, data: object) -> Loc:
    """Where it is in ``data``: pydantic also names the members of unions that it tried."""
    place: list[int | str] = []
    for number, part in enumerate(detail["loc"], 1):
        there, below = _below(data, part)
        if there or isinstance(part, int) or (number == len(detail["loc"]) and detail["type"] == "missing"):
            place, data = [*place, part], below
    return tuple(place)


def _below(data: object, part: int | str) -> tuple[bool, object]:
    if isinstance(data, Mapping):
        found = [value for key, value in data.items() if str(key) == str(part)]
        return bool(found), next(iter(found), None)
    if isinstance(data, Sequence) and isinstance(part, int) and part < len(data):
        return True, data[part]
    return isinstance(data, BaseModel) and hasattr(data, str(part)), getattr(data, str(part), None)


def _mistake(
    place: Loc,
    details: Sequence[ErrorDetails],
    model: type[BaseModel],
    source: str,
    line_of: Callable[[Loc], int | None],
) -> str:
    line = line_of(place)
    where = source if line is None else f"{source}:{line}"
    return ": ".join(part for part in (where, ".".join(map(str, place)), _sentence(details, model)) if part)


def _sentence(details: Sequence[ErrorDetails], model: type[BaseModel]) -> str:
    """What is wrong at one place, in our words where pydantic's do not say what is allowed."""
    first = details[0]
    if first["type"] == "missing":
        return "is missing"
    if first["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        key = str(first["loc"][-1])
        return f"unknown key {key!r}; {did_you_mean(key, keys_at(model, first['loc'][:-1]))}"
    return f"found {_found(first)}; {'; or '.join(dict.fromkeys(_allowed(details)))}"


def _allowed(details: Sequence[ErrorDetails]) -> Iterable[str]:
    names = dict.fromkeys(_BELONGS[d["type"]] for d in details if d["type"] in _BELONGS)
    if names:
        yield f"{' or '.join(names)} belongs here{_in_quotes(details[0]['input']) if 'text' in names else ''}"
    for detail in details:
        if detail["type"] in ("literal_error", "enum", "union_tag_invalid"):
            yield _one_of(detail)
        elif detail["type"] not in _BELONGS:
            yield _lower(detail["msg"].removeprefix("Value error, "))


def _in_quotes(found: Any) -> str:
    """YAML reads ``no`` as false, and 1.10 as a number."""
    return " (text in quotes)" if isinstance(found, bool | int | float | date) else ""


def _one_of(detail: ErrorDetails) -> str:
    context = detail.get("ctx", {})
    expected = str(context.get("expected") or context.get("expected_tags"))
    names = re.findall(r"'([^']*)'", expected)
    return did_you_mean(str(context.get("tag", detail["input"])), names) if names else f"allowed: {expected}"


def _found(detail: ErrorDetails) -> str:
    text = repr(detail.get("ctx", {}).get("tag", detail["input"]))
    return text if len(text) <= _LONGEST_FOUND else f"{text[:_LONGEST_FOUND]}..."


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
