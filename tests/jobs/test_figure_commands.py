"""``judgefleet sessions`` and ``judgefleet pass-at-k`` on a small store whose figures can be worked out by hand."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner, Result

from jobs.cli import app
from judgefleet.errors import ConfigError
from judgefleet.sample import Sample
from judgefleet.score import SCORE_SCHEMA, Outcome, RunContext, Status, failure, score_row
from judgefleet.scorer import Direction, ScorerInfo, ScorerKind
from judgefleet.storage import open_location
from judgefleet.store import write_scores
from judgefleet.trace import Trace

START = datetime(2026, 11, 1, tzinfo=UTC)
COST = ScorerInfo(name="cost", version="1", kind=ScorerKind.CODE, axes=("cost",), direction=Direction.LOWER)
TESTS = ScorerInfo(name="code_tests", version="1", kind=ScorerKind.CODE, axes=("passed",))
OLD_TESTS = ScorerInfo(name="code_tests", version="0", kind=ScorerKind.CODE, axes=("passed",))
JUDGE = ScorerInfo(name="quality", version="1", kind=ScorerKind.LLM, axes=("help", "tone"))
# Conversation, variant, task, cost, passed: in the order in which they happened.
TRACES = [
    ("c1", "A", "t1", 0.01, 0.0),
    ("c1", "A", "t1", 0.02, 1.0),
    ("c2", "A", "t2", 0.03, 0.0),
    ("c3", "B", "t1", 0.04, 1.0),
    ("c3", "B", "t2", 0.05, 1.0),
    ("c4", "B", "t2", None, 1.0),
]


@pytest.fixture
def store(tmp_path: Path) -> str:
    rows = []
    for number, (conversation, variant, task, cost, passed) in enumerate(TRACES):
        trace = Trace(
            trace_id=f"{number:032x}",
            conversation_id=conversation,
            variant=variant,
            started_at=START + timedelta(minutes=number),
            attributes={"judgefleet.item_id": task},
        )
        sample = Sample(trace=trace, stratum="all", inclusion_probability=1.0, plan_hash="p")
        paid = failure(Status.NOT_APPLICABLE, "no cost") if cost is None else Outcome(value=cost)
        said = [(COST, "cost", paid, 1), (TESTS, "passed", Outcome(value=passed), 1)]
        said += [(OLD_TESTS, "passed", Outcome(value=0.0), 0)]
        said += [(JUDGE, axis, Outcome(value=1.0), 1) for axis in JUDGE.axes]
        for info, axis, outcome, hour in said:
            run = RunContext(run_id="r", job="batch", scored_at=START + timedelta(hours=hour))
            rows.append(score_row(run, sample, info, axis, outcome))
    write_scores(open_location(tmp_path), pa.Table.from_pylist(rows, schema=SCORE_SCHEMA))
    return str(tmp_path)


def called(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_a_successful_session_costs_what_all_cost_over_those_that_succeeded(store: str) -> None:
    found = called("sessions", store, "--success", "code_tests", "--json")
    assert found.exit_code == 0
    (figures,) = json.loads(found.stdout)["figures"].values()
    # c1 and c3 succeed by their last trace, c2 does not, c4 has no cost: (0.03 + 0.03 + 0.09) / 2.
    assert figures["estimate"]["value"] == pytest.approx(0.075)
    assert (figures["sessions"], figures["counted"], figures["successful"], figures["without_cost"]) == (4, 3, 2, 1)


def test_every_trace_may_be_asked_to_succeed_and_segments_stand_apart(store: str) -> None:
    found = called("sessions", store, "--success", "code_tests", "--rule", "every", "--by", "variant", "--json")
    figures = json.loads(found.stdout)["figures"]
    assert figures["A"]["estimate"]["value"] is None
    assert figures["B"]["estimate"]["value"] == pytest.approx(0.09)
    assert found.exit_code == 3
    shown = called("sessions", store, "--success", "code_tests", "--by", "variant").stdout
    assert "which scored last; passed over:" in shown
    assert [line.split()[:2] for line in shown.splitlines() if line.split()[0] in "AB"] == [
        ["A", "0.0600"],
        ["B", "0.0900"],
    ]


def test_pass_at_k_of_the_version_that_scored_last(store: str) -> None:
    found = called("pass-at-k", store, "--k", "1", "--k", "2", "--json")
    figures = json.loads(found.stdout)["figures"]
    # t1: 2 of 3 pass, t2: 2 of 3.
    assert figures["pass@1"]["mean"]["value"] == pytest.approx(2 / 3)
    assert figures["pass@2"]["mean"]["value"] == pytest.approx(1.0)
    assert "pass@2  1.000" in " ".join(called("pass-at-k", store, "--k", "2").stdout.split()).replace(
        " 1.000", "  1.000"
    )


def test_a_judge_that_has_not_earned_trust_decides_about_nothing(store: str) -> None:
    refused = called("sessions", store, "--success", "quality:help")
    assert refused.exit_code == 3
    assert "--untrusted shows it" in refused.stdout
    assert "0.0" not in refused.stdout
    assert json.loads(called("sessions", store, "--success", "quality:help", "--json").stdout)["figures"] == {}
    shown = called("sessions", store, "--success", "quality:help", "--untrusted")
    assert shown.exit_code == 0
    assert "UNTRUSTED" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sessions", "--success", "code_test"], "did you mean 'code_tests'?"),
        (["sessions", "--success", "quality"], "name one as quality:AXIS; allowed: help, tone"),
        (["sessions", "--success", "quality:hlp"], "did you mean 'help'?"),
        (["sessions", "--success", "code_tests", "--rule", "first"], "allowed: last, every"),
        (["pass-at-k", "--scorer", "cost"], "pass@k is made of 0"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(store: str, arguments: list[str], said: str) -> None:
    found = called(arguments[0], store, *arguments[1:])
    assert isinstance(found.exception, ConfigError)
    assert said in str(found.exception)
