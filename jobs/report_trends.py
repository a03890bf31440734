"""The trends of judges whose gate is open, as tables of the report. Of other judges there are none."""

from collections.abc import Sequence
from dataclasses import dataclass

from calibration.decisions import read_decisions
from calibration.trends import MEAN, PASS_RATE, Point, Trend
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
    windows: Sequence[WindowView]


def trends_on_page(store: str) -> list[Trend]:
    """Daily windows of every judge and axis whose gate is open; rows are read only if one was ever opened.

    Pass rates where the audit has a cut, and means too where people gave numbers.
    """
    if not any(decision.trusted for decision in read_decisions(store)):
        return []
    from jobs.trends import Options, trends_of

    try:
        found = [trend for trend in trends_of(store, Options()).trends if trend.gate.trusted]
        if any(trend.measure == PASS_RATE for trend in found):
            means = trends_of(store, Options(measure=MEAN)).trends
            rates = {(t.scorer, t.axis, t.fingerprint) for t in found if t.measure == PASS_RATE}
            found += [t for t in means if (t.scorer, t.axis, t.fingerprint) in rates and t.points[0].corrected]
    except ConfigError:  # an audit that has moved must not cost the page
        return []
    return sorted(found, key=lambda trend: (trend.scorer, trend.axis))


def views(trends: Sequence[Trend]) -> list[TrendView]:
    """What the template shows."""
    return [
        TrendView(
            title=f"{one_line(trend.scorer, 60)}, {one_line(trend.axis, 60)}: {trend.measure.replace('_', ' ')}",
            windows=[_view(point) for point in trend.points[-_MOST_WINDOWS:]],
        )
        for trend in trends
    ]


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
