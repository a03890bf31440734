"""Keeps a loop alive: starts it in a process of its own, and again when that ends in a way that may pass.

Death of Ray's own processes on a node takes the process that joined it along, without an exception to catch; so
whoever is to go on after that must be another process.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from jobs.online.metrics import RESTARTS

_SHORTEST_PAUSE, _LONGEST_PAUSE = 1.0, 300.0
# A life of so long was a good one: the next failure is the first again.
_GOOD_LIFE = 600.0
_FINAL = {0, 2, 130}


class Supervisor:
    """``command``: what is started. ``say``: where it is said that it ended."""

    def __init__(self, command: Sequence[str], say: Callable[[str], None]) -> None:
        self._command, self._say = list(command), say
        self._child: subprocess.Popen[bytes] | None = None
        self._stopping = False

    def run(self) -> int:
        """Until the loop ends for good; returns its exit code: 0, 2 (a configuration error), 130 (stopped)."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        pause, restarts, once_up = _SHORTEST_PAUSE, 0, False
        while True:
            started = time.monotonic()
            code = self._live(restarts)
            lived = time.monotonic() - started
            # A configuration that has worked is not what is wrong: credentials expire, buckets vanish.
            once_up = once_up or lived > _GOOD_LIFE
            if self.stopping() or code in _FINAL - ({2} if once_up else set()):
                return 130 if self.stopping() else code
            pause = _SHORTEST_PAUSE if lived > _GOOD_LIFE else pause
            self._say(f"the loop ended ({_ending(code)}); starting it again in {pause:.0f} s")
            self._sleep(pause)
            pause, restarts = min(_LONGEST_PAUSE, pause * 2), restarts + 1
            if self.stopping():
                return 130

    def _live(self, restarts: int) -> int:
        # A session of its own: Ctrl-C reaches this process alone, which passes it on once.
        env = os.environ | {RESTARTS: str(restarts)}
        self._child = subprocess.Popen(self._command, start_new_session=True, env=env)  # noqa: S603 - our own command
        code = self._child.wait()
        with suppress(ProcessLookupError, PermissionError):
            # What it started on this machine and could not end: engines hold gigabytes, and the next life wants them.
            os.killpg(self._child.pid, signal.SIGKILL)
        return code

    def stopping(self) -> bool:
        """Whether it was asked to end."""
        return self._stopping

    def _stop(self, *_: object) -> None:
        self._stopping = True
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)

    def _sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self._stopping:
            time.sleep(0.1)


def loop_command(arguments: Sequence[str]) -> list[str]:
    """``judgefleet online`` without a supervisor, by this interpreter."""
    return [sys.executable, "-c", "from jobs.cli import main; main()", "online", *arguments, "--unsupervised"]


def _ending(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
