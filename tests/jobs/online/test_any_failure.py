"""Late spans at any time, and a loop that is killed or whose store fails at any call: the store comes out the same."""

import json
import random
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from jobs.online import compact, cut, feed, late, log, loop, publish, state, versions
from jobs.online.lease import LeaseLostError
from jobs.online.scored import Scored
from judgefleet.errors import JudgefleetError, StoreError
from judgefleet.store import read_scores
from judgefleet.stored_samples import read_samples
from tests.jobs.online.test_joining import trace_spans, write
from tests.jobs.online.test_late import BEGAN, everything
from tests.jobs.online.test_loop import Killed

World = Any
TRACES = 5
# Where the loop reads or writes, by the name under which it calls it.
CALLS = (
    (late, "scores_of"),
    (versions, "read_table"),
    (versions, "folder_entries"),
    (publish, "read_table"),
    (publish, "write_scores"),
    (publish, "write_table_atomic"),
    (cut, "read_parts"),
    (Scored, "_read"),
    (compact, "merge_files"),
    (log, "create_exclusive"),
    (log, "read_bytes"),
    (feed, "list_objects"),
    (loop, "write_checkpoint"),
    (loop, "forget_staged"),
    (state, "write_table_atomic"),
)


@dataclass
class Traffic:
    """Traces without their contexts, which come span by span. ``came``: the contexts of each trace, in the end."""

    world: World
    rng: random.Random
    at: float = BEGAN
    left: list[dict[str, Any]] = field(default_factory=list)
    came: dict[str, list[str]] = field(default_factory=dict)

    def begin(self) -> None:
        for trace in range(TRACES):
            self._put(f"first-{trace}.json", trace_spans(trace)[:2])
            texts = [f"C{trace}-{number}" for number in range(self.rng.randrange(4))]
            self.came[f"{trace + 1:032x}"] = texts
            for number, text in enumerate(texts):
                told = json.loads(json.dumps(trace_spans(trace)[2]).replace(f"Context {trace}", text))
                self.left.append(told | {"spanId": f"{1000 + trace * 10 + number:016x}"})
        self.rng.shuffle(self.left)

    def go_on(self) -> None:
        """Some of what is left."""
        some = self.rng.randrange(1, 4)
        if self.left:
            self._put(f"late-{len(self.left)}.json", self.left[:some])
            del self.left[:some]

    def _put(self, name: str, spans: list[dict[str, Any]]) -> None:
        self.at += self.rng.choice([0, 1, 2, 50])
        write(self.world, name, spans, self.at)


def make_fail(patch: pytest.MonkeyPatch, rng: random.Random, error: float, kill: float) -> None:
    """Each call of CALLS fails with some chance, or ends the process, before what it does or after it."""

    def draw(when: str) -> None:
        chance = rng.random() if threading.current_thread() is threading.main_thread() else 1.0
        if chance < kill:
            raise Killed
        if chance < kill + error:
            raise StoreError(when)

    def risky(real: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            draw(f"before {name}")
            done = real(*given, **named)
            draw(f"after {name}")
            return done

        return call

    for owner, name in CALLS:
        patch.setattr(owner, name, risky(getattr(owner, name), name))


@pytest.mark.parametrize("seed", range(12))
def test_whatever_fails_each_trace_counts_once_and_with_all_that_came(
    world: World, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    rng = random.Random(seed)
    monkeypatch.setattr(loop, "_LONGEST_PAUSE", 0.002)
    online = {
        "late": "supersede",
        "poll_seconds": 0.01,
        "settle_seconds": rng.choice([0, 3]),
        "batch_traces": rng.choice([1, 2, 5]),
        "in_flight": rng.choice([1, 2, 3]),
        "compact_files": rng.choice([2, 1000]),
        "checkpoint_every": rng.choice([1, 3, 200]),
    }
    config = world.configure(scorers=[{"use": "not_empty"}], online=online)
    traffic = Traffic(world, rng)
    traffic.begin()
    error, kill = rng.choice([(0.0, 0.03), (0.05, 0.0), (0.04, 0.02)])
    for life in range(40):
        if not traffic.left and life > 5:
            break
        with monkeypatch.context() as patch:
            one_life(world, config, traffic, partial(make_fail, patch, rng, error, kill))
        traffic.go_on()
    world.run_once(config)
    ended = world.run_once(config)
    rows = everything(config)
    assert rows.score_id.is_unique
    assert len(rows) == TRACES + ended.counts["superseded"]
    assert rows.inclusion_probability.eq(1).all()
    assert sorted(read_scores(config.store)["trace_id"].to_pylist()) == sorted(traffic.came)
    assert (ended.counts["sampled"], ended.opened) == (TRACES, {})
    samples = read_samples(config.store, config.run_id).to_pylist()
    assert sorted(traffic.came) == sorted(row["trace_id"] for row in samples)
    assert all(sorted(row["contexts"]) == traffic.came[row["trace_id"]] for row in samples)


def one_life(world: World, config: Any, traffic: Traffic, begin_to_fail: Callable[[], None]) -> None:
    """Of some looks at the input, with late spans between them, until it ends in whatever way."""
    stopped, left = threading.Event(), traffic.rng.randrange(1, 30)

    def looked(*_: Any) -> None:
        nonlocal left
        left -= 1
        if traffic.rng.random() < 0.2:
            traffic.go_on()
        if left <= 0:
            stopped.set()

    running, _, _ = world.life(config, looked=looked)
    begin_to_fail()
    with suppress(Killed, LeaseLostError, JudgefleetError):
        running.run(stopped, once=traffic.rng.random() < 0.3)
    world.lease.release()
