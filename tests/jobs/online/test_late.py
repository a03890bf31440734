"""Spans that come after their trace was scored: listed, or the trace is scored again in rows that name the old ones."""

import threading
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from jobs.online.stream import Stream
from jobs.online.versions import Versions
from jobs.prepare import prepare
from judgefleet.errors import ConfigError
from judgefleet.pieces import is_one_of
from judgefleet.store import read_scores, score_batches
from judgefleet.stored_samples import read_samples
from tests.jobs.online.conftest import failing_at
from tests.jobs.online.test_joining import span, trace_spans, write
from tests.jobs.online.test_loop import Killed

World = Any
BEGAN = 1_763_000_000.0


def late_context(world: World, trace: int = 0, at: float = 200.0) -> None:
    write(world, f"late-{trace}-{at}.json", trace_spans(trace)[2:], BEGAN + at)


def early(world: World, traces: int = 2) -> None:
    """Without their contexts."""
    for trace in range(traces):
        write(world, f"early-{trace}.json", trace_spans(trace)[:2], BEGAN + trace)
    write(world, "more.json", trace_spans(90), BEGAN + 100)


def everything(config: Any) -> pd.DataFrame:
    return pd.read_parquet(config.store).astype({"date": str, "scorer": str})


def contexts(config: Any, trace: int = 0) -> list[list[str]]:
    table = read_samples(config.store, config.run_id, trace_ids=[f"{trace + 1:032x}"])
    return [list(found) for found in table["contexts"].to_pylist()]


def test_the_new_row_names_the_old_one_and_readers_see_the_new_alone(world: World, configure: Any) -> None:
    config = configure()
    early(world)
    state = world.look(config, 14, {6: lambda: late_context(world)})
    assert {k: v for k, v in state.counts.items() if v} == {"sampled": 3, "late": 1, "superseded": 1}
    [old, new] = [
        everything(config).query(f"trace_id == '{1:032x}' and supersedes.{how}()").to_dict("records")[0]
        for how in ("isna", "notna")
    ]
    assert new["supersedes"] == old["score_id"] != new["score_id"]
    assert new["inclusion_probability"] == old["inclusion_probability"]
    current = read_scores(config.store).to_pylist()
    assert len(current) == 3
    assert [row["score_id"] for row in current if row["trace_id"] == f"{1:032x}"] == [new["score_id"]]
    [batch] = score_batches(config.store, ["score_id"], is_one_of("fingerprint", [new["fingerprint"]]))
    assert set(batch["score_id"].to_pylist()) == {row["score_id"] for row in current}
    assert contexts(config) == [["Context 0"]]
    assert read_samples(config.store, config.run_id).num_rows == 3


def test_again_and_again_and_through_a_restart(world: World, configure: Any) -> None:
    config = configure()
    early(world)
    world.look(config, 8)
    late_context(world)
    world.look(config, 8)
    more = dict(trace_spans(0)[2], spanId=f"{77:016x}")
    write(world, "later.json", [more], BEGAN + 300)
    world.look(config, 8)
    assert contexts(config) == [["Context 0", "Context 0"]]
    rows = everything(config).query(f"trace_id == '{1:032x}'")
    assert len(rows) == 3
    assert set(rows.supersedes.dropna()) < set(rows.score_id)
    assert rows.supersedes.nunique() == 2
    assert len(read_scores(config.store)) == 3


def test_what_was_not_drawn_or_says_nothing_new_is_only_listed(world: World, configure: Any) -> None:
    config = configure(sampling={"strata": [{"name": "no", "where": {"attributes.kind": "no"}, "rate": 0.0}]})
    early(world)
    undrawn = [span(0, 0, kind="no"), *trace_spans(0)[1:2]]
    write(world, "early-0.json", undrawn, BEGAN)

    def arrive() -> None:
        late_context(world, 0)
        write(world, "again.json", trace_spans(1)[:2], BEGAN + 200)
        write(world, "damaged.json", [dict(trace_spans(90)[2], spanId="x")], BEGAN + 200)

    state = world.look(config, 14, {6: arrive})
    assert {k: v for k, v in state.counts.items() if v} == {"sampled": 2, "not_sampled": 1, "late": 4}
    assert everything(config).supersedes.isna().all()


def test_all_at_once_to_the_end(world: World, configure: Any) -> None:
    config = configure()
    early(world)
    late_context(world)
    state = world.run_once(config)
    assert state.counts["superseded"] == 1
    assert contexts(config) == [["Context 0"]]


@pytest.mark.parametrize("step", range(1, 8))
def test_killed_at_any_write_the_rows_are_the_same(
    world: World, configure: Any, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configure()
    early(world)
    world.look(config, 8)
    late_context(world)
    loop, _, _ = world.life(config)
    with monkeypatch.context() as patch:
        killed_at(patch, step)
        with pytest.raises(Killed):
            loop.run(threading.Event(), once=True)
    world.lease.release()
    state = world.run_once(config)
    assert state.counts["late"] == state.counts["superseded"] == 1
    rows = everything(config).query(f"trace_id == '{1:032x}'")
    assert len(rows) == 2
    assert contexts(config) == [["Context 0"]]
    assert len(read_scores(config.store)) == 3


def killed_at(patch: pytest.MonkeyPatch, step: int) -> None:
    """The process ends at its write number ``step``, in whatever place it is."""
    import judgefleet.storage as storage

    count, real = 0, storage._write

    def write_or_die(*given: Any) -> None:
        nonlocal count
        count += threading.current_thread() is threading.main_thread()
        if count >= step:
            raise Killed
        real(*given)

    patch.setattr(storage, "_write", write_or_die)


def test_only_so_many_versions_are_kept(world: World, configure: Any) -> None:
    config = configure()
    early(world)
    world.look(config, 8)
    root = Stream.of(config, prepare(config, job="online")).root
    versions = Versions(root, most_traces=1)
    assert f"{1:032x}" in versions
    kept = sorted(Path(root.path, "versions").iterdir())
    versions.trim()
    assert f"{1:032x}" not in versions
    assert len(sorted(Path(root.path, "versions").iterdir())) < len(kept)


def test_a_version_that_cannot_be_read_now_is_read_later(
    world: World, configure: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configure()
    find, calls = failing_at(1, Versions.find)
    monkeypatch.setattr(Versions, "find", find)
    early(world)
    late_context(world)
    assert world.run_once(config).counts["superseded"] == 1
    assert len(calls) == 2


def test_where_rows_are_about_several_traces_the_setting_is_refused(world: World) -> None:
    pairwise = {
        "use": "judge_pairwise",
        "name": "better",
        "rubric": "support_preference",
        "variants": ["A", "B"],
    }
    config = world.configure(scorers=[pairwise], online={"late": "supersede"})
    with pytest.raises(ConfigError, match=r"online.late: supersede .* take late: list"):
        Stream.of(config, prepare(config, job="online"))
