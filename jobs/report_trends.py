"""The trends of judges whose gate is open, as pictures and tables of the report. Of other judges there are none."""

from collections.abc import Sequence
from dataclasses import dataclass

from calibration.decisions import read_decisions
from calibration.gate import GateDecision
from calibration.trends import MEAN, PASS_RATE, Bridge, Point, Trend
from jobs.trend_plot import TrendPlot, plot_of
from jobs.wording import interval, number, one_line, percent
from judgefleet.errors import ConfigError
from judgefleet.statistics import Estimate

# A page shows the latest windows; `judgefleet trends` shows all.
_MOST_WINDOWS = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class WindowView:
    """One line of the table; ``alarm``: the change is more than chance."""

    start: str
    scored: str
    raw: str
    corrected: str
    change: str
    alarm: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class TrendView:
    """One judge on one axis."""

    title: str
    gate: str
    plot: TrendPlot
    windows: Sequence[WindowView]


@dataclass(frozen=True, kw_only=True, slots=True)
class PageTrends:
    """What a page says about time. Pictures mark the ``decisions`` of the gate and the ``bridges`` between judges."""

    trends: Sequence[Trend] = ()
    decisions: Sequence[GateDecision] = ()
    bridges: Sequence[Bridge] = ()


NO_TRENDS = PageTrends()


def trends_on_page(store: str) -> PageTrends:
    """Daily windows of every judge and axis whose gate is open; rows are read only if one was ever opened.

    Pass rates where the audit has a cut, and means too where people gave numbers.
    """
    decisions = read_decisions(store)
    if not any(decision.trusted for decision in decisions):
        return NO_TRENDS
    from jobs.trends import Options, read_judged, trends_of

    try:
        judged = read_judged(store, Options())
        shown = trends_of(store, Options(), judged=judged)
        found = [trend for trend in shown.trends if trend.gate.trusted]
        if any(trend.measure == PASS_RATE for trend in found):
            means = trends_of(store, Options(measure=MEAN), judged=judged).trends
            rates = {(t.scorer, t.axis, t.fingerprint) for t in found if t.measure == PASS_RATE}
            found += [t for t in means if (t.scorer, t.axis, t.fingerprint) in rates and t.points[0].corrected]
    except ConfigError:  # an audit that has moved must not cost the page
        return NO_TRENDS
    ordered = sorted(found, key=lambda trend: (trend.scorer, trend.axis))
    return PageTrends(trends=ordered, decisions=decisions, bridges=shown.bridges)


def views(page: PageTrends) -> list[TrendView]:
    """What the template shows: trends of open gates, of others none."""
    return [_trend(trend, page) for trend in page.trends if trend.gate.trusted]


def _trend(trend: Trend, page: PageTrends) -> TrendView:
    points, gate = trend.points[-_MOST_WINDOWS:], trend.gate
    since = f" since {gate.decided_at:%Y-%m-%d}" if gate.decided_at else ""
    until = f", until {gate.expires_at:%Y-%m-%d}" if gate.expires_at else ""
    return TrendView(
        title=f"{one_line(trend.scorer, 60)}, {one_line(trend.axis, 60)}: {trend.measure.replace('_', ' ')}",
        gate=f"Gate of {trend.fingerprint}: {gate.state}{since}{until}",
        plot=plot_of(trend, points, page.decisions, page.bridges),
        windows=[_view(point) for point in points],
    )


def _view(point: Point) -> WindowView:
    return WindowView(
        start=point.start.strftime("%Y-%m-%d"),
        scored=f"{point.ok:,} of {point.rows:,} ({percent(point.ok, point.rows)})",
        raw=figure_or_value(point.raw),
        corrected=figure_or_value(point.corrected) if point.corrected else "",
        change=figure_or_value(point.change, signed=True) if point.change else "baseline",
        alarm=point.alarm,
    )


def figure_or_value(found: Estimate, *, signed: bool = False) -> str:
    """A figure, and its interval where it has one."""
    value = number(found.value, 3, signed=signed)
    return f"{value} {interval(found, 3, signed=signed)}" if found.has_interval else value
