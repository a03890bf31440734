"""Whose gates and trends a store has: also where rows, which others may have written, leave out who judged."""

import runpy
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from jobs.gates import gates_of
from jobs.trends import Options, trends_of
from judgefleet.storage import open_location
from judgefleet.store import write_scores

build = runpy.run_path(str(Path(__file__).with_name("example_run.py")))["build"]


@pytest.fixture
def store(tmp_path: Path) -> str:
    """The example's rows, none of which says a fingerprint."""
    scores = build().scores
    at = scores.schema.get_field_index("fingerprint")
    write_scores(open_location(tmp_path), scores.set_column(at, "fingerprint", pa.nulls(len(scores), pa.string())))
    return str(tmp_path)


def test_rows_without_a_fingerprint_have_a_gate_and_trends(store: str) -> None:
    now = datetime(2027, 1, 1, tzinfo=UTC)
    gates = gates_of(store, now)
    assert len(gates) == len({(gate.scorer, gate.axis) for gate in gates}) > 1
    assert {gate.fingerprint for gate in gates} == {""}
    found = trends_of(store, Options(), now)
    assert [(gate.scorer, gate.axis) for gate in found.gates] == [(gate.scorer, gate.axis) for gate in gates]
    assert all(trend.points for trend in found.trends)
