"""Puts traces together from parts that lie in several objects, and keeps count of which objects are done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from judgefleet.trace import Trace
from judgefleet.traces.content import ReadOptions
from judgefleet.traces.reject import Reject
from judgefleet.traces.span import Span
from judgefleet.traces.spans import trace_of

Part = Span | Trace | Reject


@dataclass(kw_only=True)
class Item:
    """One trace as far as it came. ``first``, ``last``: when the objects with its parts were written; by key, where."""

    identity: str
    first: float
    last: float
    spans: list[Span] = field(default_factory=list)
    found: Trace | Reject | None = None
    objects: dict[str, str] = field(default_factory=dict)

    def add(self, part: Part, key: str, uri: str, at: float) -> None:
        """One more part, of the object ``key`` at ``uri`` that was written ``at``."""
        if isinstance(part, Span):
            self.spans.append(part)
        else:
            self.found = self.found or part
        self.objects[key] = uri
        self.first, self.last = min(self.first, at), max(self.last, at)

    @property
    def rooted(self) -> bool:
        """Whether its root span is here; what has no spans needs none."""
        return not self.spans or any(span.parent_id is None and not span.of_log for span in self.spans)

    def read(self, options: ReadOptions) -> Trace | Reject:
        """The trace, or why it is none."""
        if self.found is not None:
            return self.found
        return trace_of(self.spans, min(self.objects.values()), options)


def identity_of(part: Part, key: str) -> str:
    """What a part is known by: its trace, a whole trace also by its span, and what has no id by where it stands."""
    if isinstance(part, Trace):
        return f"{part.trace_id}/{part.span_id}"
    if isinstance(part, Reject):
        return part.trace_id or f"{key}#{part.position}"
    return part.trace_id


class OpenObjects:
    """Objects that are read and not done: with some of their traces not decided."""

    def __init__(self, opened: Mapping[str, tuple[str, ...]]) -> None:
        self._before = {key: frozenset(ids) for key, ids in opened.items()}
        self._left: dict[str, set[str]] = {}
        self._decided: dict[str, set[str]] = {}
        self._reading: str | None = None
        self._done: list[str] = []

    def begin(self, key: str) -> None:
        """``key`` is being read."""
        self._left[key], self._decided[key], self._reading = set(), set(self._before.get(key, ())), key

    def expect(self, key: str, identity: str) -> None:
        """A trace of ``key`` that is to be decided."""
        self._left[key].add(identity)

    def was_decided(self, key: str, identity: str) -> bool:
        """Whether an entry of the log has decided it already."""
        return identity in self._before.get(key, ())

    def end(self, key: str) -> None:
        """``key`` is read to its end."""
        self._reading = None
        self._close(key)

    def decide(self, item: Item) -> None:
        """``item`` is decided, in all its objects."""
        for key in item.objects:
            self._left[key].discard(item.identity)
            self._decided[key].add(item.identity)
            self._close(key)

    def take_done(self) -> tuple[str, ...]:
        """Objects that came to their end since the last call."""
        done, self._done = tuple(self._done), []
        return done

    def opened(self) -> dict[str, tuple[str, ...]]:
        """Those not done, with what is decided of each."""
        before = {key: tuple(sorted(ids)) for key, ids in self._before.items() if ids}
        return before | {key: tuple(sorted(ids)) for key, ids in self._decided.items() if ids}

    def _close(self, key: str) -> None:
        if key != self._reading and not self._left[key]:
            self._done.append(key)
            del self._left[key], self._decided[key]
            self._before.pop(key, None)
