"""Spans of one trace in several objects: a batch has the same traces and the same sample, however they are split."""

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from jobs.config import load_batch_config
from jobs.intake import INTAKE_SCHEMA, Intake
from jobs.joined import write_joined
from jobs.plan import Plan, make_plan, staged_dataset
from judgefleet.storage import open_location, write_table_atomic
from tests.judgefleet.dialect_spans import ANSWERED, FOUND, spans_of

Planned = tuple[Plan, pd.DataFrame]
Spans = list[dict[str, Any]]


@pytest.fixture
def plan(tmp_path: Path, make_config: Callable[..., Path]) -> Callable[..., Planned]:
    """What is sampled of objects with these spans."""

    def planned(objects: Sequence[Spans], name: str, **config: Any) -> Planned:
        intake = Intake(config=load_batch_config(make_config(**config)), group_by=None)
        folder = open_location(tmp_path / name)
        for number, spans in enumerate(objects):
            uri = tmp_path / f"{name}-{number}.json"
            uri.write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}))
            objects_table = [{"uri": str(uri), "place": f"{number:09d}", "size": uri.stat().st_size}]
            for part, table in enumerate(intake(pa.Table.from_pylist(objects_table))):
                write_table_atomic(folder, f"{number}-{part}.parquet", table)
        write_joined(intake.joined(staged_dataset(folder)), INTAKE_SCHEMA, folder)
        store = tmp_path / f"store-{name}"
        made = make_plan(staged_dataset(folder), open_location(store), "run", 8)
        found = ds.dataset([str(store / chunk.path) for chunk in made.chunks]).to_table().to_pandas()
        return made, found.drop(columns="source_uri").sort_values("trace_id", ignore_index=True)

    return planned


def test_the_same_sample_in_any_order_and_split(plan: Callable[..., Planned]) -> None:
    draw = random.Random(0)
    traces = [spans_of(number) for number in range(21)]
    sampling = {"sampling": {"default_rate": 0.6}}
    whole, expected = plan([[span for spans in traces for span in spans]], "whole", **sampling)
    scattered: list[Spans] = [[] for _ in range(5)]
    for span in (span for spans in traces for span in spans):
        draw.choice(scattered).append(span)
        if draw.random() < 0.1:  # a retried export
            draw.choice(scattered).append(span)
    for spans in scattered:
        draw.shuffle(spans)
    made, found = plan(scattered, "scattered", **sampling)
    assert (made.counts, made.rejects) == (whole.counts, 0)
    pd.testing.assert_frame_equal(found, expected)
    assert 4 < len(found) < 18


def test_a_span_that_cannot_be_read_spoils_its_trace_everywhere(plan: Callable[..., Planned]) -> None:
    bad = spans_of(0)
    bad[1]["spanId"] = "?"
    made, found = plan([bad[:2], bad[2:], spans_of(1)], "spoilt")
    assert made.counts == {"rejected": 1, "sampled": 1}
    assert found.trace_id.tolist() == [f"{2:032x}"]


def test_parts_of_a_trace_that_are_none_together_are_one_reject(plan: Callable[..., Planned]) -> None:
    made, _ = plan([spans_of(3)[:1], spans_of(3)[1:2], spans_of(2)], "lacking")
    assert made.counts == {"rejected": 1, "sampled": 1}


def test_of_two_versions_of_a_span_the_later_is_read(plan: Callable[..., Planned]) -> None:
    started, finished = spans_of(0), spans_of(0)
    del started[3]["attributes"][-4:], started[3]["endTimeUnixNano"]
    for number, objects in enumerate(([started, finished], [finished, started])):
        _, found = plan(objects, f"versions-{number}")
        assert found.output.tolist() == [ANSWERED]


def test_a_run_judges_traces_that_lie_in_two_objects(
    tmp_path: Path, make_config: Callable[..., Path], run: Callable[..., CompletedProcess[str]]
) -> None:
    folder = tmp_path / "traces"
    folder.mkdir()
    traces = [spans_of(number) for number in range(14)]
    for number, part in enumerate((slice(0, 2), slice(2, 4))):
        spans = [span for found in traces for span in found[part]]
        (folder / f"{number}.json").write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}))
    done = run("batch", str(make_config()))
    assert done.returncode == 0, done.stderr
    rows = pd.read_parquet(tmp_path / "store")
    assert rows.trace_id.nunique() == 14
    assert "traces: 14 sampled" in done.stderr
    samples = ds.dataset(str(tmp_path / "store/_samples"), format="parquet").to_table().to_pylist()
    assert {tuple(sample["contexts"]) for sample in samples} == {(FOUND,)}
