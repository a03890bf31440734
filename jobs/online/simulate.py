"""What a configuration would do under a traffic: the real loop, on made-up traces, with an engine of a told speed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from jobs.engines.scripted import ScriptedEngine
from jobs.online.clock import Clock
from jobs.online.config import OnlineConfig
from jobs.online.feed import Feed
from jobs.online.lease import Lease
from jobs.online.loop import Events, Loop
from jobs.online.made_up import MadeUpFeed
from jobs.online.simulated_time import SimulatedClock
from jobs.online.state import State
from jobs.online.stream import Stream
from jobs.online.worker import ScoreWorker
from jobs.prepare import Prepared, prepare
from judgefleet.sample import Sample, samples_to_table

_NEARLY = 0.9


@dataclass(frozen=True, kw_only=True, slots=True)
class _Look:
    """At one moment of the simulation; all but ``lag`` are sums since its start."""

    seconds: float
    loop: float
    engine: float
    decided: int
    sampled: int
    lag: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Simulated:
    """What was seen. ``lags``: age in seconds of the oldest object that was not read, at half time and at the end.

    Shares and rates are those of the second half, when traces settle and the engine is at work. ``loop_limit``: traces
    a second that one core reads, decides and commits; None where the loop had nothing to do.
    """

    arrived_per_second: float
    decided_per_second: float
    sampled_per_second: float
    seconds: float
    lags: tuple[float, float]
    pending: int
    factor: float
    loop_share: float
    engine_share: float
    loop_limit: float | None
    poll_seconds: float

    @property
    def keeps_up(self) -> bool:
        """Whether the lag does not grow, but for what the next look at the input will find."""
        return self.lags[1] <= self.lags[0] + max(0.05 * self.seconds, 2 * self.poll_seconds)

    @property
    def limit(self) -> str | None:
        """What is saturated: the engine, the loop, or None."""
        if self.keeps_up:
            return None
        return "engine" if self.engine_share >= _NEARLY else "loop"


@dataclass(frozen=True, kw_only=True)
class _SimulatedStream(Stream):
    rate: float

    def feed(self, state: State, clock: Clock) -> Feed:
        assert isinstance(clock, SimulatedClock)
        return MadeUpFeed(self.config, state.seen, clock, self.rate)


class _Scoring:
    """Real rows by the scripted engine, in the time that the told engine would take."""

    def __init__(self, prepared: Prepared, clock: SimulatedClock, seconds_per_trace: float) -> None:
        names = prepared.setup.models if prepared.setup else ()
        self._worker = ScoreWorker(prepared.local, prepared.setup, dict.fromkeys(names, ScriptedEngine()))
        self._clock, self._each = clock, seconds_per_trace

    def score(self, samples: Sequence[Sample]) -> pa.Table:
        self._clock.engine(len(samples) * self._each)
        return self._worker.score(samples_to_table(samples))

    def recover(self) -> None:
        """A scripted engine never fails."""


def simulate(
    config: OnlineConfig, traces_per_second: float, seconds_per_trace: float, seconds: float = 120.0
) -> Simulated:
    """Follow made-up traffic for simulated ``seconds``.

    Time of the loop (reading, joining, deciding, writing, committing) is CPU time measured here, on one core; that of
    checks and judging is ``seconds_per_trace`` for each sampled trace. Waiting for the store is not simulated: it is a
    folder here. Rates, budget and settings are those of ``config``. Raises ConfigError as a start would.
    """
    with TemporaryDirectory(prefix="judgefleet-simulation-") as folder:
        return _Simulation(_elsewhere(config, Path(folder)), traces_per_second, seconds_per_trace, seconds).run()


def _elsewhere(config: OnlineConfig, folder: Path) -> OnlineConfig:
    """``config`` with input and store in ``folder``, and no engine to start."""
    (folder / "traces").mkdir()
    engine = config.engine.model_validate({"kind": "scripted", "model": config.engine.model})
    place = {"store": str(folder / "store"), "engine": engine}
    source = config.input.model_copy(update={"uri": str(folder / "traces"), "format": "auto"})
    return config.model_copy(update=place | {"input": source})


class _Simulation:
    def __init__(self, config: OnlineConfig, rate: float, seconds_per_trace: float, seconds: float) -> None:
        prepared = prepare(config, job="online")
        stream = Stream.of(config, prepared)
        known: dict[str, Any] = {name: getattr(stream, name) for name in Stream.__dataclass_fields__}
        self._stream = _SimulatedStream(**known, rate=rate)
        self._clock, self._seconds = SimulatedClock(), seconds
        self._scoring = _Scoring(prepared, self._clock, seconds_per_trace)
        self._stopped, self._state = threading.Event(), State()
        self._half: _Look | None = None
        self._seen: Simulated | None = None

    def run(self) -> Simulated:
        """To the end of the time."""
        lease = Lease(self._stream.root, self._stream.config.run_id, 3600.0, lambda _line: None)
        lease.acquire(self._stopped)
        events = Events(say=lambda _line: None, looked=self._looked)
        try:
            Loop(self._stream, lease, self._scoring, self._state, events, self._clock).run(self._stopped)
        finally:
            lease.release()
        assert self._seen is not None
        return self._seen

    def _looked(self, feed: Feed, pending: int) -> None:
        look = self._look(feed)
        if self._half is None and look.seconds >= self._seconds / 2:
            self._half = look
        if look.seconds >= self._seconds and not self._stopped.is_set():
            assert self._half is not None
            assert isinstance(feed, MadeUpFeed)
            self._seen = self._between(self._half, look, feed.arrived, pending)
            self._stopped.set()

    def _look(self, feed: Feed) -> _Look:
        now, counts = self._clock.monotonic(), self._state.counts
        return _Look(
            seconds=now,
            loop=self._clock.busy,
            engine=self._clock.engine_busy,
            decided=sum(counts.values()),
            sampled=counts["sampled"],
            lag=0.0 if feed.oldest is None else max(0.0, self._clock.wall(now) - feed.oldest),
        )

    def _between(self, half: _Look, end: _Look, arrived: int, pending: int) -> Simulated:
        took, loop = max(end.seconds - half.seconds, 1e-9), end.loop - half.loop
        decided = end.decided - half.decided
        return Simulated(
            arrived_per_second=arrived / end.seconds,
            decided_per_second=decided / took,
            sampled_per_second=(end.sampled - half.sampled) / took,
            seconds=end.seconds,
            lags=(half.lag, end.lag),
            pending=pending,
            factor=self._state.last.factor if self._state.last else 1.0,
            loop_share=loop / took,
            engine_share=(end.engine - half.engine) / took,
            loop_limit=decided / loop if decided and loop > 0 else None,
            poll_seconds=self._stream.config.online.poll_seconds,
        )
