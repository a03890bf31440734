"""One loop at a time: a lease in the store, renewed while its holder lives and taken over when it does not.

Epochs are numbered, and each is created where none was. Whether a holder lives is told by its beat changing, watched
with the watcher's own clock, so no two clocks are compared. The lease saves double work; what keeps rows from being
written twice is the log.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psutil

from judgefleet.errors import ConfigError, RunError, StoreError
from judgefleet.exclusive import create_exclusive
from judgefleet.storage import Location, folder_entries, read_bytes, write_atomic

_BEATS_A_LEASE = 4
_LOOKS_A_LEASE = 10


class LeaseLostError(RunError):
    """Another loop has taken over; what this one had in work is scored by that one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """Who holds an epoch. ``started``: of its process, so that another one with the same pid is not taken for it."""

    epoch: int
    nonce: str
    host: str
    pid: int
    started: float
    run_id: str

    @property
    def is_dead(self) -> bool:
        """Whether it ran on this machine and is gone; False where that cannot be known."""
        if self.host != socket.gethostname():
            return False
        try:
            return bool(abs(psutil.Process(self.pid).create_time() - self.started) > 1)
        except psutil.NoSuchProcess:
            return True
        except psutil.Error:
            return False

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} ({self.run_id})"


def newest_holder(root: Location) -> Holder | None:
    """Who took the lease last; None where nobody ever did."""
    place = root.child("lease")
    epochs = [int(info.base_name[:9]) for info in folder_entries(place) if info.base_name.endswith(".json")]
    if not epochs:
        return None
    return Holder(**json.loads(read_bytes(place.child(f"{max(epochs):09d}.json").uri)))


def beat_of(root: Location, epoch: int) -> dict[str, Any]:
    """The last sign of life of an epoch's holder; empty before the first, and of one that is just being replaced.

    A store is asked for the size first and then for so many bytes: of a beat written in between, that may be a part.
    """
    with suppress(ConfigError, json.JSONDecodeError):
        found: dict[str, Any] = json.loads(read_bytes(root.child(f"lease/{epoch:09d}.beat").uri))
        return found
    return {}


class Lease:
    """The lease on the stream whose folder is ``root``."""

    def __init__(self, root: Location, run_id: str, seconds: float, say: Callable[[str], None]) -> None:
        self._root, self._run_id, self._seconds, self._say = root, run_id, seconds, say
        self._stop, self._lost, self._wanted = threading.Event(), threading.Event(), threading.Event()
        self.nonce, self.epoch = uuid.uuid4().hex, 0
        self._thread = threading.Thread(target=self._beat, name="lease", daemon=True)

    def acquire(self, stopped: threading.Event, *, take_over: bool = False, wait: bool = True) -> bool:
        """Wait until the lease is ours; False where ``stopped`` first, or where another lives and ``wait`` is false.

        ``take_over``: ask the holder to finish what it has in work and hand over.
        """
        asked = said = False
        while not stopped.is_set():
            holder = newest_holder(self._root)
            if holder is None or self._is_over(holder, stopped):
                if self._create((holder.epoch if holder else 0) + 1):
                    self._thread.start()
                    return True
                continue
            if not wait and not take_over:
                return False
            if take_over and not asked:
                write_atomic(self._root.child(f"lease/{holder.epoch:09d}.wanted"), self.nonce.encode())
                asked = True
            if not said:
                doing = "asked it to hand over" if take_over else "standing by"
                self._say(f"{holder} follows this stream already; {doing}")
                said = True
        return False

    def check(self) -> None:
        """Raises LeaseLostError when another holder came."""
        if self.lost:
            raise LeaseLostError("another loop took the lease over; this one starts again and stands by")

    @property
    def lost(self) -> bool:
        """Whether another holder came."""
        return self._lost.is_set()

    @property
    def wanted(self) -> bool:
        """Whether another loop asked for it."""
        return self._wanted.is_set()

    def release(self) -> None:
        """Give it back: whoever waits need not wait until it runs out."""
        self._stop.set()
        if self.epoch and not self._lost.is_set():
            with suppress(StoreError, ConfigError):
                self._write_beat(-1)

    def _create(self, epoch: int) -> bool:
        me = psutil.Process()
        known = {"host": socket.gethostname(), "pid": me.pid, "started": me.create_time(), "run_id": self._run_id}
        holder = json.dumps({"epoch": epoch, "nonce": self.nonce, **known}).encode()
        if not create_exclusive(self._root.child(f"lease/{epoch:09d}.json"), holder):
            return False
        self.epoch = epoch
        return True

    def _is_over(self, holder: Holder, stopped: threading.Event) -> bool:
        """Whether ``holder`` gave it back, is gone, or gives no sign of life for as long as a lease is."""
        if holder.is_dead:
            return True
        before, since = beat_of(self._root, holder.epoch), time.monotonic()
        while not stopped.is_set():
            if (beat := beat_of(self._root, holder.epoch)).get("count") == -1:
                return True
            if beat != before:
                return False
            if time.monotonic() - since > self._seconds:
                return True
            stopped.wait(self._seconds / _LOOKS_A_LEASE)
        return False

    def _beat(self) -> None:
        count = 0
        while not self._stop.is_set():
            count += 1
            # A store that does not answer for a while takes nothing away: nobody else can write to it either.
            with suppress(StoreError, ConfigError, OSError):
                self._write_beat(count)
                holder = newest_holder(self._root)
                if holder is not None and holder.epoch > self.epoch:
                    self._lost.set()
                    return
                self._look_if_wanted()
            self._stop.wait(self._seconds / _BEATS_A_LEASE)

    def _look_if_wanted(self) -> None:
        with suppress(ConfigError):
            read_bytes(self._root.child(f"lease/{self.epoch:09d}.wanted").uri)
            self._wanted.set()

    def _write_beat(self, count: int) -> None:
        beat = {"count": count, "at": time.time(), "pid": os.getpid()}
        write_atomic(self._root.child(f"lease/{self.epoch:09d}.beat"), json.dumps(beat).encode())
