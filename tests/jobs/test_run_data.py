"""A run read from its store batch by batch gives the figures and the traces of the tables it was written from."""

import json
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from jobs import parted, run_data
from jobs.axis_rows import gather
from jobs.run_data import RunData
from jobs.sampled import trace_codes
from jobs.summarise import axes_of, summarise
from jobs.worst import Worst
from judgefleet import pieces
from judgefleet.errors import ConfigError
from judgefleet.statistics import weighted_mean_ci
from judgefleet.storage import open_location
from judgefleet.store import score_batches, write_scores

build = runpy.run_path(str(Path(__file__).with_name("example_run.py")))["build"]


@pytest.fixture
def run() -> Any:
    return build()


@pytest.fixture
def data(tmp_path: Path, run: Any) -> RunData:
    """The run as a store of several files."""
    for start in range(0, run.scores.num_rows, 40):
        write_scores(open_location(tmp_path), run.scores.slice(start, 40))
    folder = tmp_path / "_samples" / "run-7f3a"
    folder.mkdir(parents=True)
    pq.write_table(run.samples, folder / "chunk-000000.parquet")
    facts = {"run_id": "run-7f3a", "fingerprints": sorted(set(run.scores["fingerprint"].to_pylist()))}
    return RunData(store=str(tmp_path), facts=facts)


def comparable(found: Any) -> Any:
    """Figures rounded, since sums may be added up in another order."""
    if isinstance(found, float):
        return pytest.approx(found, abs=1e-9)
    if isinstance(found, dict):
        return {key: comparable(value) for key, value in found.items()}
    return [comparable(v) for v in found] if isinstance(found, list) else found


@pytest.mark.parametrize(("rows", "traces"), [(10, 65_536), (65_536, 3), (10, 20)])
def test_figures_are_those_of_the_tables(
    run: Any, data: RunData, rows: int, traces: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = summarise(run.scores, run.samples, data.facts)
    monkeypatch.setattr(pieces, "_ROWS", rows)
    monkeypatch.setattr(parted, "_TRACES_A_PART", traces)
    found, wanted = (json.loads(summary.to_json())["axes"] for summary in (data.summary, whole))
    assert found == comparable(wanted)
    assert data.summary.traces == whole.traces == len(set(run.samples["trace_id"].to_pylist()))


def test_parts_do_not_tear_conversations(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against the interval of all rows at once; what parts would make of torn conversations is another one."""
    names = {name: f"c{n % 9}" for n, name in enumerate(sorted(set(run.scores["trace_id"].to_pylist())))}
    told = pa.array([names[name] for name in run.scores["trace_id"].to_pylist()])
    scores = run.scores.set_column(run.scores.schema.get_field_index("conversation_id"), "conversation_id", told)
    scores = scores.take(np.random.default_rng(1).permutation(len(scores)))
    monkeypatch.setattr(parted, "_TRACES_A_PART", 3)
    compared = 0
    for axis in summarise(scores, run.samples, run.facts).axes:
        mine = scores.filter((pc.field("axis") == axis.axis) & (pc.field("fingerprint") == axis.fingerprint))
        for arm in axis.arms if not (axis.pairwise or axis.rate) else ():
            rows = [row for row in mine.to_pylist() if row["variant"] == arm.variant and row["status"] == "ok"]
            values, chances, clusters = zip(
                *((row["value"], row["inclusion_probability"], row["conversation_id"]) for row in rows), strict=True
            )
            wanted = weighted_mean_ci(values, 1 / np.array(chances), clusters)
            assert arm.mean is not None
            assert (arm.mean.low, arm.mean.high) == pytest.approx((wanted.low, wanted.high), rel=1e-9)
            compared += 1
    assert compared >= 4


def test_rows_written_twice_are_counted_once(run: Any, data: RunData) -> None:
    write_scores(open_location(data.store), run.scores.slice(0, 7))
    whole = summarise(run.scores, run.samples, data.facts)
    assert [a.total for a in data.summary.axes] == [a.total for a in whole.axes]
    assert len(data.shown()[0]) == run.scores.num_rows


def test_rows_read_before_a_file_was_merged_are_not_counted_twice(
    run: Any, data: RunData, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store lists a file that is gone when it is to be read, after others have been read: all are read again."""
    whole, failures = summarise(run.scores, run.samples, data.facts), iter([1])
    read = score_batches

    def gone(*given: Any) -> Iterator[pa.Table]:
        for rows in read(*given):
            yield rows
            for _ in failures:
                raise ConfigError("gone") from FileNotFoundError()

    monkeypatch.setattr(pieces, "_ROWS", 10)
    monkeypatch.setattr(run_data, "score_batches", gone)
    assert [a.total for a in data.summary.axes] == [a.total for a in whole.axes]
    assert next(failures, None) is None


def test_rows_of_traces_that_were_not_sampled_are_left_out(run: Any, data: RunData) -> None:
    folder = Path(data.store) / "_samples" / "run-7f3a"
    pq.write_table(run.samples.slice(0, 10), folder / "chunk-000000.parquet")
    assert data.summary.traces == 10
    assert set(data.shown()[0]["trace_id"].to_pylist()) <= set(run.samples["trace_id"].slice(0, 10).to_pylist())


def test_of_many_traces_the_worst_are_shown_with_all_answers_to_their_questions(
    run: Any, data: RunData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_data, "_CANDIDATES", 12)
    monkeypatch.setattr(run_data, "_WORST", 3)
    scores, samples = data.shown()
    shown = samples["trace_id"].to_pylist()
    assert 3 <= len(shown) <= 12
    worst = data._read[1]
    names = samples.filter(pa.array(np.isin(trace_codes(samples), worst)))
    assert len(names) == len(worst) == 3
    flipped = {r["trace_id"] for r in run.rows if r["order_consistent"] is False}
    assert set(names["trace_id"].to_pylist()) <= flipped
    items = [dict(a)["judgefleet.item_id"] for a in samples["attributes"].to_pylist()]
    assert len(items) > len(set(items))
    assert set(scores["trace_id"].to_pylist()) == set(shown)


@pytest.mark.parametrize("parts", [1, 9])
def test_without_flips_the_lowest_scored_come_first(run: Any, tmp_path: Path, parts: int) -> None:
    scores = run.scores.filter(pc.is_null(run.scores["pair_id"]))
    worst, means = Worst(5), dict[int, list[float]]()
    found = gather([scores], tmp_path, parts)
    scales = {axis.key: axis.scale for axis in axes_of(found, {}, worst)}
    rows = zip(trace_codes(scores).tolist(), scores.to_pylist(), strict=True)
    for code, row in ((code, row) for code, row in rows if row["value"] is not None):
        low, high = scales[row["scorer"], row["axis"], row["fingerprint"]]
        means.setdefault(code, []).append((row["value"] - low) / (high - low))
    lowest = sorted(means, key=lambda code: (np.mean(means[code]), code))[:5]
    assert worst.traces.tolist() == lowest


def test_a_run_of_nothing_shows_nothing(tmp_path: Path) -> None:
    write_scores(open_location(tmp_path), build().scores)
    empty = RunData(store=str(tmp_path), facts={"run_id": "none", "fingerprints": []})
    assert (empty.summary.axes, empty.summary.traces) == ((), 0)
    assert [table.num_rows for table in empty.shown()] == [0, 0]
