"""A trend as a picture: places in per cent of the width and in pixels of the height, so that text keeps its size."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from calibration.gate import GateDecision, GateState
from calibration.trends import Bridge, Point, Trend
from jobs.report_plots import Tick, place
from judgefleet.statistics import Estimate

# Heights in pixels: numbered marks above, then the plot, a lane with the coverage, the gate's states, and the dates.
TOP, BOTTOM, COVERED, GATE, HEIGHT = 22.0, 182.0, 214.0, 226.0, 250.0
LANE = 18.0
# Room for the names of the values, in per cent of the width.
LEFT = 10.0
# Marks that are closer than this, in per cent of the width, share their numbers.
_APART = 6.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Whisker:
    """A figure at the height ``y``, with its interval from ``low`` down to ``high`` where it has one; in pixels."""

    y: float
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Spot:
    """One window at ``at`` per cent of the width. ``covered``: height of its bar of coverage in pixels."""

    at: float
    raw: Whisker | None
    corrected: Whisker | None
    covered: float
    alarm: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A state of the gate, from ``at`` over ``width`` per cent; ``name`` is the class that colours it."""

    at: float
    width: float
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TrendPlot:
    """What the template draws. ``marks``: numbers of the ``events`` that fell between the first window and the last."""

    spots: Sequence[Spot]
    levels: Sequence[tuple[float, str]]
    dates: Sequence[Tick]
    gate: Sequence[Span]
    marks: Sequence[Tick]
    events: Sequence[str]
    height: float = HEIGHT
    gate_top: float = GATE
    covered: float = COVERED


def plot_of(
    trend: Trend, points: Sequence[Point], decisions: Sequence[GateDecision], bridges: Sequence[Bridge]
) -> TrendPlot:
    """The picture of ``points``, which are windows of ``trend``, at least one. Of ``decisions`` of the gate and
    ``bridges`` between judges, those about the same scorer and axis are marked."""
    mine = [d for d in decisions if (d.scorer, d.axis) == (trend.scorer, trend.axis) and d.decided_at]
    time = _Time(points[0].start, points[-1].end)
    levels = nice_levels([x for p in points for e in (p.raw, p.corrected) for x in _ends(e)])
    found = sorted([*_decided(mine, trend.fingerprint), *_changed(trend, bridges)])
    inside = [(time.at(when), str(n)) for n, (when, _) in enumerate(found, 1) if time.holds(when)]
    return TrendPlot(
        spots=[_spot(point, time, levels) for point in points],
        levels=[(_height(level, levels), f"{level:.4g}") for level in levels],
        dates=list(_dates(points, time)),
        gate=list(_states([d for d in mine if d.fingerprint == trend.fingerprint], time)),
        marks=list(_apart(inside)),
        events=[f"{when:%Y-%m-%d}: {text}" for when, text in found],
    )


@dataclass(frozen=True, slots=True)
class _Time:
    first: datetime
    last: datetime

    def at(self, when: datetime) -> float:
        """Where a time stands, in per cent of the width; beyond the ends at the end."""
        return place((when - self.first).total_seconds(), (0.0, (self.last - self.first).total_seconds()), left=LEFT)

    def holds(self, when: datetime) -> bool:
        return self.first <= when <= self.last


def nice_levels(values: Sequence[float]) -> list[float]:
    """A few even, round levels that hold all ``values``.

    >>> nice_levels([0.61, 0.93])
    [0.6, 0.7, 0.8, 0.9, 1.0]
    >>> nice_levels([3.0])
    [2.9, 2.95, 3.0, 3.05, 3.1]
    """
    low, high = min(values, default=0.0), max(values, default=1.0)
    if high - low < 1e-9:
        low, high = low - 0.1, high + 0.1
    rough = (high - low) / 5
    unit = 10.0 ** np.floor(np.log10(rough))
    step = next(float(unit * k) for k in (1, 2, 5, 10) if unit * k >= rough - 1e-12)
    steps = range(int(np.floor(low / step + 1e-9)), int(np.ceil(high / step - 1e-9)) + 1)
    return [round(k * step, 10) for k in steps]


def _height(value: float, levels: Sequence[float]) -> float:
    share = (value - levels[0]) / (levels[-1] - levels[0])
    return round(BOTTOM - share * (BOTTOM - TOP), 2)


def _ends(found: Estimate | None) -> Iterator[float]:
    if found is not None:
        yield from (x for x in (found.value, found.low, found.high) if x is not None)


def _whisker(found: Estimate | None, levels: Sequence[float]) -> Whisker | None:
    if found is None or found.value is None:
        return None
    low, high = (None if x is None else _height(x, levels) for x in (found.low, found.high))
    return Whisker(y=_height(found.value, levels), low=low if high is not None else None, high=high)


def _spot(point: Point, time: _Time, levels: Sequence[float]) -> Spot:
    return Spot(
        at=time.at(point.start + (point.end - point.start) / 2),
        raw=_whisker(point.raw, levels),
        corrected=_whisker(point.corrected, levels),
        covered=round(LANE * point.coverage, 2),
        alarm=point.alarm,
    )


def _dates(points: Sequence[Point], time: _Time) -> Iterator[Tick]:
    """The first window, and the last where there are several: two dates fit any screen."""
    shown = points[:1] if len(points) == 1 else (points[0], points[-1])
    for point in shown:
        yield Tick(at=time.at(point.start + (point.end - point.start) / 2), text=f"{point.start:%Y-%m-%d}")


def _decided(decisions: Sequence[GateDecision], fingerprint: str) -> Iterator[tuple[datetime, str]]:
    for d in decisions:
        whose = "" if d.fingerprint == fingerprint else f" about another judge, {d.fingerprint}"
        if d.decided_at:
            yield d.decided_at, f"an audit decided{whose}: {d.state}"


def _changed(trend: Trend, bridges: Sequence[Bridge]) -> Iterator[tuple[datetime, str]]:
    for b in bridges:
        if (b.scorer, b.axis) == (trend.scorer, trend.axis):
            yield b.changed_at, f"the judge changed from {b.old} to {b.new}"


def _states(decisions: Sequence[GateDecision], time: _Time) -> Iterator[Span]:
    """What the gate of this judge was, from one decision to the next; stale from the day on which one expires."""
    turns: list[tuple[datetime, str]] = [(time.first, "none")]
    for d in decisions:
        if d.decided_at is None:
            continue
        turns = [turn for turn in turns if turn[0] < d.decided_at]
        turns.append((d.decided_at, d.state.value.lower()))
        if d.state is GateState.OPEN and d.expires_at:
            turns.append((d.expires_at, GateState.STALE.value.lower()))
    ends = [when for when, _ in turns[1:]] + [time.last + timedelta(days=1)]
    for (begin, name), end in zip(turns, ends, strict=True):
        at, until = time.at(begin), time.at(end)
        if until > at:
            yield Span(at=at, width=round(until - at, 3), name=name)


def _apart(marks: Sequence[tuple[float, str]]) -> Iterator[Tick]:
    """Marks by place; those too close for their numbers share one text, at the place of the first."""
    held: list[tuple[float, str]] = []
    for mark in marks:
        if held and mark[0] - held[0][0] >= _APART:
            yield _together(held)
            held = []
        held.append(mark)
    if held:
        yield _together(held)


def _together(held: Sequence[tuple[float, str]]) -> Tick:
    first, last = held[0][1], held[-1][1]
    return Tick(at=held[0][0], text=first if first == last else f"{first}-{last}")
