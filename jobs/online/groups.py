"""Traces that are judged together wait for each other: the halves of a pair, the turns of a conversation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from jobs.intake import Intake
from jobs.online.joining import Item
from jobs.online.waiting import Waiting
from judgefleet.trace import Trace


@dataclass(kw_only=True)
class _Group:
    traces: list[tuple[Item, Trace]] = field(default_factory=list)

    @property
    def paired(self) -> bool:
        return len({trace.variant for _, trace in self.traces}) > 1


class Groups:
    """``seconds``: how long one waits for others; None where each trace is judged by itself."""

    def __init__(self, intake: Intake, seconds: float | None) -> None:
        self._intake, self._seconds = intake, seconds
        self._waiting: Waiting[_Group] = Waiting()
        self._ready: list[tuple[Item, Trace]] = []

    def __len__(self) -> int:
        return len(self._ready) + len(self._waiting)

    def add(self, item: Item, trace: Trace) -> None:
        """A whole trace. A pair is ready when both halves are here; whatever has no partner waits its time."""
        key = self._intake.group_key(trace) if self._seconds is not None else None
        if self._seconds is None or key is None or key == f"c:{trace.trace_id}":
            self._ready.append((item, trace))
            return
        group = self._waiting.get(key) or _Group()
        group.traces.append((item, trace))
        if self._intake.group_by is not None and group.paired:
            self._waiting.pop(key)
            self._ready += group.traces
        else:
            self._waiting.put(key, group, item.last + self._seconds)

    def ready(self, until: float) -> Iterator[tuple[Item, Trace]]:
        """Take out those that are complete, and those that waited until ``until``."""
        ready, self._ready = self._ready, []
        yield from ready
        for group in self._waiting.due(until):
            yield from group.traces

    def soonest(self, count: int) -> Iterator[tuple[Item, Trace]]:
        """Take out ``count`` groups that waited longest."""
        for group in self._waiting.soonest(max(count, 0)):
            yield from group.traces
