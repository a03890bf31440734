"""A clock for simulations: what the loop does takes as long as it takes here, all else as long as it is told to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from jobs.online.clock import Clock

T = TypeVar("T")


class SimulatedClock(Clock):
    """Seconds since the start: CPU time of the thread that made the clock, and the pauses, which are skipped.

    Work that is submitted runs at once, in no time but what it spends by ``engine``. There is one engine: what two
    batches ask of it is done one after the other.

    >>> clock = SimulatedClock()
    >>> batch = clock.submit(lambda: clock.engine(10.0))
    >>> clock.done(batch, 4.0), clock.done(batch, 7.0), round(clock.monotonic())
    (False, True, 10)
    """

    def __init__(self) -> None:
        self._began, self._epoch = time.thread_time(), time.time()
        self._skipped = self._aside = 0.0
        self._worker: float | None = None
        self._ends: dict[Future[Any], float] = {}
        self._engine_free = 0.0
        self._engine_asked = 0.0

    @property
    def busy(self) -> float:
        """CPU seconds of the loop itself."""
        return time.thread_time() - self._began - self._aside

    @property
    def engine_busy(self) -> float:
        """Seconds for which the engine was at work until now."""
        return self._engine_asked - max(0.0, self._engine_free - self.monotonic())

    def monotonic(self) -> float:
        """Simulated seconds since the start; within submitted work, those of the work."""
        return self._skipped + self.busy if self._worker is None else self._worker

    def wall(self, seconds: float) -> float:
        """``seconds`` of the simulation as a time since 1970."""
        return self._epoch + seconds

    def now(self) -> datetime:
        """The simulated time of day."""
        return datetime.fromtimestamp(self.wall(self.monotonic()), UTC)

    def pause(self, stopped: threading.Event, seconds: float) -> None:  # noqa: ARG002 - nobody sets it meanwhile
        """Skip ``seconds``."""
        self._skipped += seconds

    def engine(self, seconds: float) -> None:
        """Called by submitted work: keep the engine for ``seconds``, as soon as it is free."""
        self._worker = self._engine_free = max(self.monotonic(), self._engine_free) + seconds
        self._engine_asked += seconds

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Do ``work`` now; it is done when the time it spent has passed."""
        result: Future[T] = Future()
        # Asked before time stands still: asked within, it would be a moment that has not come when work is done.
        self._worker = self.monotonic()
        with self.aside():
            try:
                result.set_result(work())
            except Exception as error:  # noqa: BLE001 - whoever asks for the result gets it, as from a thread
                result.set_exception(error)
            self._ends[result], self._worker = self._worker, None
        return result

    def done(self, work: Future[T], seconds: float) -> bool:
        """Whether ``work`` ends within ``seconds``, which are skipped as far as need be."""
        left = self._ends[work] - self.monotonic()
        self._skipped += min(max(left, 0.0), seconds)
        if left <= seconds:
            del self._ends[work]
        return left <= seconds

    @contextmanager
    def aside(self) -> Iterator[None]:
        """What is done within takes no time."""
        began = time.thread_time()
        try:
            yield
        finally:
            self._aside += time.thread_time() - began
