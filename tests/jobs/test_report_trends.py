"""The report's trends: those of an open gate, and of no other."""

import runpy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from calibration.gate import GateDecision, GateState
from calibration.trends import Point, Trend
from jobs.report import render_report
from jobs.report_trends import NO_TRENDS, PageTrends, trends_on_page
from jobs.summary import summarise
from judgefleet.statistics import Estimate

build: Any = runpy.run_path(str(Path(__file__).with_name("example_run.py")))["build"]
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def trend(state: GateState, scorer: str = "quality <b>") -> Trend:
    raw = Estimate(value=0.812, low=0.7, high=0.9, n=40, n_clusters=40, method="m")
    changed = Estimate(value=-0.25, low=-0.4, high=-0.1, n=80, n_clusters=80, method="m")
    points = [
        Point(
            start=MONDAY + timedelta(days=day),
            end=MONDAY + timedelta(days=day + 1),
            rows=50,
            ok=40,
            raw=raw,
            corrected=Estimate(value=0.777, n=40, n_clusters=40, method="no interval"),
            change=changed if day else None,
            alarm=bool(day),
        )
        for day in range(2)
    ]
    gate = GateDecision(state=state, fingerprint="f", reason="r")
    return Trend(scorer=scorer, axis="accuracy", fingerprint="f", segment="", gate=gate, points=points)


def page(*trends: Trend) -> str:
    run = build()
    summary = summarise(run.scores, run.samples, run.facts)
    return render_report(summary, run.scores, run.samples, trends=PageTrends(trends=trends))


def test_windows_of_an_open_gate_are_on_the_page_with_coverage_both_figures_and_the_alarm() -> None:
    text = page(trend(GateState.OPEN))
    for part in (
        "40 of 50 (80 %)",
        "0.812 [0.700, 0.900]",
        "0.777",
        "-0.250 [-0.400, -0.100]",
        "2026-03-03",
        "baseline",
    ):
        assert part in text
    assert text.count(">changed</span>") == 1
    assert "quality &lt;b&gt;, accuracy" in text


@pytest.mark.parametrize("state", [s for s in GateState if s is not GateState.OPEN])
def test_a_gate_that_is_not_open_shows_no_trend(state: GateState) -> None:
    text = page(trend(state))
    assert 'id="trends"' not in text
    assert "0.812" not in text


def test_a_store_without_an_open_gate_gives_none(tmp_path: Path) -> None:
    assert trends_on_page(str(tmp_path)) == NO_TRENDS
