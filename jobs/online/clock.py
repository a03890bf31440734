"""The loop's time and threads in one place, so that a simulation can put others in theirs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from typing import TypeVar

T = TypeVar("T")


class Clock:
    """This machine's time, and ``threads`` of it that work beside the loop."""

    def __init__(self, threads: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="scoring")

    def monotonic(self) -> float:
        """Seconds since some moment, that no setting of the clock changes."""
        return time.monotonic()

    def now(self) -> datetime:
        """The time of day, in UTC."""
        return datetime.now(UTC)

    def pause(self, stopped: threading.Event, seconds: float) -> None:
        """Let ``seconds`` pass, or fewer when ``stopped`` is set meanwhile."""
        stopped.wait(seconds)

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Begin ``work`` beside the loop."""
        return self._threads.submit(work)

    def done(self, work: Future[T], seconds: float) -> bool:
        """Whether ``work`` ended, after waiting for it for ``seconds`` at most."""
        wait([work], timeout=seconds)
        return work.done()
