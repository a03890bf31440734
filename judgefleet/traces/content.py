"""The content of one object: unpacked, and where it is JSON, taken apart into records."""

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from zstandard import ZstdDecompressor, ZstdError

from judgefleet.errors import ConfigError, did_you_mean
from judgefleet.trace import TRACE_SCHEMA
from judgefleet.traces.reject import Reject, UnreadableError, excerpt
from judgefleet.traces.values import loads

# What a column can be read as: the fields of the plain form.
FIELDS = ("question", *TRACE_SCHEMA.names)
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_ENGINES: Mapping[str, Callable[[], Any]] = {
    "gzip": lambda: zlib.decompressobj(wbits=31),
    "zstd": lambda: ZstdDecompressor().decompressobj(),
}
# Small, since a few bytes of zstd can say 128 KB; the first piece smaller still, for objects of many small members.
_FIRST_PIECE, _PIECE = 1 << 9, 1 << 12
_MOST_LAYERS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadOptions:
    """How objects are read, where the usual way does not fit, and how much of one is read at most.

    ``variant_attribute``, ``experiment_attribute``: the attributes that carry the arm and the experiment.
    ``answer_span``: the name of the spans whose output is the answer, where the usual rule finds others. ``columns``:
    of tables and plain JSON, a column's name to the field it is read as. ``langfuse_milliseconds``: latencies are in
    ms, as in exports of integrations created before 2026-04-01. ``max_bytes``: of an object, packed and unpacked.
    ``max_json``: characters of one JSON value: a line, or a document. ``max_text``: characters of one field of a trace.
    ``max_columns``: columns of a table, attributes of a trace. ``max_rows``: rows that a Parquet footer may promise.
    What is beyond a limit is a reject that names it. Raises ConfigError for a limit below 1 and an
    unknown field.
    """

    variant_attribute: str = "feature_flag.result.variant"
    experiment_attribute: str = "feature_flag.key"
    answer_span: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    langfuse_milliseconds: bool = False
    max_bytes: int = 1 << 29
    max_json: int = 1 << 27
    max_text: int = 16 << 20
    max_columns: int = 10_000
    max_rows: int = 10_000_000

    def __post_init__(self) -> None:
        for limit in ("max_bytes", "max_json", "max_text", "max_columns", "max_rows"):
            if getattr(self, limit) < 1:
                raise ConfigError(f"found {limit} {getattr(self, limit)!r}; a whole number of at least 1 belongs here")

        for column, name in self.columns.items():
            if name not in FIELDS:
                raise ConfigError(f"found the field {name!r} for the column {column!r}; {did_you_mean(name, FIELDS)}")

    def renamed(self, record: Mapping[str, Any]) -> Mapping[str, Any]:
        """``record`` with ``columns`` under the names of their fields; a field beside its column gives way."""
        if not self.columns:
            return record
        given = {new: record[old] for old, new in self.columns.items() if old in record}
        return {name: value for name, value in record.items() if name not in self.columns} | given


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

    @cached_property
    def first_record(self) -> Any:
        """The first JSON value that can be read, or None; None where the content does not begin as JSON does."""
        if self.data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in (b"{", b"["):
            return None
        return next((r.value for r in self.records() if isinstance(r, Record)), None)

    def records(self) -> Iterator[Record | Reject]:
        """JSON values: the elements of one list, one document, or one value a line, whichever the content is."""
        whole, problem = self._whole
        text = self.text
        if problem is None:
            yield from _elements(whole)
        elif any(self._loads(line)[1] is None for line in _lines(text)):
            yield from self._by_line(text)
        else:
            yield self.reject("object", problem, text=text)

    @cached_property
    def text(self) -> str:
        """All of it. Bytes that are not UTF-8 become lone surrogates here, and U+FFFD when the trace is cleaned."""
        return self.data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")

    @cached_property
    def _whole(self) -> tuple[Any, str | None]:
        return self._loads(self.text)

    def _loads(self, text: str) -> tuple[Any, str | None]:
        if len(text) > (most := self.options.max_json):
            return None, f"found {len(text):,} characters that are one JSON value or none; max_json is {most:,}"
        try:
            return loads(text), None
        except UnreadableError as error:
            return None, str(error)

    def _by_line(self, text: str) -> Iterator[Record | Reject]:
        for number, line in enumerate(text.split("\n"), start=1):
            if not line.strip():
                continue
            value, problem = self._loads(line)
            if problem is None:
                yield Record(position=f"line {number}", value=value, text=line)
            else:
                yield self.reject(f"line {number}", problem, text=line)


def unpacked(data: bytes, most: int) -> tuple[bytes, str | None]:
    """``data`` without gzip and zstd, told by its first bytes; and what is wrong with it, or None.

    What can be unpacked before the damage is kept, and not much more than ``most`` bytes of it.
    """
    problem: str | None = None
    for _ in range(_MOST_LAYERS):
        if problem is None and (codec := _codec(data)):
            data, problem = _inflate(data, codec, most)
    if problem is None and _codec(data):
        return b"", f"packed more than {_MOST_LAYERS} times over"
    return data, problem


def _codec(data: bytes) -> str | None:
    return next((codec for magic, codec in _MAGIC.items() if data.startswith(magic)), None)


def _inflate(data: bytes, codec: str, most: int) -> tuple[bytes, str | None]:
    """All frames or members, one after the other. Not by Arrow, which keeps 64 KB of each stream that is damaged."""
    out, at = bytearray(), 0
    try:
        while at < len(data) and _codec(data[at : at + 4]) == codec:
            engine, size = _ENGINES[codec](), _FIRST_PIECE
            while not engine.eof and at < len(data):
                piece = data[at : at + size]
                out += engine.decompress(piece)
                at += len(piece) - len(engine.unused_data)
                size = min(2 * size, _PIECE)
                if len(out) > most:
                    return bytes(out), f"{codec}: unpacks to more than max_bytes {most:,}; split the object"
            if not engine.eof:
                return bytes(out), f"{codec}: truncated, the stream has no end"
    except (zlib.error, ZstdError) as error:
        return bytes(out), f"{codec}: {error}"
    padded = not data[at:].strip(b"\0")
    return bytes(
        out
    ), None if padded else f"{codec}: found something else after it, beginning with {data[at : at + 8]!r}"


def _elements(whole: Any) -> Iterator[Record]:
    if isinstance(whole, list):
        for number, value in enumerate(whole, start=1):
            yield Record(position=f"item {number}", value=value)
    else:
        yield Record(position="document", value=whole)


def _lines(text: str) -> Iterator[str]:
    return (line for line in text.split("\n") if line.lstrip().startswith("{"))
