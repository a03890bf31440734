"""Reads single values as tolerantly as is safe: numbers written as text, times in any usual unit."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from judgefleet.traces.reject import UnreadableError, shown

# "[RET-1] Returns ..." is text; "[", "{" and what a cut leaves of a longer value are JSON.
_MEANT_AS_JSON = re.compile(r"""\s*(?:\[\s*(?:[\[{"\]]|$)|\{\s*(?:["}]|$))""")
_HEX = re.compile(r"[0-9a-f]+")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST_INT = 2**63 - 1
_DEEPEST = 100
_NESTED = (dict, list)
# Of nanoseconds from 2001 to 2286.
_DIGITS_NOW = 19
_LAST_NANOSECOND = 253402300799 * 10**9
# Above these, an epoch time cannot be in the coarser unit: 1e11 s is the year 5138.
_MICROSECONDS = ((1e11, 1e6), (1e14, 1e3), (1e17, 1.0))


def first_given(record: Mapping[str, Any], names: Iterable[str]) -> Any:
    """The first of ``names`` whose value is there and not null, else None."""
    for name in names:
        if (value := record.get(name)) is not None:
            return value
    return None


def as_text(value: Any) -> str:
    """``value`` as a string: text as it is, all else as JSON.

    >>> as_text(0.5), as_text([1, "a"]), as_text(True)
    ('0.5', '[1,"a"]', 'true')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal | time | timedelta):
        return str(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=as_text_or_repr)


def as_text_or_repr(value: Any) -> str:
    """What stands in JSON for a value that JSON has no form for."""
    return as_text(value) if isinstance(value, bytes | date) else str(value)


def as_count(value: Any) -> int | None:
    """A whole number of at least 0, also written as text; None for anything else.

    >>> as_count("21"), as_count(21.0), as_count("many"), as_count(-1)
    (21, 21, None, None)
    """
    number = as_number(value)
    if number is None or number != int(number) or number > _LARGEST_INT:
        return None
    return min(int(number), _LARGEST_INT)


def as_number(value: Any) -> float | None:
    """A finite number of at least 0, also written as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number >= 0 else None


def as_time(value: Any) -> datetime | None:
    """A time in UTC: ISO 8601 (no zone means UTC) or an epoch in s, ms, us or ns, told apart by its size.

    None and "" are no time. Raises UnreadableError for what is not a time.

    >>> as_time("2026-11-22T07:00:00+01:00") == as_time(1795327200) == as_time("1795327200000000000")
    True
    """
    if value is None or value == "":
        return None
    try:
        number = as_number(value)
        found = _epoch(number) if number is not None else _iso(value)
    except (ValueError, TypeError, OverflowError):
        found = None
    if found is None:
        raise UnreadableError(f"found the time {shown(value)}; ISO 8601 or a number since 1970 belongs here")
    return found


def _epoch(number: float) -> datetime:
    per_unit = next((scale for limit, scale in _MICROSECONDS if number < limit), 1e-3)
    return _EPOCH + timedelta(microseconds=round(number * per_unit))


def _iso(value: Any) -> datetime | None:
    found = (
        value
        if isinstance(value, datetime)
        else datetime.fromisoformat(value.strip() if isinstance(value, str) else "")
    )
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def from_nanoseconds(nanoseconds: int) -> datetime:
    """The time so many nanoseconds after 1970, to the microsecond below."""
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


def to_nanoseconds(at: datetime) -> int:
    """Nanoseconds from 1970 to ``at``, which is to the microsecond."""
    return (at - _EPOCH) // timedelta(microseconds=1) * 1000


def hex_id(found: Any, name: str, digits: int) -> str:
    """A hexadecimal id in lower case; the dashes of a UUID are dropped. Raises UnreadableError.

    >>> hex_id("0AF76519-16CD-43DD-8448-EB211C80319C", "traceId", 32)
    '0af7651916cd43dd8448eb211c80319c'
    """
    if isinstance(found, str) and len(found) == digits and _HEX.fullmatch(found) and found != "0" * digits:
        return found  # as nearly all are, at once
    text = found.replace("-", "").lower() if isinstance(found, str) else ""
    if len(text) != digits or not _HEX.fullmatch(text) or not text.strip("0"):
        raise UnreadableError(f"found {name} {shown(found)}; {digits} hex digits, not all zero, belong here")
    return text


def span_times(start: Any, end: Any) -> tuple[int | None, int | None]:
    """Start and end of a span in nanoseconds since 1970, also given as text; None where it has none (absent or 0).

    Raises UnreadableError for what is no time, and for an end before the start.
    """
    began, ended = _nanoseconds(start, "startTimeUnixNano"), _nanoseconds(end, "endTimeUnixNano")
    if began and ended and ended < began:
        raise UnreadableError(f"the span ends ({ended}) before it starts ({began})")
    return began, ended


def _nanoseconds(found: Any, name: str) -> int | None:
    if found is None or found == "":
        return None
    if isinstance(found, str) and len(found) == _DIGITS_NOW and found.isdecimal():
        return int(found) or None  # as nearly all are, at once
    number = as_number(found)
    if number is None or number > _LAST_NANOSECOND:
        raise UnreadableError(f"found {name} {shown(found)}; nanoseconds since 1970 belong here")
    return int(found) or None if isinstance(found, int) or str(found).strip().isdecimal() else int(number) or None


def parsed(value: Any, name: str) -> Any:
    """A structured value that may come as JSON text; text that is not meant as JSON stays text.

    Raises UnreadableError for JSON that is broken, as attribute length limits leave it.
    """
    if not isinstance(value, str) or not _MEANT_AS_JSON.match(value):
        return value
    try:
        return loads(value)
    except UnreadableError as error:
        raise UnreadableError(f"{name} is {error}; an attribute length limit may have cut it") from error


def plain_value(value: Any) -> Any:
    """The value in JSON text of an object or a list; Arrow's maps as mappings; anything else as it is.

    >>> plain_value('{"a": 1}'), plain_value("[1"), plain_value([("a", 1)])
    ({'a': 1}, '[1', {'a': 1})
    """
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return loads(value)
        except UnreadableError:
            return value
    if isinstance(value, list) and value and all(isinstance(pair, tuple) and len(pair) == 2 for pair in value):
        return {as_text(key): inner for key, inner in value}
    return value


def _decoded(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError):
        return json.loads(text)  # NaN and lone surrogates, which it reads as well; or why it is not JSON


def loads(text: str) -> Any:
    """The JSON value in ``text``. Raises UnreadableError where it is not JSON or nested beyond what is safe to walk."""
    try:
        value = _decoded(text)
    except RecursionError as error:
        raise UnreadableError("JSON nested too deeply") from error
    except ValueError as error:
        raise UnreadableError(f"not JSON: {error}") from error
    if text.count("[") + text.count("{") < _DEEPEST:
        return value
    level = [value]
    for _ in range(_DEEPEST):
        inside = [inner.values() if inner.__class__ is dict else inner for inner in level]
        level = [item for items in inside for item in items if item.__class__ in _NESTED]
        if not level:
            return value
    raise UnreadableError("JSON nested too deeply")
