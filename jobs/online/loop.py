"""The loop: list, read, decide, score, commit, publish; several batches in work, committed as they were cut."""

from __future__ import annotations

import math
import threading
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from jobs.engines.budget import Tokens, cost
from jobs.online.budget import PacedControl, RateControl
from jobs.online.clock import Clock
from jobs.online.compact import compact
from jobs.online.feed import Feed
from jobs.online.late import superseding
from jobs.online.lease import Lease, LeaseLostError
from jobs.online.log import Entry, Log, Spent
from jobs.online.micro_batch import Batch
from jobs.online.publish import forget_staged, publish, stage, statuses, tokens_of
from jobs.online.settle import Patience, Scoring, Settled, settle
from jobs.online.state import State, write_checkpoint
from jobs.online.stream import Stream
from judgefleet.errors import ConfigError, RunError
from judgefleet.sample import Sample

_LONGEST_PAUSE = 60.0


@dataclass(kw_only=True)
class _InWork:
    batch: Batch
    started: datetime
    result: Future[tuple[Settled, float]]
    replayed: tuple[str, ...] = ()
    entry: Entry | None = None


@dataclass(frozen=True, kw_only=True)
class Events:
    """Who is told: ``say`` a line, ``committed`` an entry and the state after it, ``looked`` a look at the input."""

    say: Callable[[str], None]
    committed: Callable[[Entry, State], None] = lambda _entry, _state: None
    looked: Callable[[Feed, int], None] = lambda _feed, _pending: None


