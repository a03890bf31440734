"""What is counted of the traces at an address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter

from judgefleet.hashing import unit_interval
from judgefleet.trace import Trace
from judgefleet.traces.reject import Reject

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


@dataclass(kw_only=True)
class Seen:
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


def counted(item: Trace | Reject, found: Found, seen: Seen) -> None:
    """Add ``item`` to ``found``."""
    if isinstance(item, Reject):
        _add(found.rejects, item.reason)
        found.rejected += [item] if len(found.rejected) < _REJECTS_SHOWN else []
        return
    found.traces += 1
    if item.conversation_id is not None:
        seen.turns[unit_interval(item.conversation_id, "seen")] += 1
    found.filled.update(name for name, value in _FILLED.items() if value(item) not in (None, (), ""))
    for name in item.attributes:
        _add(found.attributes, name)
    for name, values in found.names.items():
        if (value := getattr(item, name)) is not None:
            _add(values, value)
    if item.started_at is not None:
        found.first = min(filter(None, (found.first, item.started_at)))
        found.last = max(filter(None, (found.last, item.started_at)))
    found.example = found.example or item


def _add(counter: Counter[str], name: str) -> None:
    if name in counter or len(counter) < _NAMES_KEPT:
        counter[name] += 1


def fields(found: Found) -> Iterator[tuple[str, float]]:
    """Of each field, the share of traces that have it."""
    return ((name, found.filled[name] / found.traces) for name in _FILLED) if found.traces else iter(())


def top(counter: Counter[str], most: int = 8) -> list[tuple[str, int]]:
    """The most frequent, ties by name."""
    return sorted(counter.items(), key=lambda item: (-item[1], item[0]))[:most]
