"""A judge's figures over time: windows with coverage, raw and corrected, and changes that are more than chance."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from calibration.gate import GateDecision
from calibration.judged import Judged
from calibration.window_rows import MEAN, PASS_RATE, People, WindowRows
from judgefleet.statistics import Estimate, weighted_mean_ci

__all__ = [
    "MEAN",
    "PASS_RATE",
    "WINDOWS",
    "Bridge",
    "People",
    "Point",
    "Trend",
    "alert",
    "bridge_of",
    "points_of",
]

WINDOWS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
_FROM = np.datetime64(_MONDAY.replace(tzinfo=None), "us")


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """One window, from ``start`` to before ``end``. ``rows``: sampled traces with a row; ``ok``: with a value.

    ``raw``: Hajek mean of the values, or pass rate where the audit has a cut; ``corrected``: the same by people's
    standard. ``change``: raw minus the baseline's; ``alarm``: it is more than chance, over all windows together.
    """

    start: datetime
    end: datetime
    rows: int
    ok: int
    raw: Estimate
    corrected: Estimate | None
    change: Estimate | None
    alarm: bool

    @property
    def coverage(self) -> float:
        """Share of the rows that have a value."""
        return self.ok / self.rows if self.rows else 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Trend:
    """One judge on one axis, in one segment (``segment`` empty: all). ``measure``: ``pass_rate`` or ``mean``."""

    scorer: str
    axis: str
    fingerprint: str
    segment: str
    gate: GateDecision
    points: Sequence[Point]
    measure: str = MEAN


@dataclass(frozen=True, kw_only=True, slots=True)
class Bridge:
    """An old and a new judge over the same traces: how much of a jump at the change is the judge's."""

    scorer: str
    axis: str
    old: str
    new: str
    changed_at: datetime
    difference: Estimate


def points_of(
    rows: Judged,
    *,
    window: timedelta,
    people: People | None = None,
    baseline: int = 1,
    alpha: float = 0.05,
    horizon: int = 52,
) -> list[Point]:
    """The windows of ``rows``, oldest first.

    Windows begin on a Monday at midnight UTC and its multiples; those without a row are left out. The first
    ``baseline`` windows are what others are compared with; each comparison spends ``alpha / horizon``, so that the risk
    of any false alarm over ``horizon`` windows is at most ``alpha``.
    """
    dated = rows.where(~np.isnat(rows.started))
    if not len(dated):
        return []
    parts = [(n, WindowRows.of(part, people)) for n, part in _windows(dated, window)]
    everything = WindowRows.of(dated, people).labelled
    first = WindowRows.joined([part for _, part in parts[:baseline]])
    made = []
    for place, (n, part) in enumerate(parts):
        change = part.minus(first, alpha / horizon) if place >= baseline else None
        start = _MONDAY + n * window
        made.append(
            Point(
                start=start,
                end=start + window,
                rows=part.rows,
                ok=len(part.values),
                raw=part.mean(alpha),
                corrected=part.corrected(everything, alpha) if people else None,
                change=change,
                alarm=_beyond_chance(change),
            )
        )
    return made


def _windows(rows: Judged, window: timedelta) -> Iterator[tuple[int, Judged]]:
    """The rows of each window that has any, by its number."""
    numbers = (rows.started - _FROM) // np.timedelta64(window)
    order = np.argsort(numbers, kind="stable")
    found, begins = np.unique(numbers[order], return_index=True)
    for number, chosen in zip(found, np.split(order, begins[1:]), strict=True):
        yield int(number), rows.where(chosen)


def _beyond_chance(change: Estimate | None) -> bool:
    return (
        change is not None and change.low is not None and change.high is not None and not change.low <= 0 <= change.high
    )


def bridge_of(old: Judged, new: Judged, alpha: float = 0.05) -> Bridge:
    """New minus old over the traces that both judges scored. The estimate has no value where no trace was scored by
    both: then a jump cannot be told from a change of the system."""
    before, after = (
        pd.DataFrame({"trace": part.traces, "value": part.values, "cluster": part.clusters})
        for part in (old.valued, new.valued)
    )
    both = before.merge(after, on="trace", suffixes=("_old", "_new"))
    gap = (both["value_new"] - both["value_old"]).to_numpy(np.float64)
    return Bridge(
        scorer=new.judge.scorer,
        axis=new.judge.axis,
        old=old.judge.fingerprint,
        new=new.judge.fingerprint,
        changed_at=new.first,
        difference=weighted_mean_ci(gap, None, both["cluster_new"].to_numpy(), alpha),
    )


def alert(points: Sequence[Point], below: float, consecutive: int) -> bool:
    """Whether the last ``consecutive`` windows all lie below: the upper end of the corrected interval, or of the raw
    one where nothing could be corrected."""
    ends = [_upper(point) for point in points[-consecutive:]]
    return len(ends) == consecutive and all(end is not None and end < below for end in ends)


def _upper(point: Point) -> float | None:
    shown = point.corrected if point.corrected and point.corrected.high is not None else point.raw
    return shown.high
