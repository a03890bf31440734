"""Intake and plan: what was read, what was decided, copies, chunks that keep together what belongs together."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from jobs import database
from jobs import plan as plan_module
from jobs.config import load_batch_config
from jobs.intake import INTAKE_SCHEMA, Intake, listed
from jobs.plan import Plan, clear_old_chunks, make_plan, staged_dataset
from judgefleet.storage import list_objects, open_location

WriteTraces = Callable[..., Path]
MakeConfig = Callable[..., Path]


@pytest.fixture
def plan(tmp_path: Path, write_traces: WriteTraces, make_config: MakeConfig) -> Callable[..., Plan]:
    def planned(extra: list[str] | None = None, size: int = 4, items: int = 12, **config: object) -> Plan:
        folder = write_traces(items, extra)
        loaded = load_batch_config(make_config(**config))
        objects = pa.Table.from_pylist(listed(list_objects(folder)))
        rows = list(Intake(config=loaded, group_by="judgefleet.item_id")(objects))
        return make_plan(ds.dataset(pa.concat_tables(rows)), open_location(tmp_path / "store"), "run", size)

    return planned


def rejects(tmp_path: Path) -> list[dict[str, str]]:
    found: list[dict[str, str]] = pq.read_table(tmp_path / "store/_runs/run/rejects.parquet").to_pylist()
    return found


def chunk(tmp_path: Path, plan: Plan, number: int) -> pa.Table:
    return pq.read_table(tmp_path / "store" / plan.chunks[number].path, partitioning=None)


def test_both_answers_to_a_question_are_in_one_chunk(tmp_path: Path, plan: Callable[..., Plan]) -> None:
    made = plan(size=3)
    items = [
        {dict(a)["judgefleet.item_id"] for a in chunk(tmp_path, made, n)["attributes"].to_pylist()}
        for n in range(len(made.chunks))
    ]
    assert sum(c.samples for c in made.chunks) == 24
    assert sum(map(len, items)) == 12
    assert {c.samples for c in made.chunks} <= {2, 4}


def test_the_order_of_objects_does_not_change_the_chunks(
    tmp_path: Path, plan: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = [chunk(tmp_path, made, n) for made in [plan()] for n in range(len(made.chunks))]
    (tmp_path / "traces" / "part-0.jsonl").rename(tmp_path / "traces" / "part-9.jsonl")
    objects = pa.Table.from_pylist(listed(list_objects(tmp_path / "traces")))
    config = load_batch_config(tmp_path / "config.yaml")
    rows = list(Intake(config=config, group_by="judgefleet.item_id")(objects))
    monkeypatch.setattr(database, "_ROWS", 1)
    again = make_plan(ds.dataset(pa.concat_tables(rows)), open_location(tmp_path / "store"), "run", 4)
    ids = [chunk(tmp_path, again, n)["trace_id"].to_pylist() for n in range(len(again.chunks))]
    assert ids == [table["trace_id"].to_pylist() for table in first]


@pytest.mark.parametrize("rows", [1, 10_000])
def test_a_copy_is_counted_and_another_content_is_a_reject(
    tmp_path: Path, plan: Callable[..., Plan], rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_ROWS", rows)
    plan()
    line = json.loads((tmp_path / "traces/part-0.jsonl").read_text().splitlines()[0])
    made = plan(extra=[json.dumps(line), json.dumps(line | {"output": "Something else."})])
    assert made.counts["duplicate"] == 2
    assert made.counts["sampled"] == 24
    [reject] = rejects(tmp_path)
    assert "other content" in reject["reason"]
    assert reject["trace_id"] == line["trace_id"]


def test_what_cannot_be_read_is_listed_with_its_place(tmp_path: Path, plan: Callable[..., Plan]) -> None:
    made = plan(extra=['{"question": "Why?", "output": 7', '{"output": "an answer to nothing"}'])
    assert made.rejects == made.counts["rejected"] == 2
    assert made.counts["sampled"] == 24
    assert [r["position"] for r in rejects(tmp_path)] == ["line 1", "line 2"]
    assert all(r["reason"] and r["source_uri"].endswith("extra.jsonl") for r in rejects(tmp_path))


def test_every_trace_is_sampled_or_counted(plan: Callable[..., Plan]) -> None:
    strata = [{"name": "b", "where": {"variant": "B"}, "rate": 0.5}]
    made = plan(items=40, sampling={"salt": "x", "strata": strata, "default_rate": 1.0})
    assert made.counts["sampled"] + made.counts["not_sampled"] == 80
    assert 50 <= made.counts["sampled"] <= 70


def test_the_inclusion_probability_is_on_every_sample(tmp_path: Path, plan: Callable[..., Plan]) -> None:
    strata = [{"name": "b", "where": {"variant": "B"}, "rate": 0.5}]
    made = plan(items=40, sampling={"salt": "x", "strata": strata, "default_rate": 1.0})
    table = pa.concat_tables([chunk(tmp_path, made, n) for n in range(len(made.chunks))])
    by_variant = set(zip(table["variant"].to_pylist(), table["inclusion_probability"].to_pylist(), strict=True))
    assert by_variant == {("A", 1.0), ("B", 0.5)}


def test_fewer_chunks_than_before_leave_no_old_ones(tmp_path: Path, plan: Callable[..., Plan]) -> None:
    plan(size=2)
    made = plan(size=8)
    clear_old_chunks(open_location(tmp_path / "store"), "run", made)
    assert len(list((tmp_path / "store/_samples/run").glob("*.parquet"))) == len(made.chunks)


def test_an_object_that_vanished_since_it_was_listed_is_a_reject(
    tmp_path: Path, write_traces: WriteTraces, make_config: MakeConfig
) -> None:
    objects = list_objects(write_traces(12))
    Path(objects[1].uri.removeprefix("file://")).unlink()
    intake = Intake(config=load_batch_config(make_config()), group_by=None)
    rows = pa.concat_tables(intake(pa.Table.from_pylist(listed(objects))))
    made = make_plan(ds.dataset(rows), open_location(tmp_path / "store"), "run", 4)
    assert made.counts["sampled"] == 16
    assert f"{1:09d}-{0:09d}" in rows.filter(pc.equal(rows["decision"], "rejected"))["place"].to_pylist()
    [reject] = rejects(tmp_path)
    assert reject["source_uri"] == objects[1].uri
    assert reject["reason"] == "it was there when the input was listed, and is not any more"


def test_traces_that_are_larger_than_memory_together(
    tmp_path: Path, plan: Callable[..., Plan], make_config: MakeConfig
) -> None:
    plan(items=1)
    intake = Intake(config=load_batch_config(make_config()), group_by=None)
    objects = pa.Table.from_pylist(listed(list_objects(tmp_path / "traces"))).slice(0, 1)
    row = pa.concat_tables(intake(objects)).to_pylist()[0]
    folder = tmp_path / "staged"
    folder.mkdir()
    for part in range(70):
        rows = [
            row | {"trace_id": f"t{part}-{n}", "group_key": f"c:{n}-{part}", "place": f"{part:09d}-{n:09d}"}
            for n in range(10)
        ]
        table = pa.Table.from_pylist([r | {"output": os.urandom(500_000).hex()} for r in rows], schema=INTAKE_SCHEMA)
        pq.write_table(table, folder / f"{part}.parquet")
    made = make_plan(staged_dataset(open_location(folder)), open_location(tmp_path / "large"), "run", 16)
    assert (made.counts, len(made.chunks)) == ({"sampled": 700}, 44)
    assert pq.read_table(tmp_path / "large" / made.chunks[0].path, partitioning=None).num_rows == 16


@pytest.mark.parametrize("mib", [16, 48])
def test_more_traces_than_memory_holds_the_names_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mib: int) -> None:
    """With 48 MiB they are put in order in files; 16 are too few for anything, and more are taken."""
    traces = 400_000
    monkeypatch.setattr(plan_module, "_MEMORY", f"{mib}MiB")
    monkeypatch.setattr(database, "_DOUBLINGS", 3 * (mib < 48))
    names = [f"{n:032x}" for n in np.random.default_rng(1).permutation(traces)]
    known = {
        "trace_id": names,
        "group_key": [f"c:{name}" for name in names],
        "content_hash": names,
        "place": [f"{n // 10_000:09d}-{n:09d}" for n in range(traces)],
        "decision": ["sampled"] * traces,
    }
    empty = {f.name: pa.nulls(traces, f.type) if f.nullable else [""] * traces for f in INTAKE_SCHEMA}
    empty |= {"inclusion_probability": [1.0] * traces}
    staged = ds.dataset(pa.table(empty | known, schema=INTAKE_SCHEMA))
    made = make_plan(staged, open_location(tmp_path / "many"), "run", 100_000)
    assert made.counts == {"sampled": traces}
    first = pq.read_table(tmp_path / "many" / made.chunks[0].path, partitioning=None)["trace_id"].to_pylist()
    assert first == [f"{n:032x}" for n in range(100_000)]
