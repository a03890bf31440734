"""The score store: plain Parquet for everyone, whole files only, no row twice."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pytest

from judgefleet import pieces
from judgefleet.errors import ConfigError, StoreError
from judgefleet.sample import Sample, samples_to_table
from judgefleet.score import SCORE_SCHEMA, Outcome, RunContext, Status, failure, score_row
from judgefleet.scorer import ScorerInfo, ScorerKind
from judgefleet.storage import open_location, write_table_atomic
from judgefleet.store import (
    committed_rows,
    read_scores,
    score_batches,
    score_files,
    score_ids,
    scorers_in,
    write_scores,
)
from judgefleet.stored_samples import read_samples
from judgefleet.trace import Trace
from judgefleet.upkeep import drop_duplicates, keep_rows

DAY_1, DAY_2 = datetime(2026, 11, 20, 23, 59, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)


def sample(trace_id: str, started_at: datetime | None = DAY_1) -> Sample:
    trace = Trace(trace_id=trace_id, started_at=started_at, variant="A", attributes={"k": "v"})
    return Sample(trace=trace, stratum="s", inclusion_probability=0.5, plan_hash="p")


def table(samples: Iterable[Sample], scorer: str = "regex", run: str = "run-1") -> pa.Table:
    info = ScorerInfo(name=scorer, version="1", kind=ScorerKind.CODE, axes=("match",))
    context = RunContext(run_id=run, job="batch", scored_at=DAY_2)
    outcomes = {"bad": failure(Status.ENGINE_ERROR, "boom")}
    rows = [score_row(context, s, info, "match", outcomes.get(s.trace.trace_id, Outcome(value=1.0))) for s in samples]
    return pa.Table.from_pylist(rows, schema=SCORE_SCHEMA)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    store = open_location(tmp_path)
    write_scores(store, table([sample("t1"), sample("bad"), sample("t2", DAY_2), sample("t3", None)]))
    write_scores(store, table([sample("t1")], scorer="cosine"))
    write_table_atomic(store, "_samples/run-1/chunk-000000.parquet", samples_to_table([sample("t1")]))
    return tmp_path


def test_plain_pandas_sees_every_column_and_no_other_table(folder: Path) -> None:
    for path in (folder, folder / "scores"):
        frame = pd.read_parquet(path)
        assert set(frame.columns) == {*SCORE_SCHEMA.names, "date"}
        assert len(frame) == 5
    assert frame[frame.status != "ok"].value.isna().all()
    assert sorted(frame.date.unique()) == ["2026-11-20", "2026-11-21", "undated"]


def test_duckdb_reads_it_too(folder: Path) -> None:
    query = (
        f"select scorer, count(*) from read_parquet('{folder}/scores/**/*.parquet', hive_partitioning=true) group by 1"
    )
    assert dict(duckdb.connect().execute(query).fetchall()) == {"regex": 4, "cosine": 1}


def test_our_own_reader_gives_the_schema(folder: Path) -> None:
    scores = read_scores(str(folder))
    assert scores.schema.names == SCORE_SCHEMA.names
    assert scores.num_rows == 5
    assert set(scores["scorer"].to_pylist()) == {"regex", "cosine"}
    assert read_scores(str(folder), ["value"]).num_rows == 5


def test_the_same_rows_twice_are_one_file(folder: Path) -> None:
    before = score_files(open_location(folder))
    write_scores(open_location(folder), table([sample("t1")], scorer="cosine"))
    assert score_files(open_location(folder)) == before


def test_copies_in_other_files_are_read_once_and_removed(folder: Path) -> None:
    store = open_location(folder)
    write_scores(store, table([sample("t1"), sample("t9")], run="run-2"))
    assert (len(score_ids(store)), score_ids(store).copies) == (6, 1)
    assert read_scores(str(folder)).num_rows == 6
    assert drop_duplicates(store) == 1
    assert (len(score_ids(store)), score_ids(store).copies) == (6, 0)
    assert drop_duplicates(store) == 0
    assert sorted(read_scores(str(folder))["trace_id"].to_pylist()) == ["bad", "t1", "t1", "t2", "t3", "t9"]


def test_what_is_left_of_a_file_never_takes_the_name_of_another(tmp_path: Path) -> None:
    store = open_location(tmp_path)
    for rows in (["t1"], ["t1", "t2"], ["t2"], ["t2", "t3"], ["t3"]):
        write_scores(store, table([sample(name) for name in rows]))
    assert drop_duplicates(store) == 4
    assert sorted(read_scores(str(tmp_path))["trace_id"].to_pylist()) == ["t1", "t2", "t3"]
    assert len(score_ids(store)) == 3


def test_rows_can_be_taken_out_and_the_others_stay(folder: Path) -> None:
    store = open_location(folder)
    assert keep_rows(store, lambda rows: pc.not_equal(rows["status"], "engine_error")) == 1
    assert sorted(read_scores(str(folder))["trace_id"].to_pylist()) == ["t1", "t1", "t2", "t3"]
    assert keep_rows(store, lambda rows: pc.equal(rows["trace_id"], "t1")) == 2
    assert {p.parent.name for p in (folder / "scores").rglob("*.parquet")} == {"scorer=regex", "scorer=cosine"}


def test_a_file_that_is_no_score_file_is_passed_over_and_a_damaged_one_named(folder: Path) -> None:
    (folder / "scores" / "notes.txt").write_text("mine")
    assert read_scores(str(folder)).num_rows == 5
    next((folder / "scores").rglob("*.parquet")).write_bytes(b"PAR1 cut")
    with pytest.raises(StoreError, match="damaged or foreign"):
        read_scores(str(folder))


def test_progress_reads_only_what_is_new(folder: Path) -> None:
    store = open_location(folder)
    known = dict(committed_rows(store, {}))
    assert sum(known.values()) == 5
    write_scores(store, table([sample("t9")]))
    assert [rows for _, rows in committed_rows(store, known)] == [1]


def test_samples_of_a_run(folder: Path) -> None:
    assert read_samples(str(folder), "run-1")["trace_id"].to_pylist() == ["t1"]
    assert read_samples(str(folder), "other").num_rows == 0


def test_a_store_that_is_new_is_empty(tmp_path: Path) -> None:
    assert len(score_ids(open_location(tmp_path))) == 0
    assert read_scores(str(tmp_path)).num_rows == 0


@pytest.mark.parametrize(("files", "rows"), [(1, 65_536), (2, 1), (256, 2)])
def test_however_it_is_cut_into_pieces_it_is_one_table(
    folder: Path, monkeypatch: pytest.MonkeyPatch, files: int, rows: int
) -> None:
    store = open_location(folder)
    before, samples = read_scores(str(folder)), read_samples(str(folder), "run-1")
    monkeypatch.setattr(pieces, "_FILES", files)
    monkeypatch.setattr(pieces, "_ROWS", rows)
    assert read_scores(str(folder)).to_pylist() == before.to_pylist()
    assert read_samples(str(folder), "run-1").to_pylist() == samples.to_pylist()
    assert (len(score_ids(store)), score_ids(store).copies) == (5, 0)
    tables = list(score_batches(str(folder), ["score_id"], ds.field("fingerprint").is_valid()))
    assert sorted(i for t in tables for i in t["score_id"].to_pylist()) == sorted(before["score_id"].to_pylist())
    assert all(len(t) for t in tables)


def test_an_id_that_none_of_ours_has_is_said_to_be_foreign(folder: Path) -> None:
    rows = table([sample("t1")])
    write_scores(open_location(folder), rows.set_column(0, rows.schema.field(0), pa.array(["short"])))
    assert rows.schema.names[0] == "score_id"
    with pytest.raises(StoreError, match="damaged or foreign"):
        score_ids(open_location(folder))


def test_of_copies_the_first_stays_and_rows_keep_their_order() -> None:
    keys = [str(i % 700) for i in range(1000)]
    found = pa.concat_tables([pa.table({"key": keys[at : at + 50]}) for at in range(0, 1000, 50)])
    for _ in range(20):
        assert pieces.one_of_each(found, "key", "min")["key"].to_pylist() == keys[:700]


def test_a_store_that_is_not_there_is_said(tmp_path: Path) -> None:
    for read in (read_scores, scorers_in):
        with pytest.raises(ConfigError, match="no score store"):
            read(str(tmp_path / "gone"))
