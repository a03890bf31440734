"""The content of one object: unpacked, and where it is JSON, taken apart into records."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyarrow as pa

from judgefleet.traces.reject import Reject, UnreadableError, excerpt
from judgefleet.traces.values import loads

_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_CHUNK = 1 << 16
_MOST_LAYERS = 3
_MOST_BYTES = 1 << 30


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadOptions:
    """Names of the attributes that carry the experiment and its arm, where they are not the conventional ones."""

    variant_attribute: str = "feature_flag.result.variant"
    experiment_attribute: str = "feature_flag.key"


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """One JSON value of an object, and where it stands."""

    position: str
    value: Any
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Content:
    """Unpacked bytes of the object at ``uri``."""

    uri: str
    data: bytes
    options: ReadOptions = field(default_factory=ReadOptions)

    def reject(self, position: str, reason: str, *, trace_id: str | None = None, text: str = "") -> Reject:
        """A reject in this object."""
        return Reject(uri=self.uri, position=position, reason=reason, trace_id=trace_id, excerpt=excerpt(text))

    def first_record(self) -> Any:
        """The first JSON value that can be read, or None."""
        return next((r.value for r in self.records() if isinstance(r, Record)), None)

    def records(self) -> Iterator[Record | Reject]:
        """JSON values: the elements of one list, one document, or one value a line, whichever the content is."""
        whole, problem = self._whole
        text = self._text
        if problem is None:
            yield from _elements(whole)
        elif any(_loads(line)[1] is None for line in _lines(text)):
            yield from self._by_line(text)
        else:
            yield self.reject("object", problem, text=text)

    @cached_property
    def _text(self) -> str:
        """Bytes that are not UTF-8 become lone surrogates here, and U+FFFD when the trace is cleaned."""
        return self.data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")

    @cached_property
    def _whole(self) -> tuple[Any, str | None]:
        return _loads(self._text)

    def _by_line(self, text: str) -> Iterator[Record | Reject]:
        for number, line in enumerate(text.split("\n"), start=1):
            if not line.strip():
                continue
            value, problem = _loads(line)
            if problem is None:
                yield Record(position=f"line {number}", value=value, text=line)
            else:
                yield self.reject(f"line {number}", problem, text=line)


def unpacked(data: bytes) -> tuple[bytes, str | None]:
    """``data`` without gzip and zstd, told by its first bytes; and what is wrong with it, or None.

    What can be unpacked before the damage is kept.
    """
    problem: str | None = None
    for _ in range(_MOST_LAYERS):
        if problem is None and (codec := _codec(data)):
            data, problem = _inflate(data, codec)
    return data, problem


def _codec(data: bytes) -> str | None:
    return next((codec for magic, codec in _MAGIC.items() if data.startswith(magic)), None)


def _inflate(data: bytes, codec: str) -> tuple[bytes, str | None]:
    out = bytearray()
    try:
        stream = pa.CompressedInputStream(pa.BufferReader(data), codec)
        while chunk := stream.read(_CHUNK):
            out += chunk
            if len(out) > _MOST_BYTES:
                return bytes(out), f"{codec}: unpacks to more than {_MOST_BYTES} bytes; split the object"
    except OSError as error:
        return bytes(out), f"{codec}: {error}"
    return bytes(out), None


def _elements(whole: Any) -> Iterator[Record]:
    if isinstance(whole, list):
        for number, value in enumerate(whole, start=1):
            yield Record(position=f"item {number}", value=value)
    else:
        yield Record(position="document", value=whole)


def _lines(text: str) -> Iterator[str]:
    return (line for line in text.split("\n") if line.lstrip().startswith("{"))


def _loads(text: str) -> tuple[Any, str | None]:
    try:
        return loads(text), None
    except UnreadableError as error:
        return None, str(error)
