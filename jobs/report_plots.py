"""Positions for the report's plots, in per cent of the width: a plot fits any screen and its text keeps its size."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from jobs.wording import number, rounded_up
from judgefleet.statistics import Estimate

Scale = tuple[float, float]
MARGIN = 4.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """A dot at ``at`` with its interval from ``low`` to ``high`` (None without one), in per cent of the width."""

    at: float
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Tick:
    """A labelled position of an axis."""

    at: float
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """A block from ``at`` over ``width`` per cent; ``height`` from 0 to 1."""

    at: float
    width: float
    height: float = 1.0


def place(value: float, scale: Scale, left: float = MARGIN) -> float:
    """Where ``value`` stands, in per cent of the width; values beyond the scale stand at its end. ``left``: where the
    scale begins.

    >>> place(1, (1, 5)), place(3, (1, 5)), place(9, (1, 5))
    (4.0, 50.0, 96.0)
    """
    low, high = scale
    share = (value - low) / (high - low) if high > low else 0.5
    return round(left + (100 - MARGIN - left) * min(1.0, max(0.0, share)), 3)


def mark(e: Estimate | None, scale: Scale) -> Mark | None:
    """The estimate as a mark; None without a value."""
    if e is None or e.value is None:
        return None
    ends = (place(x, scale) if x is not None and e.has_interval else None for x in (e.low, e.high))
    return Mark(at=place(e.value, scale), low=next(ends), high=next(ends))


def ticks(scale: Scale) -> list[Tick]:
    """Every grade of a short whole-number scale, else five even steps.

    >>> [t.text for t in ticks((1, 5))], [t.text for t in ticks((0, 1))]
    (['1', '2', '3', '4', '5'], ['0', '0.25', '0.5', '0.75', '1'])
    """
    low, high = scale
    whole = float(low).is_integer() and float(high).is_integer() and 2 <= high - low <= 10
    steps = np.arange(low, high + 1) if whole else np.linspace(low, high, 5)
    return [Tick(at=place(float(v), scale), text=f"{v:.4g}") for v in steps]


def symmetric(estimates: Sequence[Estimate]) -> Scale:
    """A scale around zero that holds every estimate and interval, its end rounded up to one digit.

    >>> symmetric([Estimate(value=0.3, low=-0.1, high=0.72, n=9, n_clusters=9, method="t")])
    (-0.8, 0.8)
    """
    reach = max((abs(x) for e in estimates for x in (e.value, e.low, e.high) if x is not None), default=0.0)
    if reach == 0:
        return -1.0, 1.0
    end = rounded_up(reach)
    return -end, end


def zero_ticks(scale: Scale) -> list[Tick]:
    """The ends of a symmetric scale, and zero.

    >>> [t.text for t in zero_ticks((-0.8, 0.8))]
    ['-0.8', '0', '+0.8']
    """
    places = max(0, int(-np.floor(np.log10(scale[1])))) if scale[1] < 1 else 0
    return [
        Tick(at=place(v, scale), text=number(v, places, signed=True) if v else "0") for v in (scale[0], 0.0, scale[1])
    ]


def histogram(counts: Sequence[int], scale: Scale) -> list[Bar]:
    """How values lie on the scale: bars of equal width, the tallest 1 high; empty bins are left out.

    >>> [(bar.at, bar.height) for bar in histogram([0, 2, 1, 0], (1, 5))]
    [(27.0, 1.0), (50.0, 0.5)]
    """
    tallest = max(counts, default=0)
    at = [place(float(edge), scale) for edge in np.linspace(*scale, len(counts) + 1)]
    return [
        Bar(at=a, width=round(b - a, 3), height=round(float(c / tallest), 3))
        for a, b, c in zip(at[:-1], at[1:], counts, strict=True)
        if c
    ]


def stack(parts: Sequence[int]) -> list[Bar]:
    """Parts of a whole side by side over the scale from 0 to 1.

    >>> [b.width for b in stack([1, 1, 2])]
    [23.0, 23.0, 46.0]
    """
    whole = sum(parts) or 1
    ends = [0.0, *np.cumsum(parts) / whole]
    at = [place(float(e), (0, 1)) for e in ends]
    return [Bar(at=a, width=round(b - a, 3)) for a, b in pairwise(at)]