class Loop:
    """Runs until stopped, or with ``once`` until everything there is has been scored."""

    def __init__(
        self,
        stream: Stream,
        lease: Lease,
        scoring: Scoring,
        state: State,
        events: Events,
        clock: Clock | None = None,
    ) -> None:
        self._stream, self._lease, self._scoring, self._state, self._events = stream, lease, scoring, state, events
        self._settings, self._log = stream.config.online, Log(stream.root)
        self._clock = clock or Clock(self._settings.in_flight)
        self._feed, self._cutter = stream.reading(state, self._clock)
        rates = RateControl(self._settings.budget, state.last.factor if state.last else 1.0)
        self._control = PacedControl(rates, self._clock.now)
        self._work: deque[_InWork] = deque()
        self._unpublished: deque[Entry] = deque()
        self._committed: deque[Entry] = deque()
        self._next_look = -math.inf
        self._pauses = 0
        self._told: str | None = None

    def run(self, stopped: threading.Event, *, once: bool = False) -> None:
        """Raises LeaseLostError when another loop took over, RunError when the fleet cannot be brought back."""
        self._catch_up()
        while not stopped.is_set() and not self._lease.wanted:
            self._lease.check()
            try:
                moved = self._step(once)
            except LeaseLostError:
                raise
            except (ConfigError, RunError) as error:
                self._pause(error, stopped)
                continue
            self._pauses, self._told = 0, None
            if not moved and once:
                break
            if not moved:
                self._clock.pause(stopped, min(self._settings.poll_seconds, 1.0))
        self._drain()
        if once and self._feed.waiting:
            self._events.say(f"today's budget is spent; {self._feed.waiting:,} objects are left for tomorrow")

    def replay(self, samples: list[Sample], names: tuple[str, ...]) -> None:
        """Score samples out of dead letters again, and commit that they were."""
        self._catch_up()
        self._start(Batch(samples=samples, opened=self._state.opened, replayed=True), names)
        self._drain()

    def _catch_up(self) -> None:
        """What was committed and perhaps not published when the last loop ended is published now."""
        numbers = range(self._state.published + 1, self._state.number + 1)
        self._unpublished += [entry for number in numbers if (entry := self._log.read(number)) is not None]
        self._publish()

    def _publish(self) -> None:
        while self._unpublished:
            publish(self._stream.store, self._stream.root, self._unpublished[0])
            self._unpublished.popleft()
        while self._committed:
            self._events.committed(self._committed.popleft(), self._state)

    def _step(self, once: bool) -> bool:
        """Cut while there is room, commit what is finished; whether anything happened."""
        self._publish()  # what could not be before
        if self._clock.monotonic() >= self._next_look:
            self._feed.refresh()
            self._next_look = self._clock.monotonic() + self._settings.poll_seconds
        self._events.looked(self._feed, self._cutter.pending)
        cut = False
        while len(self._work) < self._settings.in_flight and (factor := self._control.factor(self._state)):
            batch = self._cutter.cut(factor, last=once)
            if batch.empty:
                break
            self._start(batch)
            cut = True
        return self._commit_finished(block=not cut) or cut

    def _start(self, batch: Batch, replayed: tuple[str, ...] = ()) -> None:
        started, result = self._clock.now(), self._clock.submit(partial(self._settle, batch))
        self._work.append(_InWork(batch=batch, started=started, result=result, replayed=replayed))

    def _settle(self, batch: Batch) -> tuple[Settled, float]:
        started = self._clock.monotonic()
        patience = Patience(tries=self._settings.max_tries, failed_share=self._stream.config.run.max_failed_share)
        settled = settle(self._scoring, batch.samples, self._stream.group_of, patience)
        return settled, self._clock.monotonic() - started

    def _commit_finished(self, *, block: bool) -> bool:
        """Commit the oldest batch when its rows are there; with ``block`` look for it for a second at most."""
        if not self._work:
            return False
        if not self._clock.done(self._work[0].result, 1.0 if block else 0.0):
            return block
        self._commit(self._work[0])
        return True

    def _commit(self, work: _InWork) -> None:
        """Raises what went wrong. What is not committed then is in work still, and will be at the next call."""
        self._publish()
        entry = work.entry = work.entry or self._entry(work, *self._result(work))
        self._lease.check()
        if not self._log.append(entry):
            raise LeaseLostError(f"another loop has committed entry {entry.number}; this one starts again")
        self._work.popleft()
        self._state.apply(entry)
        self._cutter.committed(entry, work.batch)
        self._unpublished.append(entry)
        self._committed.append(entry)
        self._tidy()
        self._publish()

    def _result(self, work: _InWork) -> tuple[Settled, float]:
        """What scoring gave. Raises what it raised, after starting it again: a batch that is cut is never given up."""
        try:
            return work.result.result()
        except RunError:
            work.result = self._clock.submit(partial(self._settle, work.batch))
            raise

    def _entry(self, work: _InWork, settled: Settled, seconds: float) -> Entry:
        number, batch = self._state.number + 1, work.batch
        rows = superseding(self._stream.store, settled.rows, batch.superseded)
        files = stage(self._stream.root, number, self._lease.nonce, batch, rows, settled.dead)
        tokens = tokens_of(rows)
        engine = self._stream.config.engine
        price = cost(engine, Tokens(read=tokens.prompt_tokens, written=tokens.completion_tokens))
        spent = Spent(seconds=seconds, cost=price + seconds / 3600 * engine.cost_per_hour)
        return Entry(
            number=number,
            nonce=self._lease.nonce,
            epoch=self._lease.epoch,
            run_id=self._stream.config.run_id,
            fingerprints=tuple(info.fingerprint for info in self._stream.infos),
            plan_hash=self._stream.intake.plan_hash,
            factor=batch.factor,
            objects=batch.objects,
            opened=batch.opened,
            published=self._state.number,
            replayed=work.replayed,
            counts=batch.counts + Counter({"dead": len(settled.dead)}),
            statuses=statuses(rows),
            spent=spent + tokens,
            started_at=work.started.isoformat(),
            finished_at=self._clock.now().isoformat(),
            newest_object=batch.newest,
            **files,
        )

    def _tidy(self) -> None:
        """Between a commit and its publication: all entries before it are in the store, and the log says so."""
        number = self._state.number
        if number % self._settings.compact_files == 0:
            compact(self._stream.store, self._settings.compact_files)
        if number % self._settings.checkpoint_every == 0:
            write_checkpoint(self._stream.root, self._state)
            forget_staged(self._stream.root, self._state.published)
        self._cutter.trim()

    def _drain(self) -> None:
        """Finish what is in work; nothing new is begun."""
        while self._work:
            self._commit_finished(block=True)
        self._publish()

    def _pause(self, error: Exception, stopped: threading.Event) -> None:
        """Say what is wrong, once, and wait a while longer each time."""
        if str(error) != self._told:
            self._events.say(f"{error}; trying again until it works")
            self._told = str(error)
        self._clock.pause(stopped, min(_LONGEST_PAUSE, 2.0 ** min(self._pauses, 10)))
        self._pauses += 1
        self._next_look = -math.inf
