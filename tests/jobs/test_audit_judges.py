"""Which judges of a store an audit is about, and what is offered to be labelled."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from calibration.audit import AuditInfo, AuditItem
from jobs.audit_offered import Wanted, offered
from jobs.audit_run import judges_of
from judgefleet.errors import ConfigError
from judgefleet.sample import Sample
from judgefleet.score import SCORE_SCHEMA, Outcome, RunContext, Status, failure, score_row
from judgefleet.scorer import ScorerInfo, ScorerKind
from judgefleet.storage import open_location
from judgefleet.store import write_scores
from judgefleet.trace import Trace

START = datetime(2026, 3, 2, tzinfo=UTC)
ANY = {"scorer": None, "axis": None}


def score(store: Path, scorer: str, axis: str, *traces: str, run: str = "r1", **more: Any) -> None:
    """Rows of an LLM judge in a file of their own."""
    info = ScorerInfo(name=scorer, version=more.get("version", "1"), kind=ScorerKind.LLM, axes=(axis,))
    context = RunContext(run_id=run, job="batch", scored_at=START + timedelta(hours=more.get("hour", 0)))
    rows = [
        score_row(
            context,
            Sample(trace=Trace(trace_id=t, variant="A"), stratum="all", inclusion_probability=1.0, plan_hash="p"),
            info,
            axis,
            more.get("outcome", Outcome(value=1.0, label="yes")),
        )
        for t in traces
    ]
    write_scores(open_location(store), pa.Table.from_pylist(rows, schema=SCORE_SCHEMA))


def asked(store: Path, **chosen: str | None) -> list[str]:
    info = AuditInfo(audit_id="a", kind="rating", labels=["no", "yes"])
    items = {"x": AuditItem(item_id="x", trace_ids=("t1",))}
    return [f"{run.judge}/{run.prompt}" for run in judges_of(str(store), info, items, ANY | chosen, earlier=True)]


def test_the_judge_with_rows_about_the_items_is_taken_and_of_two_one_must_be_named(tmp_path: Path) -> None:
    score(tmp_path, "rubric", "accuracy", "t1", "t2")
    score(tmp_path, "other", "tone", "t3")
    assert asked(tmp_path) == ["rubric/accuracy"]
    score(tmp_path, "other", "tone", "t1", run="r2")
    with pytest.raises(ConfigError, match="one of other/tone, rubric/accuracy: say which"):
        asked(tmp_path)
    assert asked(tmp_path, scorer="other") == ["other/tone"]


def test_a_wrong_name_is_told_with_those_that_the_scorer_has(tmp_path: Path) -> None:
    score(tmp_path, "rubric", "accuracy", "t1")
    score(tmp_path, "other", "tone", "t1")
    with pytest.raises(ConfigError, match=r"found no axis 'tone' in .* it has: accuracy"):
        asked(tmp_path, scorer="rubric", axis="tone")
    with pytest.raises(ConfigError, match=r"found no scorer 'rubic' in .* it has: other, rubric"):
        asked(tmp_path, scorer="rubic")
    with pytest.raises(ConfigError, match=r"found no rubric/tone in .* it has: other/tone, rubric/accuracy"):
        offered(str(tmp_path), Wanted(scorer="rubric", axis="tone", by=None, cut=None))


def test_what_the_newest_judge_gave_a_value_is_offered(tmp_path: Path) -> None:
    score(tmp_path, "rubric", "accuracy", "t1", "t2", "t3")
    score(tmp_path, "rubric", "accuracy", "t1", "t2", run="r2", version="2", hour=1)
    lost = failure(Status.TIMEOUT, "no answer in time")
    score(tmp_path, "rubric", "accuracy", "t3", run="r3", version="2", hour=1, outcome=lost)
    judge, offers = offered(str(tmp_path), Wanted(scorer="rubric", axis="accuracy", by="variant", cut=None))
    assert [(o.candidate.key, o.candidate.stratum, o.kind) for o in offers] == [
        (t, "yes/A", "rating") for t in ("t1", "t2")
    ]
    assert judge.axis == "accuracy"


def test_of_copies_that_differ_the_one_that_stands_is_offered(tmp_path: Path) -> None:
    score(tmp_path, "rubric", "accuracy", "t1")
    score(tmp_path, "rubric", "accuracy", "t1", run="r0", outcome=failure(Status.TIMEOUT, "no answer in time"))
    with pytest.raises(ConfigError, match="has a value; nothing can be drawn"):
        offered(str(tmp_path), Wanted(scorer="rubric", axis="accuracy", by=None, cut=None))
