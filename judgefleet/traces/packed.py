"""Spans as bytes, until all of their trace is there: MessagePack (https://msgpack.org), or JSON where that has no form.

Every span of every object goes through here and most are never read again, so it is C that does it. MessagePack has no
integers beyond 64 bits, and msgspec no lone surrogates.
"""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import fields
from typing import Any

import msgspec

from judgefleet.traces.span import Span
from judgefleet.traces.values import as_text_or_repr

# What stands in the place of spans of which one could not be read.
SPOILT = b"[]"
_JSON = b"["
_PLAIN = {str, int, float, bool, bytes, None.__class__}
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[Span])
_FIELDS = tuple(field.name for field in fields(Span))


def packed(spans: Iterable[Span]) -> bytes:
    """At least one span, as it is."""
    told = list(spans)
    if all(map(_is_plain, told)):
        with suppress(ValueError, OverflowError, TypeError, msgspec.MsgspecError):
            return _ENCODER.encode(told)
    return json.dumps([_told(span) for span in told], default=as_text_or_repr, check_circular=False).encode()


def unpacked(data: bytes) -> list[Span]:
    """What ``packed`` wrote."""
    return msgspec.convert(json.loads(data), list[Span]) if data.startswith(_JSON) else _DECODER.decode(data)


def _is_plain(span: Span) -> bool:
    """Whether its values are such that MessagePack has a form for; times and durations it would write in words."""
    return (
        _are_plain(span.attributes.values())
        and _are_plain(span.resource.values())
        and all(_are_plain(event.attributes.values()) for event in span.events)
    )


def _are_plain(values: Iterable[Any]) -> bool:
    for value in values:
        kind = value.__class__
        if kind is list:
            plain = _are_plain(value)
        elif kind is dict:
            plain = _are_plain(value.values())
        else:
            plain = kind in _PLAIN
        if not plain:
            return False
    return True


def _told(span: Span) -> dict[str, Any]:
    events = [{"name": event.name, "attributes": dict(event.attributes)} for event in span.events]
    return {name: getattr(span, name) for name in _FIELDS} | {
        "attributes": dict(span.attributes),
        "resource": dict(span.resource),
        "events": events,
    }
