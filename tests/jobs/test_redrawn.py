"""Two draws into one store: the report goes by its own run's chances, and the store's rows by those of either."""

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from jobs.batch import _raise_chances
from jobs.config import BatchConfig
from jobs.intake import Intake, listed
from jobs.local import LocalSetup, score_local
from jobs.plan import Plan, make_plan
from jobs.prepare import Prepared, prepare
from jobs.redrawn import Redrawn
from jobs.remaining import load_chunk
from jobs.run_data import RunData
from jobs.sampled import Sampled
from judgefleet.store import read_scores, score_ids, write_scores

N = 400
Run = Callable[..., tuple[Prepared, Plan]]


def put(folder: Path, name: str, ids: range) -> None:
    """Half of the answers are empty, so the mean of ``not_empty`` is 0.5: A answers, B does not."""
    folder.mkdir(exist_ok=True)
    rows = [
        {"trace_id": f"t{i}", "variant": "AB"[i % 2], "started_at": "2026-11-20T10:00:00Z", "input": "q"}
        | {"output": "" if i % 2 else "yes"}
        for i in ids
    ]
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def score(**sampling: Any) -> tuple[Prepared, Plan]:
        content = {"name": "t", "store": str(tmp_path / "store"), "input": {"uri": str(tmp_path / "in")}}
        config = BatchConfig.model_validate(content | {"sampling": sampling, "scorers": [{"use": "not_empty"}]})
        prepared = prepare(config)
        intake = Intake(config=config, group_by=prepared.group_by)
        staged = ds.dataset(pa.concat_tables(intake(pa.Table.from_pylist(listed(prepared.objects)))))
        plan = make_plan(staged, prepared.store, config.run_id, 5000, config.sampling if intake.weigh else None)
        _raise_chances(prepared)
        done = score_ids(prepared.store)
        for chunk in plan.chunks:
            setup = LocalSetup(scorers=config.scorers, run_id=config.run_id, job="batch")
            rows = score_local(load_chunk(prepared.store, chunk), setup, done)
            if rows.num_rows:
                write_scores(prepared.store, rows)
        return prepared, plan

    return score


def weighted(prepared: Prepared) -> tuple[float, float]:
    """What the report of a run makes of it: the sum of the weights, and the mean."""
    facts = {"run_id": prepared.config.run_id, "fingerprints": [info.fingerprint for info in prepared.infos]}
    with TemporaryDirectory() as folder:
        [rows] = RunData(store=prepared.config.store, facts=facts).rows(Path(folder)).values()
        valued = [part.valued for part in rows.parts]
    values, weights = (np.concatenate([getattr(part, name) for part in valued]) for name in ("values", "weights"))
    return float(weights.sum()), float((values * weights).sum() / weights.sum())


def strata(rate: float, salt: int) -> dict[str, Any]:
    return {"salt": f"z{salt}", "strata": [{"name": "A", "where": {"variant": "A"}, "rate": rate}], "default_rate": 0.5}


@pytest.mark.parametrize(("first", "second"), [(0.5, 0.1), (0.1, 0.5)])
def test_a_rate_that_changes_between_two_runs(tmp_path: Path, run: Run, first: float, second: float) -> None:
    put(tmp_path / "in", "a.jsonl", range(N))
    run(**strata(first, 1))
    prepared, plan = run(**strata(second, 1))
    sums, mean = weighted(prepared)
    drawn = sum(chunk.samples for chunk in plan.chunks)
    samples = [s for chunk in plan.chunks for s in load_chunk(prepared.store, chunk)]
    expected = [1 / (second if s.trace.variant == "A" else 0.5) for s in samples]
    assert sums == pytest.approx(sum(expected))
    assert mean == pytest.approx(sum(w for s, w in zip(samples, expected, strict=True) if s.trace.output) / sums)
    rows = read_scores(prepared.config.store, ["variant", "inclusion_probability"]).to_pylist()
    # In the store are the traces that either run drew, which are those of the higher rate.
    assert {(row["variant"], row["inclusion_probability"]) for row in rows} == {("A", 0.5), ("B", 0.5)}
    assert len(rows) >= drawn


def test_a_cap_on_an_input_that_grows(tmp_path: Path, run: Run) -> None:
    put(tmp_path / "in", "a.jsonl", range(N))
    capped = {"default_rate": 1.0, "cap": {"max_traces": 150}}
    run(**capped)
    put(tmp_path / "in", "b.jsonl", range(N, 2 * N))
    prepared, plan = run(**capped)
    sums, _ = weighted(prepared)
    assert sums == pytest.approx(sum(chunk.samples for chunk in plan.chunks) / plan.factor)
    assert run(**capped)[1].factor == plan.factor
    chances = read_scores(prepared.config.store, ["inclusion_probability"])["inclusion_probability"].to_pylist()
    assert set(chances) == {plan.factor, max(chances)}


def test_pairs_have_the_chance_that_both_are_drawn() -> None:
    samples = pa.table(
        {
            "trace_id": ["a1", "b1", "a2", "b2", "c"],
            "span_id": [""] * 5,
            "inclusion_probability": [0.1, 0.5, 0.1, 0.5, 0.25],
            "unit_key": ["i1", "i1", "x", "y", ""],
            "variant": ["A", "B", "A", "B", None],
        }
    )
    rows = pa.table(
        {
            "trace_id": ["a1", "b1", "a2", "b2", "c", "z"],
            "span_id": [""] * 6,
            "other_trace_id": pa.array(["b1", "a1", "b2", "a2", None, None], pa.string()),
            "inclusion_probability": [1.0] * 6,
        }
    )
    drawn = Redrawn(Sampled.of([samples]))
    found = drawn.of(rows)
    assert found[:5].tolist() == pytest.approx([0.1, 0.1, 0.05, 0.05, 0.25])
    assert np.isnan(found[5])
    assert drawn.told(rows)["inclusion_probability"].to_pylist()[-1] == 1.0
