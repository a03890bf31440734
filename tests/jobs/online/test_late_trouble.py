"""Late spans where something goes wrong around them: the dead, the damaged, vanished files, other days and runs."""

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

import jobs.online.loop as loop_module
from jobs.online.log import Log
from jobs.online.publish import publish
from jobs.online.stream import stream_root
from jobs.online.versions import Versions
from judgefleet.store import read_scores
from judgefleet.stored_samples import read_samples
from tests.jobs.online.conftest import failing_at
from tests.jobs.online.test_joining import span, trace_spans, write
from tests.jobs.online.test_late import BEGAN, contexts, early, everything, late_context
from tests.jobs.online.test_loop import Killed

World = Any
FIRST = f"{1:032x}"
_DAY = 86_400 * 10**9


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_module, "_LONGEST_PAUSE", 0.05)


def later_answer() -> dict[str, Any]:
    """Another chat span that ends later: it is the one that answers."""
    told = span(0, 9, **{"gen_ai.operation.name": "chat"} | content())
    return told | {"endTimeUnixNano": str(int(told["endTimeUnixNano"]) + 10**9)}


def content() -> dict[str, str]:
    said = [{"role": "assistant", "parts": [{"type": "text", "content": "Other answer"}]}]
    asked = [{"role": "user", "parts": [{"type": "text", "content": "Question 0"}]}]
    return {"gen_ai.input.messages": json.dumps(asked), "gen_ai.output.messages": json.dumps(said)}


def current(config: Any) -> list[dict[str, Any]]:
    return [row for row in read_scores(config.store).to_pylist() if row["trace_id"] == FIRST]


def outputs(config: Any) -> list[str]:
    return [str(o) for o in read_samples(config.store, config.run_id, trace_ids=[FIRST])["output"].to_pylist()]


def kill(scoring: Any) -> None:
    scoring.kills.add(FIRST)


def test_rows_that_could_not_be_published_are_published_later(
    world: World, configure: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configure()
    once, _ = failing_at(1, publish)
    monkeypatch.setattr(loop_module, "publish", once)
    early(world)
    state = world.run_once(config)
    assert len(read_scores(config.store)) == state.counts["sampled"] == 3
    assert len(world.entries) == state.number


@pytest.mark.parametrize("order", ["together", "log first", "span first"])
def test_parts_that_say_something_only_together(world: World, configure: Any, order: str) -> None:
    config = configure()
    early(world)
    world.look(config, 8)
    bare = later_answer() | {"attributes": span(0, 9, **{"gen_ai.operation.name": "chat"})["attributes"]}
    parts = [lambda at: write(world, "late.json", [bare], at), lambda at: write_log(world, bare["spanId"], at)]
    for number, part in enumerate(parts if order == "span first" else reversed(parts)):
        part(BEGAN + 200 + 100 * number)
        if order != "together":
            world.look(config, 8)
    state = world.run_once(config)
    assert state.counts["superseded"] == 1
    assert outputs(config) == ["Other answer"]


def write_log(world: World, span_id: str, at: float) -> None:
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in content().items()]
    record = {
        "traceId": FIRST,
        "spanId": span_id,
        "timeUnixNano": str(int(BEGAN) * 10**9),
        "eventName": "gen_ai.client.inference.operation.details",
        "attributes": attributes,
    }
    path = world.folder / "traces" / "log.json"
    path.write_text(json.dumps({"resourceLogs": [{"resource": {}, "scopeLogs": [{"logRecords": [record]}]}]}))
    os.utime(path, (at, at))


def test_a_newer_version_that_is_dead_leaves_row_and_sample_and_is_not_replayed(world: World, configure: Any) -> None:
    config = configure()
    early(world)
    world.look(config, 8)
    write(world, "late.json", [later_answer()], BEGAN + 200)
    state = world.run_once(config, prepare_scoring=kill)
    assert state.counts["dead"] == 1
    assert outputs(config) == ["Answer 0"]
    assert world.replay(config).dead == {}
    assert len(current(config)) == 1
    assert outputs(config) == ["Answer 0"]


@pytest.mark.parametrize("first", ["replay", "late"])
def test_a_first_version_that_is_dead(world: World, configure: Any, first: str) -> None:
    config = configure()
    early(world)
    world.run_once(config, prepare_scoring=kill)
    if first == "replay":
        world.replay(config)
        assert outputs(config) == ["Answer 0"]
    write(world, "late.json", [later_answer()], BEGAN + 200)
    world.run_once(config)
    assert world.replay(config).dead == {}
    assert [row["supersedes"] is not None for row in current(config)] == [first == "replay"]
    assert outputs(config) == ["Other answer"]


def test_a_trace_that_moves_to_another_day_and_back(world: World, configure: Any) -> None:
    config = configure()
    early(world)
    world.look(config, 8)
    root = trace_spans(0)[0]
    for number, days in enumerate((-1, 0)):
        moved = {name: str(int(root[name]) + days * _DAY) for name in ("startTimeUnixNano", "endTimeUnixNano")}
        newer = {"attributes": span(0, 0, note=str(number))["attributes"] * (number + 1)}
        write(world, f"late-{number}.json", [root | moved | newer], BEGAN + 200 + number * 100)
        world.look(config, 8)
    late_context(world, at=500.0)
    state = world.look(config, 8)
    rows = everything(config).query(f"trace_id == '{FIRST}'")
    assert len(rows) == state.counts["superseded"] + 1
    assert rows.score_id.is_unique
    assert len(current(config)) == 1


def test_versions_that_somebody_deleted(world: World, configure: Any) -> None:
    config = configure()
    early(world)

    def gone() -> None:
        for file in Path(stream_root(config).path, "versions").iterdir():
            file.unlink()
        late_context(world)
        write(world, "new.json", trace_spans(50), BEGAN + 300)

    state = world.look(config, 20, {6: gone})
    assert {k: v for k, v in state.counts.items() if v} == {"sampled": 4, "late": 1}


def test_a_damaged_span_does_not_keep_the_others_out(world: World, configure: Any) -> None:
    config = configure()
    early(world)
    world.look(config, 8)
    write(world, "late.json", [trace_spans(0)[2], span(0, 7) | {"startTimeUnixNano": "soon"}], BEGAN + 200)
    state = world.look(config, 8)
    assert (state.counts["late"], state.counts["superseded"]) == (2, 1)
    assert contexts(config) == [["Context 0"]]


def test_another_run_leaves_the_samples_of_the_first(world: World, configure: Any) -> None:
    config = configure()
    early(world)
    world.look(config, 8)
    other = configure(scorers=[{"use": "not_empty"}, {"use": "contains", "all_of": ["Answer"]}])
    late_context(world)
    world.look(other, 8)
    assert contexts(config) == [[]]
    assert contexts(other) == [["Context 0"]]


def test_what_a_killed_process_left_is_deleted(world: World, configure: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    config = configure()
    early(world)

    def die(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Log, "append", die)
        loop, _, _ = world.life(config)
        with pytest.raises(Killed):
            loop.run(threading.Event(), once=True)
    world.lease.release()
    world.run_once(config)
    Versions(root := stream_root(config))
    named = {entry.versions for entry in Log(root).after(0)} - {None}
    assert {f"versions/{path.name}" for path in Path(root.path, "versions").iterdir()} == named
