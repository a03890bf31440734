"""One life of the loop: check, take the lease, start the fleet, follow the input, give everything back."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from jobs.batch import run_facts
from jobs.cluster import ray_session
from jobs.online.config import OnlineConfig
from jobs.online.dead_letters import to_replay
from jobs.online.fleet import Fleet
from jobs.online.journal import Journal
from jobs.online.lease import Lease
from jobs.online.log import Entry
from jobs.online.loop import Events, Loop
from jobs.online.metrics import Metrics
from jobs.online.state import State, rebuild, write_checkpoint
from jobs.online.stream import Stream, stream_root
from jobs.plan import Plan
from jobs.prepare import Prepared, prepare
from judgefleet.errors import ConfigError
from judgefleet.storage import ensure_listable, write_atomic

_PARENT_LOOKS = 2.0


class Life:
    """What one process of ``judgefleet online`` does. ``journal``: where it says so."""

    def __init__(self, config: OnlineConfig, journal: Journal) -> None:
        self._config, self._journal = config, journal
        self._stopped = threading.Event()

    def follow(self, *, once: bool, take_over: bool) -> int:
        """Follow the input until stopped, or with ``once`` to its present end; returns the rows committed.

        Raises ConfigError before any work, RunError when it cannot go on: the same command goes on where it ended.
        """
        prepared = self._checked()
        stream = Stream.of(self._config, prepared)
        metrics = Metrics(self._config, stream.judges)
        metrics.serve()
        started, rows = datetime.now(UTC), 0

        def committed(entry: Entry, state: State) -> None:
            nonlocal rows
            rows += sum(entry.statuses.values())
            metrics.committed(entry, state)
            self._journal.committed(entry)

        with self._session() as logs, self._lease(stream) as lease:
            fleet = Fleet(prepared, self._config.online, logs)
            if take_over:
                self._start(fleet)
            if not lease.acquire(self._stopped, take_over=take_over, wait=not once):
                if once and not self._stopped.is_set():
                    raise ConfigError(f"another loop follows the stream {self._config.name!r}; --status says which")
                return rows
            metrics.lease_held.set(1)
            if not take_over:
                self._start(fleet)
            state = rebuild(stream.root)
            self._journal.say(f"{state.number:,} batches are committed; following {self._config.input.uri}")
            events = Events(say=self._journal.say, committed=committed, looked=metrics.looked)
            try:
                Loop(stream, lease, fleet, state, events).run(self._stopped, once=once)
            finally:
                self._record(prepared, state, started)
        return rows

    def replay(self) -> tuple[int, int]:
        """Score the dead letters again; returns how many there were, and how many are dead again."""
        prepared = self._checked()
        stream = Stream.of(self._config, prepared)
        with self._session() as logs, self._lease(stream) as lease:
            if not lease.acquire(self._stopped, wait=False):
                raise ConfigError(f"a loop follows the stream {self._config.name!r}; stop it, then replay")
            state = rebuild(stream.root)
            names = tuple(state.dead)
            if not names:
                return 0, 0
            samples = to_replay(stream.root, stream.store, names)
            fleet = Fleet(prepared, self._config.online, logs)
            self._start(fleet)
            Loop(stream, lease, fleet, state, Events(say=self._journal.say)).replay(samples, names)
            return len(samples), sum(state.dead.values())

    def stop(self, *_: object) -> None:
        """Finish what is in work, then end; a second call ends at once."""
        if self._stopped.is_set():
            os._exit(130)
        self._journal.say("stopping: what is in work is finished first; once more ends at once")
        self._stopped.set()

    @property
    def stopped(self) -> bool:
        """Whether it was asked to stop."""
        return self._stopped.is_set()

    def _checked(self) -> Prepared:
        self._journal.say("checking the configuration, the input, the store and the models")
        prepared = prepare(self._config, job="online")
        ensure_listable(self._config.input.uri)
        return prepared

    def _start(self, fleet: Fleet) -> None:
        self._journal.say("starting the workers and the judge; it is ready when it has answered")
        fleet.start()

    @contextmanager
    def _session(self) -> Iterator[Path]:
        with ray_session() as logs:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self.stop)
            threading.Thread(target=self._watch_parent, args=(os.getppid(),), daemon=True).start()
            yield logs

    @contextmanager
    def _lease(self, stream: Stream) -> Iterator[Lease]:
        lease = Lease(stream.root, self._config.run_id, self._config.online.lease_seconds, self._journal.say)
        try:
            yield lease
        finally:
            lease.release()

    def _watch_parent(self, parent: int) -> None:
        """A loop whose supervisor was killed ends by itself: nobody would start it again, or stop it."""
        while not self._stopped.wait(_PARENT_LOOKS):
            if os.getppid() != parent:
                self.stop()

    def _record(self, prepared: Prepared, state: State, started: datetime) -> None:
        """What ``judgefleet report`` and ``audit draw`` know of the run."""
        if not state.number:
            return
        write_checkpoint(stream_root(self._config), state)
        plan = Plan(chunks=(), counts=state.counts, rejects=state.counts.get("rejected", 0))
        rows = sum(state.statuses.values())
        facts = run_facts(prepared, plan, started) | {"job": "online", "rows_expected": rows, "rows_written": rows}
        record = json.dumps(facts, indent=2, default=str).encode()
        write_atomic(prepared.store.child(f"_runs/{self._config.run_id}/run.json"), record)
