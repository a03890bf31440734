"""Things that wait until a time of their own, which may be put off; finding those that are due costs no scan."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Waiting(Generic[T]):
    """Held by key, each with the time at which it is due.

    >>> waiting = Waiting[str]()
    >>> waiting.put("a", "A", 1.0)
    >>> waiting.put("b", "B", 2.0)
    >>> waiting.put("a", "A", 3.0)
    >>> list(waiting.due(2.5)), len(waiting)
    (['B'], 1)
    """

    def __init__(self) -> None:
        self._held: dict[str, tuple[float, T]] = {}
        self._heap: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: str) -> T | None:
        """What is held under ``key``."""
        held = self._held.get(key)
        return held and held[1]

    def put(self, key: str, thing: T, due: float) -> None:
        """Hold ``thing`` until ``due``; what was held under ``key`` is replaced."""
        if (held := self._held.get(key)) is None or held[0] != due:
            heapq.heappush(self._heap, (due, key))
        self._held[key] = (due, thing)

    def pop(self, key: str) -> T | None:
        """Take out what is held under ``key``."""
        held = self._held.pop(key, None)
        return held and held[1]

    def due(self, until: float) -> Iterator[T]:
        """Take out all that is due at ``until`` or before, the longest due first."""
        while self._heap and self._heap[0][0] <= until:
            when, key = heapq.heappop(self._heap)
            if key in self._held and self._held[key][0] == when:
                yield self._held.pop(key)[1]

    def soonest(self, count: int) -> Iterator[T]:
        """Take out the ``count`` that are due first, whether they are due or not."""
        for _ in range(min(count, len(self._held))):
            while self._heap and self._held.get(self._heap[0][1], (None,))[0] != self._heap[0][0]:
                heapq.heappop(self._heap)
            yield next(self.due(self._heap[0][0]))
