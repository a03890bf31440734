"""Values of OTLP/JSON as plain ones (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding)."""

import re
from collections.abc import Mapping
from typing import Any

from judgefleet.traces.reject import UnreadableError, shown
from judgefleet.traces.span import SpanEvent
from judgefleet.traces.values import as_text

_INTEGER = re.compile(r"\s*-?\d{1,20}\s*")
_STATUS_CODES = {"1": "OK", "OK": "OK", "2": "ERROR", "ERROR": "ERROR"}


def status_of(status: Any) -> tuple[str | None, str]:
    """``OK``, ``ERROR``, or None for unset and for what is none (codes 1 and 2, also as text or name); its message."""
    if not isinstance(status, dict):
        return None, ""
    code = str(status.get("code")).removeprefix("STATUS_CODE_")
    return _STATUS_CODES.get(code), as_text(status.get("message") or "")


def attributes_of(owner: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of a span, event or resource as plain values. Raises UnreadableError."""
    return dict(_pair(entry) for entry in _list(owner, "attributes"))


def name_in(owner: Mapping[str, Any], key: str) -> Any:
    """The attribute ``key`` as far as it can be read, whatever the others are; None where it is not there."""
    pairs = owner.get("attributes")
    found = (pair for pair in pairs if isinstance(pair, dict)) if isinstance(pairs, list) else ()
    return next((plain(pair.get("value")) for pair in found if pair.get("key") == key), None)


def _list(owner: Mapping[str, Any], key: str) -> list[Any]:
    found = owner.get(key)
    if found is None:
        return []
    if not isinstance(found, list):
        raise UnreadableError(f"found {key} {shown(found)}; a list belongs here")
    return found


def _pair(entry: Any) -> tuple[str, Any]:
    if not isinstance(entry, dict) or not isinstance(entry.get("key"), str):
        raise UnreadableError(f"found the attribute {shown(entry)}; an object with key and value belongs here")
    return entry["key"], plain(entry.get("value"))


def plain(value: Any) -> Any:
    """An OTLP AnyValue as a plain value; 64-bit integers come as text and become numbers where they can."""
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and (text := value.get("stringValue")) is not None:
        return text
    kind, inner = next(((kind, inner) for kind, inner in value.items() if inner is not None), (None, None))
    if kind == "arrayValue" and isinstance(inner, dict):
        return [plain(item) for item in _list(inner, "values")]
    if kind == "kvlistValue" and isinstance(inner, dict):
        return dict(_pair(entry) for entry in _list(inner, "values"))
    if kind == "intValue" and isinstance(inner, str) and _INTEGER.fullmatch(inner):
        return int(inner)
    return inner


def events_of(span: Mapping[str, Any]) -> tuple[SpanEvent, ...]:
    """The events of a span. Raises UnreadableError."""
    return tuple(map(_event, _list(span, "events")))


def _event(event: Any) -> SpanEvent:
    if not isinstance(event, dict):
        raise UnreadableError(f"found the event {shown(event)}; an object belongs here")
    return SpanEvent(name=as_text(event.get("name", "")), attributes=attributes_of(event))
