"""One bucket gives one sample: whatever its objects are called, in whatever order and parts its spans came."""

import json
import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from jobs.config import BatchConfig
from jobs.intake import INTAKE_SCHEMA, Intake, listed
from jobs.judging import samples_of
from jobs.online.clock import Clock
from jobs.online.config import OnlineConfig
from jobs.online.state import State
from jobs.online.stream import Stream
from jobs.plan import make_plan
from jobs.prepare import prepare
from judgefleet.sample import Sample
from judgefleet.storage import list_objects, open_location, read_table
from judgefleet.trace import trace_row

TRACES, BEGAN = 60, 1_763_000_000
SCORERS = [{"use": "not_empty"}]
STRATA = [{"name": "b", "where": {"variant": "B"}, "rate": 0.7}]
PLAIN = {"salt": "x", "strata": STRATA, "default_rate": 0.3}
WHOLE = PLAIN | {"default_floor": {"traces": 3, "per": "hour"}, "cap": {"max_traces": 45}}
# By trace: what it says, its stratum, and the probability with which it was drawn.
Drawn: TypeAlias = dict[str, tuple[Any, ...]]


def span(trace: int, number: int, **attributes: str) -> dict[str, Any]:
    """Span 0 is the root, 1 a retrieval, 2 the answer. A trace begins every six minutes."""
    at = (BEGAN + 360 * trace) * 10**9 + number
    given = attributes | {
        "gen_ai.conversation.id": f"c{trace // 3}",
        "feature_flag.result.variant": "AB"[trace // 3 % 2],
    }
    return {
        "traceId": f"{trace + 1:032x}",
        "spanId": f"{trace * 10 + number + 1:016x}",
        **({"parentSpanId": f"{trace * 10 + 1:016x}"} if number else {}),
        "name": "step",
        "startTimeUnixNano": str(at),
        "endTimeUnixNano": str(at + 1000),
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in given.items()],
    }


def said(role: str, text: str) -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])


def spans_of(trace: int) -> list[dict[str, Any]]:
    found = json.dumps([{"id": "d", "content": f"Context {trace}"}])
    return [
        span(trace, 0),
        span(trace, 1, **{"gen_ai.operation.name": "retrieval", "gen_ai.retrieval.documents": found}),
        span(
            trace,
            2,
            **{
                "gen_ai.operation.name": "chat",
                "gen_ai.input.messages": said("user", f"Question {trace}"),
                "gen_ai.output.messages": said("assistant", f"Answer {trace}"),
            },
        ),
    ]


def write(folder: Path, objects: Sequence[Sequence[dict[str, Any]]]) -> str:
    """Objects in their order, a second apart."""
    folder.mkdir()
    for number, spans in enumerate(objects):
        path = folder / f"part-{number:02d}.json"
        path.write_text(json.dumps({"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": list(spans)}]}]}))
        os.utime(path, (BEGAN + number, BEGAN + number))
    return str(folder)


def whole() -> list[list[dict[str, Any]]]:
    return [[s for t in range(n, TRACES, 5) for s in spans_of(t)] for n in range(5)]


def mixed(seed: int) -> list[list[dict[str, Any]]]:
    """The same objects in another order, and their spans too."""
    objects, order = whole(), random.Random(seed)
    for spans in objects:
        order.shuffle(spans)
    order.shuffle(objects)
    return objects


def split(seed: int) -> list[list[dict[str, Any]]]:
    """Spans of one trace in several of seven objects."""
    spans = [s for t in range(TRACES) for s in spans_of(t)]
    random.Random(seed).shuffle(spans)
    return [spans[n::7] for n in range(7)]


def summed(samples: Sequence[Sample]) -> Drawn:
    found = {}
    for sample in samples:
        content = {name: value for name, value in trace_row(sample.trace).items() if name != "source_uri"}
        found[sample.trace.trace_id] = (sample.stratum, sample.inclusion_probability, sample.plan_hash, content)
    assert len(found) == len(samples)
    return found


def batch(uri: str, sampling: dict[str, Any], store: Path) -> Drawn:
    """As a batch run reads and plans, in this process."""
    content = {"name": "t", "store": str(store), "input": {"uri": uri}, "sampling": sampling, "scorers": SCORERS}
    config = BatchConfig.model_validate(content)
    intake = Intake(config=config, group_by=None)
    read = pa.concat_tables(intake(pa.Table.from_pylist(listed(list_objects(uri)))))
    joined = pa.Table.from_pylist(list(intake.joined(ds.dataset(read))), schema=INTAKE_SCHEMA)
    staged = ds.dataset(pa.concat_tables([read, joined]))
    place = open_location(store)
    plan = make_plan(staged, place, "run", 16, config.sampling if intake.weigh else None)
    return summed([s for chunk in plan.chunks for s in samples_of(read_table(place.child(chunk.path)))])


def online(uri: str, sampling: dict[str, Any], store: Path, **settings: Any) -> Drawn:
    """What the loop would score, batch by batch."""
    content = {"name": "t", "store": str(store), "input": {"uri": uri}, "sampling": sampling, "scorers": SCORERS}
    config = OnlineConfig.model_validate(content | {"online": {"batch_traces": 7} | settings})
    feed, cutter = Stream.of(config, prepare(config, job="online")).reading(State(), Clock(threads=1))
    feed.refresh()
    samples: list[Sample] = []
    while not (cut := cutter.cut(1.0, last=True)).empty:
        assert not cut.rejects
        samples += cut.samples
    return summed(samples)


Layout: TypeAlias = Callable[[int], list[list[dict[str, Any]]]]


@pytest.mark.parametrize("sampling", [PLAIN, WHOLE], ids=["plain", "floor and cap"])
@pytest.mark.parametrize("layout", [mixed, split])
def test_batch(tmp_path: Path, layout: Layout, sampling: dict[str, Any]) -> None:
    expected = batch(write(tmp_path / "whole", whole()), sampling, tmp_path / "store")
    assert 20 < len(expected) < 45
    assert len({drawn[1] for drawn in expected.values()}) >= 2
    for seed in (1, 2):
        uri = write(tmp_path / f"again-{seed}", layout(seed))
        assert batch(uri, sampling, tmp_path / f"store-{seed}") == expected


@pytest.mark.parametrize("order", ["oldest_first", "newest_first"])
@pytest.mark.parametrize("layout", [mixed, split])
def test_online(tmp_path: Path, layout: Layout, order: str) -> None:
    """All within the time in which a trace settles; and what the loop draws, a batch run would draw too."""
    expected = batch(write(tmp_path / "whole", whole()), PLAIN, tmp_path / "store")
    for seed in (1, 2):
        uri = write(tmp_path / f"again-{seed}", layout(seed))
        found = online(uri, PLAIN, tmp_path / f"store-{seed}", settle_seconds=30, order=order)
        assert found == expected
