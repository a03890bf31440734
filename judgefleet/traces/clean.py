"""The one place where text is made safe to store: lone surrogates and NUL cannot be written as Parquet strings."""

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from operator import is_
from typing import Any

from judgefleet.trace import Trace, texts_of
from judgefleet.traces.reject import Reject

SANITISED = "judgefleet.sanitised"

_UNSAFE = re.compile("[\0\ud800-\udfff]")
_REPLACEMENT = "\ufffd"


def cleaned(item: Trace | Reject) -> Trace | Reject:
    """``item`` with U+FFFD for each NUL and lone surrogate.

    A trace that had any says in which fields, in its attribute ``judgefleet.sanitised``. Nothing else is
    changed: markup, control characters and length stay as they are.

    >>> cleaned(Trace(trace_id="t", output="a\\0b")).attributes
    {'judgefleet.sanitised': 'output'}
    """
    if isinstance(item, Trace) and _is_plain("".join(texts_of(item))):
        return item
    changes = _changes(item)
    if not changes:
        return item
    if isinstance(item, Trace):
        changes["attributes"] = {**changes.get("attributes", item.attributes), SANITISED: ",".join(sorted(changes))}
    return replace(item, **changes)


def _is_plain(text: str) -> bool:
    """Every text of every trace comes by, so what most are made of is told fast."""
    return (text.isascii() and "\0" not in text) or not _UNSAFE.search(text)


def safe(value: Any) -> Any:
    """The same object when it is safe, else a safe copy."""
    if isinstance(value, str):
        return value if _is_plain(value) else _UNSAFE.sub(_REPLACEMENT, value)
    if not value:
        return value
    if isinstance(value, tuple):
        new = tuple(map(safe, value))
        return value if all(map(is_, value, new)) else new
    if isinstance(value, Mapping):
        pairs = {safe(k): safe(v) for k, v in value.items()}
        same = all(k in value and value[k] is v for k, v in pairs.items()) and len(pairs) == len(value)
        return value if same else pairs
    changes = _changes(value)
    return replace(value, **changes) if changes else value


def _changes(value: Any) -> dict[str, Any]:
    """Fields of a dataclass that are not safe, cleaned."""
    return {name: new for name in _fields(value.__class__) if (new := safe(old := getattr(value, name))) is not old}


@cache
def _fields(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind)) if is_dataclass(kind) else ()
