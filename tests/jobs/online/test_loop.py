"""The loop without a cluster: every sampled trace once, whatever happens between two steps."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import jobs.online.loop as loop_module
from jobs.online.lease import LeaseLostError
from jobs.online.log import Log
from jobs.online.state import rebuild
from jobs.online.stream import stream_root
from judgefleet.errors import StoreError
from judgefleet.store import read_scores

World = Any
ROWS_A_TRACE = 2


class Killed(BaseException):
    """What no handler catches, as SIGKILL."""


def fill(world: World, traces: Callable[..., dict[str, Any]], objects: int = 6, each: int = 7) -> int:
    for number in range(objects):
        found = [traces(i) for i in range(number * each, (number + 1) * each)]
        world.write(f"part-{number}.jsonl", found, modified=1_700_000_000.0 + number)
    return objects * each


def same(left: pd.DataFrame, right: pd.DataFrame) -> bool:
    columns = ["score_id", "trace_id", "scorer", "axis", "status", "value", "inclusion_probability", "date"]
    return left[columns].equals(right[columns])


def test_every_sampled_trace_has_one_row_per_scorer(world: World, traces: Callable[..., dict[str, Any]]) -> None:
    count = fill(world, traces)
    config = world.configure()
    state = world.run_once(config)
    rows = world.rows(config)
    assert len(rows) == count * ROWS_A_TRACE
    assert rows.score_id.is_unique
    assert set(rows.job) == {"online"}
    assert state.counts["sampled"] == count
    assert state.number == len(world.entries) > 1
    assert sorted(key.split("|")[0] for e in world.entries for key in e.objects) == [
        f"part-{i}.jsonl" for i in range(6)
    ]


def test_a_second_life_does_nothing_again_and_sees_what_is_new(
    world: World, traces: Callable[..., dict[str, Any]]
) -> None:
    count = fill(world, traces)
    config = world.configure()
    first = world.run_once(config)
    again = world.run_once(config)
    assert again.number == first.number
    # Older by its time than all that was read: a late arrival is found all the same.
    world.write("late.jsonl", [traces(900)], modified=1_600_000_000.0)
    world.write("copy.jsonl", [traces(3), traces(901)])
    third = world.run_once(config)
    assert third.counts["duplicate"] == 1
    assert len(world.rows(config)) == (count + 2) * ROWS_A_TRACE
    assert world.rows(config).score_id.is_unique


def test_what_a_filter_leaves_out_is_counted_and_not_scored(
    world: World, traces: Callable[..., dict[str, Any]]
) -> None:
    config = world.configure(sampling={"filters": {"include": [{"variant": "A"}], "require": ["contexts"]}})
    world.write("a.jsonl", [traces(n, contexts=["policy"] if n < 6 else []) for n in range(20)])
    state = world.run_once(config)
    assert state.counts == {"sampled": 3, "filtered": 10, "incomplete": 7}
    assert set(world.rows(config).trace_id) == {"t00000", "t00002", "t00004"}


def test_rates_give_the_probability_on_the_row(world: World, traces: Callable[..., dict[str, Any]]) -> None:
    count = fill(world, traces)
    config = world.configure(sampling={"default_rate": 0.5})
    state = world.run_once(config)
    rows = world.rows(config)
    assert 0 < state.counts["sampled"] < count
    assert state.counts["sampled"] + state.counts["not_sampled"] == count
    assert set(rows.inclusion_probability) == {0.5}
    assert rows.trace_id.nunique() == state.counts["sampled"]


STEPS = ["stage", "publish", "compact", "write_checkpoint", "forget_staged", "append", "after_append"]
TIDY_OFTEN = {
    "poll_seconds": 0.05,
    "batch_traces": 10,
    "settle_seconds": 0,
    "compact_files": 2,
    "checkpoint_every": 2,
}


@pytest.fixture(scope="module")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory, new_world: Callable[[Path], World], traces: Callable[..., dict[str, Any]]
) -> World:
    """What a run leaves that nothing happened to."""
    found = new_world(tmp_path_factory.mktemp("undisturbed"))
    fill(found, traces, objects=10)
    found.run_once(found.configure(online=TIDY_OFTEN))
    return found


def killing(original: Callable[..., Any], at: int, *, after: bool = False) -> Callable[..., Any]:
    """``original``, and the end of the process before, or after, it did what it does for the ``at``-th time."""
    calls = 0

    def call(*given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        result = original(*given, **named) if after or calls != at else None
        if calls == at:
            raise Killed
        return result

    return call


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("at", [1, 2])
def test_killed_between_any_two_steps_the_store_is_the_same(
    world: World,
    undisturbed: World,
    traces: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    at: int,
) -> None:
    fill(world, traces, objects=10)
    config = world.configure(online=TIDY_OFTEN)
    with monkeypatch.context() as patch:
        if "append" in step:
            patch.setattr(Log, "append", killing(Log.append, at, after=step == "after_append"))
        else:
            patch.setattr(loop_module, step, killing(getattr(loop_module, step), at))
        with pytest.raises(Killed):
            world.run_once(config)
    world.run_once(config)
    assert same(world.rows(config), undisturbed.rows(undisturbed.config))
    assert rebuild(stream_root(config)).counts == rebuild(stream_root(undisturbed.config)).counts


@pytest.mark.parametrize("step", ["stage", "publish", "compact"])
def test_a_store_that_does_not_answer_for_a_while_is_waited_for(
    world: World, traces: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    count = fill(world, traces)
    settings = {"poll_seconds": 0.05, "batch_traces": 10, "settle_seconds": 0, "compact_files": 2}
    config = world.configure(online=settings)
    original, calls = getattr(loop_module, step), 0

    def failing(*given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls in (1, 3):
            raise StoreError("the disk is full")
        return original(*given, **named)

    monkeypatch.setattr(loop_module, step, failing)
    world.run_once(config)
    assert len(world.rows(config)) == count * ROWS_A_TRACE
    assert "the disk is full; trying again until it works" in world.said


def test_two_loops_without_a_lease_never_write_a_row_twice(world: World, traces: Callable[..., dict[str, Any]]) -> None:
    count = fill(world, traces, objects=12)
    config = world.configure()
    lives = [world.life(config, leased=False)[0] for _ in range(2)]
    ended: list[BaseException | None] = []

    def run(loop: Any) -> None:
        try:
            loop.run(threading.Event(), once=True)
            ended.append(None)
        except LeaseLostError as error:
            ended.append(error)

    threads = [threading.Thread(target=run, args=(loop,)) for loop in lives]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert any(isinstance(error, LeaseLostError) for error in ended)
    world.run_once(config)
    assert len(world.rows(config)) == count * ROWS_A_TRACE
    assert world.rows(config).score_id.is_unique


def test_a_changed_judge_goes_on_with_what_is_new(world: World, traces: Callable[..., dict[str, Any]]) -> None:
    fill(world, traces, objects=2)
    before = world.configure()
    world.run_once(before)
    world.write("new.jsonl", [traces(500)])
    after = world.configure(engine={"kind": "scripted", "max_model_len": 1024})
    world.run_once(after)
    rows = world.rows(after)
    judged = rows[rows.scorer_kind == "LLM"]
    assert before.run_id != after.run_id
    assert judged.groupby("run_id").fingerprint.nunique().eq(1).all()
    assert judged.groupby("run_id").trace_id.nunique().to_dict() == {before.run_id: 14, after.run_id: 1}


def test_what_kills_its_worker_is_a_dead_letter_and_can_be_replayed(
    world: World, traces: Callable[..., dict[str, Any]]
) -> None:
    count = fill(world, traces)
    config = world.configure()
    state = world.run_once(config, prepare_scoring=lambda scoring: scoring.kills.add("t00012"))
    assert state.counts["dead"] == 1
    assert "t00012" not in set(world.rows(config).trace_id)
    assert len(world.rows(config)) == (count - 1) * ROWS_A_TRACE

    from jobs.online.dead_letters import dead_rows

    state = rebuild(stream_root(config))
    [letter] = dead_rows(stream_root(config), tuple(state.dead))
    assert (letter["trace_id"], letter["reason"], letter["tries"]) == ("t00012", "the worker died", 3)
    assert world.replay(config).dead == {}
    assert len(world.rows(config)) == count * ROWS_A_TRACE


def test_compaction_leaves_one_file_and_readers_see_every_row_all_the_time(
    world: World, traces: Callable[..., dict[str, Any]]
) -> None:
    from jobs.online.compact import compact
    from judgefleet.storage import open_location
    from judgefleet.store import score_files

    count = fill(world, traces)
    config = world.configure()
    world.run_once(config)
    store, before = open_location(config.store), world.rows(config)
    assert len(score_files(store)) > len(before.groupby(["date", "scorer"]))
    seen: list[int] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.append(read_scores(config.store, ["score_id"]).num_rows)

    reader = threading.Thread(target=read)
    reader.start()
    compact(store, 2)
    done.set()
    reader.join()
    assert set(seen) == {count * ROWS_A_TRACE}
    assert len(score_files(store)) == len(before.groupby(["date", "scorer"]))
    assert same(world.rows(config), before)
