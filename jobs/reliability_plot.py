"""A judge's probabilities against people: the reliability diagram, and its numbers as a table."""

from collections.abc import Sequence
from dataclasses import dataclass

from calibration.reliability import Bin, Reliability
from jobs.report_plots import Tick, place, ticks
from jobs.wording import number

# Heights in pixels: the plot, under it a lane with the number of items, and the probabilities.
TOP, BOTTOM, LANE, HEIGHT = 14.0, 190.0, 22.0, 250.0
LEFT = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Dot:
    """One bin: its dot, the ends of the interval (None without one), and the bar that says how many items it has.

    ``at``, ``bar_at`` and ``bar_width`` in per cent of the width, the rest in pixels.
    """

    at: float
    y: float
    low: float | None
    high: float | None
    bar_at: float
    bar_width: float
    bar: float
    count: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ReliabilityPlot:
    """What the template draws; ``rows`` has the same as text: bin, items, mean probability, share, interval."""

    dots: Sequence[Dot]
    ticks: Sequence[Tick]
    levels: Sequence[tuple[float, str]]
    diagonal: tuple[float, float, float, float]
    rows: Sequence[tuple[str, str, str, str, str]]
    ece: str
    brier: str
    height: float = HEIGHT
    lane: float = HEIGHT - 22.0


def plot_of(found: Reliability) -> ReliabilityPlot:
    """Every bin that has an item."""
    most = max(b.n for b in found.bins)
    levels = [0.0, 0.25, 0.5, 0.75, 1.0]
    return ReliabilityPlot(
        dots=[_dot(b, most) for b in found.bins],
        ticks=[Tick(at=_along(float(t.text)), text=t.text) for t in ticks((0.0, 1.0))],
        levels=[(_height(level), f"{level:g}") for level in levels],
        diagonal=(_along(0.0), _height(0.0), _along(1.0), _height(1.0)),
        rows=[_row(b) for b in found.bins],
        ece=_figure(found.ece.value, found.ece.low, found.ece.high),
        brier=_figure(found.brier.value, found.brier.low, found.brier.high),
    )


def _dot(b: Bin, most: int) -> Dot:
    return Dot(
        at=_along(b.confidence),
        y=_height(b.accuracy),
        low=None if b.accuracy_low is None else _height(b.accuracy_low),
        high=None if b.accuracy_high is None else _height(b.accuracy_high),
        bar_at=_along(b.low),
        bar_width=round(_along(b.high) - _along(b.low), 3),
        bar=round(LANE * b.n / most, 2),
        count=f"{b.n}" if b.n < 10_000 else f"{b.n // 1000}k",
    )


def _row(b: Bin) -> tuple[str, str, str, str, str]:
    ends = b.accuracy_low, b.accuracy_high
    said = "none" if None in ends else f"[{number(ends[0], 3)}, {number(ends[1], 3)}]"
    return f"{b.low:.1f} to {b.high:.1f}", f"{b.n:,}", number(b.confidence, 3), number(b.accuracy, 3), said


def _figure(value: float | None, low: float | None, high: float | None) -> str:
    ends = "" if low is None or high is None else f" [{number(low, 3)}, {number(high, 3)}]"
    return number(value, 3) + ends


def _along(share: float) -> float:
    return place(share, (0.0, 1.0), left=LEFT)


def _height(share: float) -> float:
    return round(BOTTOM - share * (BOTTOM - TOP), 2)
