"""The one place where text is made safe to store: lone surrogates and NUL cannot be written as Parquet strings."""

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from judgefleet.trace import Trace
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
    changes = {f.name: new for f in fields(item) if (new := _clean(old := getattr(item, f.name))) is not old}
    if not changes:
        return item
    if isinstance(item, Trace):
        changes["attributes"] = {**changes.get("attributes", item.attributes), SANITISED: ",".join(sorted(changes))}
    return replace(item, **changes)


def _clean(value: Any) -> Any:
    """The same object when it is safe, else a safe copy."""
    if isinstance(value, str):
        return _UNSAFE.sub(_REPLACEMENT, value) if _UNSAFE.search(value) else value
    if isinstance(value, tuple):
        new = tuple(_clean(part) for part in value)
        return value if all(a is b for a, b in zip(value, new, strict=True)) else new
    if isinstance(value, Mapping):
        pairs = {_clean(k): _clean(v) for k, v in value.items()}
        same = all(k in value and value[k] is v for k, v in pairs.items()) and len(pairs) == len(value)
        return value if same else pairs
    if is_dataclass(value) and not isinstance(value, type):
        changes = {f.name: new for f in fields(value) if (new := _clean(old := getattr(value, f.name))) is not old}
        return replace(value, **changes) if changes else value
    return value
