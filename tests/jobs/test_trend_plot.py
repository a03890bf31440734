"""The picture of a trend: where windows, decisions and changes of judge stand, and what is written when they crowd."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from calibration.gate import GateDecision, GateState
from calibration.trends import Bridge, Point, Trend
from jobs.report_trends import PageTrends, views
from jobs.trend_plot import BOTTOM, LANE, TOP, TrendPlot, nice_levels, plot_of
from judgefleet.statistics import Estimate

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def day(n: float) -> datetime:
    return MONDAY + timedelta(days=n)


def estimate(value: float | None, half: float | None = 0.1) -> Estimate:
    low, high = (None, None) if half is None or value is None else (value - half, value + half)
    return Estimate(value=value, low=low, high=high, n=9, n_clusters=9, method="m")


def point(n: int, raw: float | None, corrected: Estimate | None = None, ok: int = 40) -> Point:
    made: dict[str, Any] = {"start": day(n), "end": day(n + 1), "rows": 50, "ok": ok, "change": None}
    return Point(**made, raw=estimate(raw), corrected=corrected, alarm=n == 3)


def decided(n: float, state: GateState, fingerprint: str = "f", **more: Any) -> GateDecision:
    known: dict[str, Any] = {"scorer": "quality", "axis": "accuracy", "decided_at": day(n)} | more
    return GateDecision(state=state, fingerprint=fingerprint, reason="r", **known)


def bridge(n: float, axis: str = "accuracy") -> Bridge:
    return Bridge(scorer="quality", axis=axis, old="e", new="f", changed_at=day(n), difference=estimate(0.1))


def drawn(points: list[Point], decisions: tuple[GateDecision, ...] = (), bridges: tuple[Bridge, ...] = ()) -> TrendPlot:
    return plot_of(trend(points), points, decisions, bridges)


def trend(points: list[Point]) -> Trend:
    gate = decided(0, GateState.OPEN, expires_at=day(90))
    return Trend(scorer="quality", axis="accuracy", fingerprint="f", segment="", gate=gate, points=points)


FOUR = [point(n, 0.5 + n / 10) for n in range(4)]


def test_windows_stand_in_the_middle_of_their_time_and_higher_figures_higher() -> None:
    plot = drawn(FOUR)
    at = [spot.at for spot in plot.spots]
    # From 10 to 96 per cent of the width, four days: a day is 21.5.
    assert at == pytest.approx([20.75, 42.25, 63.75, 85.25])
    ys = [spot.raw.y for spot in plot.spots if spot.raw]
    assert ys == sorted(ys, reverse=True)
    # 0.4 to 0.9 in steps of a tenth, over 160 pixels.
    assert [text for _, text in plot.levels] == ["0.4", "0.5", "0.6", "0.7", "0.8", "0.9"]
    assert ys[0] == pytest.approx(BOTTOM - (BOTTOM - TOP) / 5)
    assert [spot.alarm for spot in plot.spots] == [False, False, False, True]
    assert plot.spots[0].covered == pytest.approx(0.8 * LANE)


def test_figures_without_value_or_interval_are_drawn_as_far_as_they_are_known() -> None:
    [first, second] = drawn([point(0, None, ok=0), point(1, 0.5, estimate(0.4, None))]).spots
    assert (first.raw, first.corrected, first.covered) == (None, None, 0)
    assert second.corrected is not None
    assert (second.corrected.low, second.corrected.high) == (None, None)


def test_a_time_without_windows_is_a_gap() -> None:
    at = [spot.at for spot in drawn([point(0, 0.5), point(1, 0.5), point(9, 0.5)]).spots]
    assert at[2] - at[1] == pytest.approx(8 * (at[1] - at[0]))


def test_what_the_gate_was_is_drawn_from_decision_to_decision() -> None:
    decisions = (decided(1, GateState.CLOSED), decided(2, GateState.OPEN, expires_at=day(3)))
    spans = drawn(FOUR, decisions).gate
    assert [s.name for s in spans] == ["none", "closed", "open", "stale"]
    assert [s.width for s in spans] == pytest.approx([21.5] * 4)
    assert spans[-1].at + spans[-1].width == pytest.approx(96)


def test_a_new_decision_before_one_expires_leaves_no_stale_time() -> None:
    decisions = (decided(0, GateState.OPEN, expires_at=day(3)), decided(2, GateState.OPEN, expires_at=day(90)))
    first, second = drawn(FOUR, decisions).gate
    assert (first.name, second.name) == ("open", "open")
    assert first.at + first.width == pytest.approx(second.at)


def test_decisions_and_changes_are_numbered_by_time_and_told() -> None:
    decisions = (decided(3, GateState.OPEN), decided(1, GateState.CLOSED, "e"), decided(9, GateState.OPEN))
    plot = drawn(FOUR, decisions, (bridge(2),))
    assert plot.events == (
        [
            "2026-03-03: an audit decided about another judge, e: CLOSED",
            "2026-03-04: the judge changed from e to f",
            "2026-03-05: an audit decided: OPEN",
            "2026-03-11: an audit decided: OPEN",
        ]
    )
    assert [mark.text for mark in plot.marks] == ["1", "2", "3"]
    assert [mark.at for mark in plot.marks] == pytest.approx([31.5, 53.0, 74.5])


def test_marks_that_crowd_share_their_numbers() -> None:
    decisions = tuple(decided(1 + n / 20, GateState.OPEN) for n in range(3))
    assert [mark.text for mark in drawn(FOUR, (*decisions, decided(3, GateState.OPEN))).marks] == ["1-3", "4"]


def test_what_is_about_another_axis_is_not_marked() -> None:
    plot = drawn(FOUR, (decided(1, GateState.OPEN, axis="clarity"),), (bridge(2, "clarity"),))
    assert (plot.marks, plot.events, [s.name for s in plot.gate]) == ([], [], ["none"])


@pytest.mark.parametrize("values", [[0.0, 1.0], [3.1, 3.2], [-0.4, 12.0], [0.999, 1.0], [5.0], [1e-3, 2e-3], []])
def test_levels_are_few_and_hold_everything(values: list[float]) -> None:
    found = nice_levels(values)
    assert 3 <= len(found) <= 8
    assert found[0] <= min(values, default=0)
    assert found[-1] >= max(values, default=1)


def test_a_page_has_a_picture_of_each_open_trend_with_its_gate() -> None:
    [view] = views(PageTrends(trends=[trend(FOUR)], decisions=(decided(1, GateState.OPEN),)))
    assert view.title == "quality, accuracy: mean"
    assert view.gate == "Gate of f: OPEN since 2026-03-02, until 2026-05-31"
    assert len(view.plot.spots) == 4
