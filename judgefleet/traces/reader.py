"""Reads one object into traces and rejects, recognised by its content and never by its name."""

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

from judgefleet.errors import ConfigError, did_you_mean
from judgefleet.storage import read_bytes
from judgefleet.trace import Trace
from judgefleet.traces.clean import cleaned
from judgefleet.traces.content import Content, ReadOptions, unpacked
from judgefleet.traces.limits import within
from judgefleet.traces.reject import Reject
from judgefleet.traces.span import Span

Reader: TypeAlias = Callable[[Content], Iterator[Trace | Reject]]

# In the order in which they are asked whether the content is theirs: beside each reader stands ``recognises``.
FORMATS: dict[str, str] = {
    "langfuse": "judgefleet.traces.langfuse:read",
    "langfuse_manifest": "judgefleet.traces.langfuse_manifest:read",
    "phoenix": "judgefleet.traces.phoenix:read",
    "parquet": "judgefleet.traces.parquet:read",
    "otlp_proto": "judgefleet.traces.otlp_proto:read",
    "otlp_framed": "judgefleet.traces.otlp_framed:read",
    "mlflow": "judgefleet.traces.mlflow_json:read",
    "otlp_json": "judgefleet.traces.otlp_json:read",
    "chat": "judgefleet.traces.chat:read",
    "jsonl": "judgefleet.traces.jsonl:read",
    "csv": "judgefleet.traces.csv_traces:read",
}


def read_object(
    uri: str,
    data: bytes | Path | None = None,
    format: str = "auto",  # noqa: A002
    options: ReadOptions | None = None,
) -> Iterator[Trace | Reject]:
    """Everything in the object at ``uri``; bad content gives rejects and never raises.

    ``data``: its bytes, a file that holds them, or None to read ``uri``. gzip and zstd are unpacked.
    ``format``: one of FORMATS, or ``auto`` to go by the content.
    Raises ConfigError for an unknown format, and what ``storage.read_bytes`` raises.
    """
    chosen = options or ReadOptions()
    return (within(cleaned(item), chosen) for item in _open(uri, data, format, chosen, _reader))


def read_parts(
    uri: str,
    data: bytes | Path | None = None,
    format: str = "auto",  # noqa: A002
    options: ReadOptions | None = None,
) -> Iterator[Span | Trace | Reject]:
    """As ``read_object``, with spans left as they are: for whoever puts together those of several objects."""
    chosen = options or ReadOptions()
    found = _open(uri, data, format, chosen, _parts_reader)
    return (item if isinstance(item, Span) else within(cleaned(item), chosen) for item in found)


def recognise(uri: str, data: bytes, options: ReadOptions | None = None) -> str | None:
    """Which of FORMATS the content is in; None where it is none of them, or nothing."""
    chosen = options or ReadOptions()
    content = Content(uri=uri, data=unpacked(data, chosen.max_bytes)[0], options=chosen)
    return _recognised(content) if content.data.strip() else None


def _open(
    uri: str, data: bytes | Path | None, name: str, options: ReadOptions, reader: Callable[[str], Any]
) -> Iterator[Any]:
    if name not in ("auto", *FORMATS):
        raise ConfigError(f"found the trace format {name!r}; {did_you_mean(name, ['auto', *FORMATS])}")
    raw = data if isinstance(data, bytes) else read_bytes(uri if data is None else data)
    return _read(uri, raw, name, options, reader)


def _read(uri: str, raw: bytes, name: str, options: ReadOptions, reader: Callable[[str], Any]) -> Iterator[Any]:
    content = Content(uri=uri, data=raw[:16], options=options)
    if len(raw) > options.max_bytes:
        yield content.reject(
            "object", f"found {len(raw):,} bytes; max_bytes is {options.max_bytes:,}: split the object"
        )
        return
    data, problem = unpacked(raw, options.max_bytes)
    content = Content(uri=uri, data=data, options=options)
    if data.strip():
        found = _recognised(content) if name == "auto" else name
        yield from reader(found)(content) if found else iter([content.reject("object", _unknown(data))])
    elif problem is None:
        yield content.reject("object", "the object is empty")
    if problem is not None:
        yield content.reject("object", f"only the beginning could be unpacked: {problem}")


def _recognised(content: Content) -> str | None:
    return next((name for name in FORMATS if _attribute(name, "recognises")(content)), None)


def _reader(name: str) -> Reader:
    reader: Reader = _attribute(name, FORMATS[name].partition(":")[2])
    return reader


def _parts_reader(name: str) -> Callable[[Content], Iterator[Span | Trace | Reject]]:
    """``read_spans`` of a format that has spans, else its reader."""
    found: Callable[[Content], Iterator[Span | Trace | Reject]] | None
    found = getattr(import_module(FORMATS[name].partition(":")[0]), "read_spans", None)
    return found or _reader(name)


def _attribute(name: str, attribute: str) -> Any:
    return getattr(import_module(FORMATS[name].partition(":")[0]), attribute)


def _unknown(data: bytes) -> str:
    return f"unknown content, beginning with {data[:16]!r}; known formats: {', '.join(FORMATS)}"
