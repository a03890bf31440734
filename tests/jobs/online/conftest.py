"""A stream in a folder, and a loop over it without a cluster: everything but Ray's processes is the real thing."""

import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
import yaml

from jobs.engines.scripted import ScriptedEngine
from jobs.online.config import OnlineConfig
from jobs.online.dead_letters import to_replay
from jobs.online.lease import Lease
from jobs.online.log import Entry
from jobs.online.loop import Events, Loop
from jobs.online.state import State, rebuild
from jobs.online.stream import Stream, stream_root
from jobs.online.worker import ScoreWorker
from jobs.prepare import Prepared, prepare
from judgefleet.errors import StoreError
from judgefleet.sample import Sample, samples_to_table
from judgefleet.storage import open_location

RUBRIC = {
    "name": "tiny",
    "version": "1",
    "instructions": "Grade the answer.",
    "axes": [{"name": "clarity", "question": "Is it clear?", "scale": {"min": 1, "max": 5}}],
}


class InProcess:
    """Scores here and now, with the worker of the real fleet and the scripted engine; ``kills``: ids that end it."""

    def __init__(self, prepared: Prepared) -> None:
        self._worker = ScoreWorker(prepared.local, prepared.setup, {"default": ScriptedEngine()})
        self.kills: set[str] = set()
        self.scored: list[str] = []
        self.recovered = 0

    def score(self, samples: Sequence[Sample]) -> pa.Table:
        from jobs.online.fleet import ScoringFailedError

        if self.kills & {sample.trace.trace_id for sample in samples}:
            raise ScoringFailedError("the worker died")
        self.scored += [sample.trace.trace_id for sample in samples]
        return self._worker.score(samples_to_table(samples))

    def recover(self) -> None:
        self.recovered += 1


@dataclass
class World:
    """A folder with an input and a store; ``life`` is one process of the loop."""

    folder: Path
    said: list[str] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    content: dict[str, Any] = field(default_factory=dict)

    def configure(self, **changed: Any) -> OnlineConfig:
        (self.folder / "tiny.yaml").write_text(yaml.safe_dump(RUBRIC))
        self.content = {
            "name": "stream",
            "store": str(self.folder / "store"),
            "input": {"uri": str(self.folder / "traces")},
            "engine": {"kind": "scripted"},
            "scorers": [
                {"use": "not_empty"},
                {"use": "judge_pointwise", "name": "quality", "rubric": str(self.folder / "tiny.yaml")},
            ],
            "online": {"poll_seconds": 0.05, "batch_traces": 10, "settle_seconds": 0, "compact_files": 1000},
        } | changed
        (self.folder / "traces").mkdir(exist_ok=True)
        self.config = OnlineConfig.model_validate(self.content)
        return self.config

    def write(self, name: str, traces: Sequence[dict[str, Any]], modified: float | None = None) -> Path:
        path = self.folder / "traces" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(trace) + "\n" for trace in traces))
        if modified is not None:
            os.utime(path, (modified, modified))
        return path

    def life(
        self,
        config: OnlineConfig,
        *,
        leased: bool = True,
        prepare_scoring: Callable[[InProcess], None] | None = None,
        looked: Callable[..., None] = lambda *_: None,
        committed: Callable[..., object] = lambda *_: None,
    ) -> tuple[Loop, State, InProcess]:
        prepared = prepare(config, job="online")
        stream, scoring = Stream.of(config, prepared), InProcess(prepared)
        if prepare_scoring:
            prepare_scoring(scoring)
        lease = Lease(stream.root, config.run_id, 1.0, self.said.append)
        if leased:
            assert lease.acquire(threading.Event())
        state = rebuild(stream.root)

        def noted(entry: Entry, after: State) -> None:
            self.entries.append(entry)
            committed(entry, after)

        events = Events(say=self.said.append, committed=noted, looked=looked)
        self.lease = lease
        return Loop(stream, lease, scoring, state, events), state, scoring

    def look(
        self, config: OnlineConfig, looks: int = 8, at: Mapping[int, Callable[[], None]] = MappingProxyType({})
    ) -> State:
        """A life that ends after so many looks at the input; ``at``: what is done after one of them."""
        stopped, count = threading.Event(), 0

        def looked(*_: Any) -> None:
            nonlocal count
            count += 1
            at.get(count, lambda: None)()
            if count >= looks:
                stopped.set()

        loop, state, _ = self.life(config, looked=looked)
        loop.run(stopped)
        self.lease.release()
        return state

    def follow(self, config: OnlineConfig, *actions: Callable[[], object]) -> State:
        """A life that ends with the first commit after the last of ``actions``, of which one is done a commit."""
        stopped = threading.Event()
        left: list[Callable[[], object]] = [*actions, stopped.set]
        loop, state, _ = self.life(config, committed=lambda *_: left.pop(0)() if left else None)
        guard = threading.Timer(60.0, stopped.set)
        guard.start()
        loop.run(stopped)
        guard.cancel()
        self.lease.release()
        assert not left, f"{len(left)} commits did not come within a minute"
        return state

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """``action`` beside the loop, after a while."""
        threading.Timer(seconds, action).start()

    def run_once(self, config: OnlineConfig, **given: Any) -> State:
        loop, state, _ = self.life(config, **given)
        try:
            loop.run(threading.Event(), once=True)
        finally:
            self.lease.release()
        return state

    def replay(self, config: OnlineConfig) -> State:
        """The dead letters once more, as ``judgefleet online --replay`` does it."""
        loop, state, _ = self.life(config)
        names = tuple(state.dead)
        loop.replay(to_replay(stream_root(config), open_location(config.store), names), names)
        self.lease.release()
        return state

    def rows(self, config: OnlineConfig) -> pd.DataFrame:
        """As plain pandas reads the store, with nothing of ours in between."""
        found = pd.read_parquet(config.store).astype({"date": str, "scorer": str})
        return found.sort_values("score_id").reset_index(drop=True)


def trace(number: int, **changed: Any) -> dict[str, Any]:
    return {
        "trace_id": f"t{number:05d}",
        "question": f"Question {number}?",
        "output": f"Answer {number}.",
        "variant": "AB"[number % 2],
        "started_at": f"2026-11-{20 + number % 3:02d}T10:00:00Z",
    } | changed


def failing_at(number: int, real: Callable[..., Any]) -> tuple[Callable[..., Any], list[int]]:
    """``real``, but that call ``number`` raises StoreError; and the numbers of the calls so far."""
    calls: list[int] = []

    def call(*given: Any, **named: Any) -> Any:
        calls.append(len(calls) + 1)
        if calls[-1] == number:
            raise StoreError("no answer for a moment")
        return real(*given, **named)

    return call, calls


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def configure(world: World) -> Callable[..., Any]:
    """A stream whose late spans have their trace scored again, at once."""
    online = {"settle_seconds": 0, "poll_seconds": 0.05, "late": "supersede"}
    return lambda **changed: world.configure(**{"scorers": [{"use": "not_empty"}], "online": online} | changed)


@pytest.fixture(scope="session")
def new_world() -> Callable[[Path], World]:
    return World


@pytest.fixture(scope="session")
def traces() -> Callable[..., dict[str, Any]]:
    return trace
