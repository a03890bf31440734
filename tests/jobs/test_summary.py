import io
import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from rich.console import Console

from calibration.gate import GateDecision, GateState
from jobs.figures import Axis
from jobs.summary import Summary, print_summary, summarise
from judgefleet.proportions import wilson_interval
from judgefleet.sample import SAMPLE_SCHEMA
from judgefleet.score import SCORE_SCHEMA, Outcome
from judgefleet.scorer import ScorerInfo, ScorerKind

Build = Callable[..., Any]


@pytest.fixture(scope="module")
def build_run() -> Build:
    """Builds a run in tables; ``example_run.py`` says what is in it."""
    build: Build = runpy.run_path(str(Path(__file__).with_name("example_run.py")))["build"]
    return build


def summary_of(run: Any, **more: Any) -> Summary:
    return summarise(run.scores, run.samples, run.facts, **more)


def axis_of(summary: Summary, scorer: str, axis: str) -> Axis:
    (found,) = [a for a in summary.axes if (a.scorer, a.axis) == (scorer, axis)]
    return found


def printed(summary: Summary, width: int = 80, **console: Any) -> str:
    out = io.StringIO()
    print_summary(summary, Console(file=out, width=width, no_color=True, **console))
    return out.getvalue()


class TestFigures:
    def test_every_row_is_counted_once_as_a_value_or_as_a_failure_by_name(self, build_run: Build) -> None:
        run = build_run()
        summary = summary_of(run)
        assert sum(a.total for a in summary.axes) == len(run.rows)
        clarity = axis_of(summary, "support_rubric", "clarity")
        assert [(a.variant, a.ok, a.total, a.failures) for a in clarity.arms] == [
            ("A", 21, 24, {"unparsed": 3}),
            ("B", 21, 24, {"unparsed": 3}),
        ]
        assert (clarity.ok, clarity.total) == (42, 48)

    def test_means_are_over_values_only(self, build_run: Build) -> None:
        run = build_run()
        mean = axis_of(summary_of(run), "support_rubric", "clarity").arms[0].mean
        values = [
            r["value"] for r in run.rows if (r["axis"], r["variant"]) == ("clarity", "A") and r["value"] is not None
        ]
        assert mean is not None
        assert mean.value == pytest.approx(sum(values) / 21)
        assert mean.n == 21

    def test_checks_are_rates_and_grades_keep_the_ends_of_their_scale(self, build_run: Build) -> None:
        summary = summary_of(build_run())
        cites, accuracy = axis_of(summary, "policy_citation", "cites"), axis_of(summary, "support_rubric", "accuracy")
        assert (cites.rate, cites.scale, accuracy.rate, accuracy.scale) == (True, (0, 1), False, (1, 5))
        low_high = cites.arms[1].mean
        assert low_high is not None
        assert (low_high.low, low_high.high) == pytest.approx(wilson_interval(1, 24))

    def test_variants_are_compared_in_pairs_of_one_item(self, build_run: Build) -> None:
        (difference,) = axis_of(summary_of(build_run()), "support_rubric", "clarity").differences
        assert (difference.baseline, difference.candidate, difference.paired) == ("A", "B", True)
        assert (difference.used, difference.possible) == (21, 24)

    def test_a_check_that_always_differs_has_an_interval(self, build_run: Build) -> None:
        (difference,) = axis_of(summary_of(build_run()), "policy_citation", "cites").differences
        assert difference.estimate.value == 1
        assert difference.estimate.low is not None
        assert 0.7 < difference.estimate.low < 1

    def test_pairs_count_once_and_have_flips(self, build_run: Build) -> None:
        axis = axis_of(summary_of(build_run()), "better_answer", "preference")
        (p,) = axis.preferences
        assert (p.candidate, p.wins, p.ties, p.losses, p.failed) == ("B", 9, 9, 5, 1)
        assert axis.position is not None
        assert (axis.position.flips, axis.position.pairs, axis.position.verdicts) == (9, 23, 46)
        assert axis.arms[0].mean is None

    def test_a_sampled_trace_without_a_row_is_a_failure(self, build_run: Build) -> None:
        run = build_run(items=6)
        run.rows = [r for r in run.rows if not (r["axis"] == "cites" and r["trace_id"] == run.drawn[0].trace.trace_id)]
        arm = axis_of(summary_of(run), "policy_citation", "cites").arms[0]
        assert (arm.ok, arm.total, arm.failures) == (5, 6, {"no_row": 1})

    def test_ok_with_a_value_that_is_no_number_is_a_failure(self, build_run: Build) -> None:
        run = build_run(items=6)
        next(r for r in run.rows if r["axis"] == "similarity")["value"] = float("nan")
        arm = axis_of(summary_of(run), "cosine", "similarity").arms[0]
        assert arm.failures == {"not_a_number": 1, "not_applicable": 1}
        assert arm.mean is not None
        assert arm.mean.n == 4

    def test_another_fingerprint_is_another_axis(self, build_run: Build) -> None:
        run = build_run(items=6)
        for r in run.rows[: len(run.rows) // 2]:
            if r["axis"] == "accuracy":
                r["fingerprint"] = "another"
        found = [a for a in summary_of(run).axes if a.axis == "accuracy"]
        assert len(found) == 2
        assert "support_rubric (another)" in printed(summary_of(run))

    def test_traces_without_variants_have_one_arm_and_no_comparison(self, build_run: Build) -> None:
        run = build_run(items=6, variant=None)
        axis = axis_of(summary_of(run), "support_rubric", "clarity")
        assert [a.variant for a in axis.arms] == [None]
        assert axis.differences == ()
        assert "no variant" in printed(summary_of(run))

    def test_an_empty_store_has_no_figures_and_says_so(self) -> None:
        empty = summarise(SCORE_SCHEMA.empty_table(), SAMPLE_SCHEMA.empty_table(), {})
        assert empty.axes == ()
        assert "No scores" in printed(empty)

    def test_json_is_strict_and_complete(self, build_run: Build) -> None:
        data = json.loads(summary_of(build_run()).to_json(), parse_constant=pytest.fail)
        assert data["facts"]["started_at"] == "2026-03-02 09:00:00+00:00"
        assert {g["state"] for g in data["gates"].values()} == {"INSUFFICIENT"}
        assert len(data["axes"]) == 7


class TestPrinted:
    def test_the_figures_are_on_the_terminal(self, build_run: Build) -> None:
        summary = summary_of(build_run())
        text = printed(summary, width=100)
        difference = axis_of(summary, "support_rubric", "accuracy").differences[0].estimate
        for part in ("21/24", "3 unparsed", "4 not applicable", "23 pairs", f"{difference.value:+.2f}"):
            assert part in text
        for part in ("9 won, 9 tied, 5 lost, 1 without verdict", "9 of 23 pairs", "28 of 46 verdicts"):
            assert part in text

    def test_the_judge_is_said_not_to_be_trusted_and_only_the_judge(self, build_run: Build) -> None:
        text = " ".join(printed(summary_of(build_run())).split())
        assert "are not trusted until an audit opens the gate" in text
        assert "nobody has compared this judge with people" in text
        assert "support_rubric *" in text
        assert "cosine *" not in text

    def test_an_open_gate_takes_the_warning_away(self, build_run: Build) -> None:
        run = build_run()
        judges = list(summary_of(run).gates)
        gates = {f: GateDecision(state=GateState.OPEN, fingerprint=f, reason="audited") for f in judges}
        text = printed(summary_of(run, gates=gates))
        assert "NOT TRUSTED" not in text
        assert "support_rubric *" not in text

    @pytest.mark.parametrize("width", [80, 60, 120])
    def test_no_line_is_wider_than_the_terminal(self, build_run: Build, width: int) -> None:
        run = build_run(variant=lambda i, v: f"{v}: a long name of a prompt variant, version 12")
        assert max(map(len, printed(summary_of(run), width).splitlines())) <= width

    def test_names_cannot_command_the_terminal(self, build_run: Build) -> None:
        run = build_run(items=6, variant=lambda i, v: f"\x1b[2J{v}[bold]\u202e")
        run.facts["warnings"] = ["bad\x1b]0;title\x07 line"]
        text = printed(summary_of(run), force_terminal=True)
        assert "\x1b[2J" not in text
        assert "\x1b]0" not in text
        assert "\u202e" not in text
        assert "[bold]" in text
        assert "⟨U+001B⟩[2J" in text.replace("\n", "")

    def test_an_interval_that_cannot_be_given_says_why(self, build_run: Build) -> None:
        run = build_run()
        for r in run.rows:
            if r["axis"] == "similarity" and r["value"] is not None:
                r["value"] = 0.5
        assert "no interval: all equal" in printed(summary_of(run))
        one = printed(summary_of(build_run(items=1)))
        assert "no interval: one cluster" in " ".join(one.split())


def test_other_tables_than_those_of_the_schema_are_not_changed(build_run: Build) -> None:
    run = build_run(items=3)
    before: pa.Table = run.scores
    summarise(before, run.samples, run.facts)
    assert pa.types.is_dictionary(before.schema.field("scorer").type)


def test_small_costs_are_told_in_their_currency_with_digits_that_tell_them_apart(build_run: Build) -> None:
    run = build_run()
    cost = ScorerInfo(name="cost", version="1", kind=ScorerKind.CODE, axes=("cost",), config={"currency": "EUR"})
    for number, sample in enumerate(run.drawn):
        spent = (0.0004 if sample.trace.variant == "A" else 0.00031) + number % 3 / 1e6
        run.add(sample, cost, "cost", Outcome(value=spent))
    summary = summary_of(run)
    assert axis_of(summary, "cost", "cost").scale == (0.0, 0.0005)
    text = printed(summary)
    assert "cost (EUR)" in text
    assert "-0.000090" in text


def test_a_value_that_cannot_be_averaged_is_counted_and_spoils_no_figure(build_run: Build) -> None:
    run = build_run()
    run.rows[2]["value"] = 1e308
    policy = axis_of(summary_of(run), "support_rubric", "policy_citation")
    assert policy.arms[0].failures["not_a_number"] == 1
    assert policy.scale == (1.0, 5.0)
