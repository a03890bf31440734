"""Spans of one trace in several objects: the same traces in whatever order and however split, each decided once."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from jobs.online.log import Entry

World = Any
SCORERS = [{"use": "not_empty"}]


def span(trace: int, number: int, **attributes: Any) -> dict[str, Any]:
    """Span 0 is the root, 1 the answer, 2 a retrieval."""
    return {
        "traceId": f"{trace + 1:032x}",
        "spanId": f"{trace * 10 + number + 1:016x}",
        **({"parentSpanId": f"{trace * 10 + 1:016x}"} if number else {}),
        "name": "step",
        "startTimeUnixNano": str((1_763_000_000 + trace) * 10**9 + number),
        "endTimeUnixNano": str((1_763_000_000 + trace) * 10**9 + number + 1000),
        "attributes": [{"key": k, "value": {"stringValue": v}} for k, v in attributes.items()],
    }


def trace_spans(trace: int) -> list[dict[str, Any]]:
    said = [{"role": "assistant", "parts": [{"type": "text", "content": f"Answer {trace}"}]}]
    asked = [{"role": "user", "parts": [{"type": "text", "content": f"Question {trace}"}]}]
    answer = {
        "gen_ai.operation.name": "chat",
        "gen_ai.input.messages": json.dumps(asked),
        "gen_ai.output.messages": json.dumps(said),
    }
    found = {
        "gen_ai.operation.name": "retrieval",
        "gen_ai.retrieval.documents": json.dumps([{"id": "d", "content": f"Context {trace}"}]),
    }
    return [span(trace, 0), span(trace, 1, **answer), span(trace, 2, **found)]


def otlp(spans: list[dict[str, Any]]) -> str:
    return json.dumps({"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": spans}]}]})


def write(world: World, name: str, spans: list[dict[str, Any]], at: float) -> None:
    import os

    path = world.folder / "traces" / name
    path.write_text(otlp(spans))
    os.utime(path, (at, at))


def samples(world: World, config: Any) -> dict[str, tuple[Any, ...]]:
    import pandas as pd

    found = pd.read_parquet(f"{config.store}/_samples/{config.run_id}")
    return {
        row["trace_id"]: (row["messages"][-1]["content"], row["output"], tuple(row["contexts"]), row["span_id"])
        for row in found.to_dict("records")
    }


@pytest.mark.parametrize("order", ["oldest_first", "newest_first"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_however_the_spans_are_split_the_traces_are_the_same(world: World, order: str, seed: int) -> None:
    config = world.configure(
        scorers=SCORERS, online={"settle_seconds": 30, "batch_traces": 5, "poll_seconds": 0.05, "order": order}
    )
    shuffled = [s for t in range(20) for s in trace_spans(t)]
    random.Random(seed).shuffle(shuffled)
    for number in range(12):
        # All within the time in which a trace settles.
        write(world, f"part-{number:02d}.json", shuffled[number::12], 1_763_000_000.0 + number)
    world.run_once(config)
    assert samples(world, config) == {
        f"{t + 1:032x}": (f"Question {t}", f"Answer {t}", (f"Context {t}",), f"{t * 10 + 2:016x}") for t in range(20)
    }
    assert world.rows(config).score_id.is_unique


def cut(world: World, config: Any) -> list[Entry]:
    """A life of the loop that ends before anything more can settle; all entries so far."""
    world.look(config)
    return list(world.entries)


def test_a_trace_waits_for_its_spans_through_a_restart_and_objects_stay_open(world: World) -> None:
    config = world.configure(scorers=SCORERS, online={"settle_seconds": 600, "poll_seconds": 0.05})
    first, second = trace_spans(0), trace_spans(1)
    # Trace 1 is settled by the time of the last object, trace 0 is not.
    write(world, "a.json", [*first[:1], *second], 1_763_000_000.0)
    write(world, "b.json", first[1:2], 1_763_000_500.0)
    write(world, "c.json", trace_spans(2), 1_763_001_000.0)
    [entry] = cut(world, config)
    assert {name: count for name, count in entry.counts.items() if count} == {"sampled": 1}
    assert entry.objects == ()
    assert [(key.split("|")[0], ids) for key, ids in entry.opened.items()] == [("a.json", (f"{2:032x}",))]
    write(world, "d.json", first[2:], 1_763_001_050.0)
    assert len(cut(world, config)) == 1
    write(world, "e.json", trace_spans(3), 1_763_003_000.0)
    entries = cut(world, config)
    assert sum(entry.counts["sampled"] for entry in entries) == 3
    assert samples(world, config)[f"{1:032x}"][2] == ("Context 0",)
    assert world.rows(config).score_id.is_unique


def test_a_span_that_comes_after_its_trace_was_decided_is_late(world: World) -> None:
    config = world.configure(scorers=SCORERS, online={"settle_seconds": 5, "poll_seconds": 0.05})
    write(world, "a.json", trace_spans(0), 1_763_000_000.0)
    write(world, "b.json", trace_spans(1), 1_763_000_100.0)
    state = world.look(config, 12, {5: lambda: write(world, "c.json", [span(0, 5)], 1_763_000_200.0)})
    assert state.counts["late"] == 1
    assert len(world.rows(config)) == state.counts["sampled"] == 2


def test_a_trace_without_a_root_waits_longer_and_is_then_judged(world: World) -> None:
    config = world.configure(scorers=SCORERS, online={"settle_seconds": 10, "poll_seconds": 0.05})
    write(world, "a.json", trace_spans(0)[1:], 1_763_000_000.0)
    write(world, "b.json", trace_spans(1), 1_763_000_050.0)
    assert [dict(entry.counts) for entry in cut(world, config)] in ([], [{}])
    write(world, "c.json", trace_spans(2), 1_763_000_101.0)
    assert sum(entry.counts.get("sampled", 0) for entry in cut(world, config)) == 2
    assert f"{1:032x}" in samples(world, config)


def test_a_span_that_cannot_be_read_spoils_its_trace_wherever_the_rest_is(world: World) -> None:
    config = world.configure(scorers=SCORERS, online={"settle_seconds": 30, "poll_seconds": 0.05})
    broken = span(0, 1) | {"startTimeUnixNano": "soon"}
    write(world, "a.json", [broken, *trace_spans(1)], 1_763_000_000.0)
    write(world, "b.json", trace_spans(0), 1_763_000_001.0)
    state = world.run_once(config)
    assert (state.counts["sampled"], state.counts["rejected"]) == (1, 1)


def test_halves_of_a_pair_wait_for_each_other(world: World, traces: Callable[..., dict[str, Any]]) -> None:
    pair = {"use": "judge_pairwise", "name": "preference", "rubric": "support_preference", "variants": ["A", "B"]}
    config = world.configure(scorers=[pair], online={"group_seconds": 600, "settle_seconds": 0, "poll_seconds": 0.05})
    item = {"attributes": {"judgefleet.item_id": "q1"}, "contexts": ["A policy."], "question": "Why?"}
    world.write("a.jsonl", [traces(0, **item)], modified=1_763_000_000.0)
    assert [entry for entry in cut(world, config) if entry.counts] == []
    world.write("b.jsonl", [traces(1, **item)], modified=1_763_000_100.0)
    cut(world, config)
    rows = world.rows(config)
    assert sorted(rows.trace_id) == ["t00000", "t00001"]
    assert set(rows.status) == {"ok"}, set(rows.reason)
    assert rows.value.sum() == pytest.approx(1.0, abs=1e-5)
