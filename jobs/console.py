"""Progress on stderr: a bar on a terminal, a line now and then elsewhere. Results go to stdout."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

_SECONDS_BETWEEN_LINES = 20.0


class ConsoleReporter:
    """Shows what a run says; use it as a context manager so that the bar is taken down."""

    def __init__(self, console: Console | None = None, unit: str = "rows") -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
            transient=True,
        )
        self._task: TaskID | None = None
        self._unit = unit
        self._started = time.monotonic()
        self._last_line = self._started

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._bar.stop()
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            self.say("interrupted; what was done is safe, and the same command goes on from there")

    def say(self, text: str) -> None:
        """One line with the seconds since the start."""
        self._console.print(f"[{time.monotonic() - self._started:6.1f} s] {text}", markup=False, soft_wrap=True)

    def progress(self, done: int, total: int) -> None:
        """Rows (or whatever the unit is) done of all."""
        if self._task is None:
            self._task = self._bar.add_task(self._unit, total=total)
        self._bar.update(self._task, completed=done, total=total)
        if self._bar.disable and time.monotonic() - self._last_line > _SECONDS_BETWEEN_LINES:
            self._last_line = time.monotonic()
            self.say(f"{done:,} of {total:,} {self._unit}")
