"""What lies at an address: formats, traces, rejects, which fields are filled, who asked when. Some objects are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter

from judgefleet.errors import ConfigError
from judgefleet.hashing import unit_interval
from judgefleet.storage import ObjectInfo, list_objects, read_bytes
from judgefleet.trace import Trace
from judgefleet.traces.reader import read_object, read_parts, recognise
from judgefleet.traces.reject import Reject
from judgefleet.traces.span import Span

# Told in words where nothing is known of an object's format.
UNKNOWN = "unknown"
# Distinct values that are kept of a name; beyond it more are counted, but not by name.
_NAMES_KEPT = 10_000
_REJECTS_SHOWN = 5
_NAMED = ("service", "environment", "experiment", "variant")
_FILLED = {
    name: attrgetter(name)
    for name in (
        *("started_at", "conversation_id", *_NAMED, "question", "output", "contexts", "tool_calls", "reference"),
        *("usage.input_tokens", "usage.output_tokens", "latency.ttft_ms", "latency.total_ms", "cost"),
    )
}


@dataclass(kw_only=True)
class Found:
    """What was seen of the objects that were read. ``split``: traces with parts in more than one of them."""

    objects: int
    bytes: int
    read: int = 0
    formats: Counter[str] = field(default_factory=Counter)
    traces: int = 0
    spans: int = 0
    copies: int = 0
    split: int = 0
    rejects: Counter[str] = field(default_factory=Counter)
    rejected: list[Reject] = field(default_factory=list)
    filled: Counter[str] = field(default_factory=Counter)
    attributes: Counter[str] = field(default_factory=Counter)
    names: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in _NAMED})
    first: datetime | None = None
    last: datetime | None = None
    conversations: int = 0
    longest_conversation: int = 0
    example: Trace | None = None


def inspect(
    uri: str,
    most: int,
    format: str = "auto",  # noqa: A002
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Found:
    """Read at most ``most`` objects below ``uri``, spread over all of them. Raises ConfigError where there are none."""
    objects = objects_at(uri)
    found = Found(objects=len(objects), bytes=sum(info.size for info in objects))
    seen = _Seen()
    chosen = spread(objects, most)
    for number, info in enumerate(chosen, 1):
        _look(info, format, found, seen)
        progress(number, len(chosen))
    found.copies, found.split = seen.copies, len(seen.split)
    found.conversations = len(seen.turns)
    found.longest_conversation = max(seen.turns.values(), default=0)
    return found


def objects_at(uri: str) -> list[ObjectInfo]:
    """Everything below ``uri``. Raises ConfigError where there is nothing, and as ``list_objects`` does."""
    objects = list_objects(uri)
    if not objects:
        raise ConfigError(f"no objects under {uri!r}; give a folder or file of traces (names with _ or . are skipped)")
    return objects


def spread(objects: Sequence[ObjectInfo], most: int) -> list[ObjectInfo]:
    """At most ``most`` of them, evenly over their names, and the first and the last among them.

    >>> infos = [ObjectInfo(uri=str(n), size=1) for n in range(10)]
    >>> [info.uri for info in spread(infos, 4)]
    ['0', '3', '6', '9']
    """
    if len(objects) <= most:
        return list(objects)
    return [objects[round(n * (len(objects) - 1) / max(most - 1, 1))] for n in range(most)]


@dataclass(kw_only=True)
class _Seen:
    """Numbers in place of names: what was met, and in which object."""

    traces: dict[float, int] = field(default_factory=dict)
    turns: Counter[float] = field(default_factory=Counter)
    split: set[float] = field(default_factory=set)
    copies: int = 0

    def place(self, trace_id: str, number: int) -> None:
        """One with this id was met in object ``number``."""
        code = unit_interval(trace_id, "seen")
        if self.traces.setdefault(code, number) != number:
            self.split.add(code)


def _look(info: ObjectInfo, name: str, found: Found, seen: _Seen) -> None:
    data = read_bytes(info.uri)
    found.read += 1
    found.formats[recognise(info.uri, data) or UNKNOWN if name == "auto" else name] += 1
    found.spans += sum(isinstance(part, Span) for part in read_parts(info.uri, data, name))
    inside: set[str] = set()
    for item in read_object(info.uri, data, name):
        if isinstance(item, Reject):
            _rejected(item, found)
            continue
        identity = f"{item.trace_id}/{item.span_id}"
        seen.copies += identity in inside
        inside.add(identity)
        seen.place(item.trace_id, found.read)
        if item.conversation_id is not None:
            seen.turns[unit_interval(item.conversation_id, "seen")] += 1
        _counted(item, found)


def _rejected(reject: Reject, found: Found) -> None:
    _add(found.rejects, reject.reason)
    if len(found.rejected) < _REJECTS_SHOWN:
        found.rejected.append(reject)


def _counted(trace: Trace, found: Found) -> None:
    found.traces += 1
    found.filled.update(name for name, value in _FILLED.items() if value(trace) not in (None, (), ""))
    for name in trace.attributes:
        _add(found.attributes, name)
    for name, values in found.names.items():
        if (value := getattr(trace, name)) is not None:
            _add(values, value)
    if trace.started_at is not None:
        found.first = min(filter(None, (found.first, trace.started_at)))
        found.last = max(filter(None, (found.last, trace.started_at)))
    found.example = found.example or trace


def _add(counter: Counter[str], name: str) -> None:
    if name in counter or len(counter) < _NAMES_KEPT:
        counter[name] += 1


def fields(found: Found) -> Iterator[tuple[str, float]]:
    """Of each field, the share of traces that have it."""
    return ((name, found.filled[name] / found.traces) for name in _FILLED) if found.traces else iter(())


def top(counter: Counter[str], most: int = 8) -> list[tuple[str, int]]:
    """The most frequent, ties by name."""
    return sorted(counter.items(), key=lambda item: (-item[1], item[0]))[:most]
