"""A judge's figures over time: windows with coverage, raw and corrected, and changes that are more than chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from calibration.correction import Labelled, corrected_pass_rate, labelled_of
from calibration.gate import GateDecision
from calibration.rates import rate_ci
from judgefleet.proportions import rate_difference_ci
from judgefleet.statistics import Estimate, difference_ci, grouped, weighted_mean_ci

WINDOWS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class People:
    """Labels about traces: pass or fail, the weight of each label, and the score from which the judge's is a pass."""

    human: Mapping[str, bool]
    weights: Mapping[str, float]
    cut: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """One window, from ``start`` to before ``end``. ``rows``: sampled traces with a row; ``ok``: with a value.

    ``raw``: Hajek mean of the values, or pass rate where the audit has a cut; ``corrected``: the pass rate by people's
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
    """One judge on one axis, in one segment (``segment`` empty: all)."""

    scorer: str
    axis: str
    fingerprint: str
    segment: str
    gate: GateDecision
    points: Sequence[Point]


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
    rows: pd.DataFrame,
    *,
    window: timedelta,
    people: People | None = None,
    baseline: int = 1,
    alpha: float = 0.05,
    horizon: int = 52,
) -> list[Point]:
    """The windows of ``rows`` (one scorer, axis and fingerprint; columns of ``SCORE_SCHEMA``), oldest first.

    Windows begin on a Monday at midnight UTC and its multiples; those without a row are left out. The first
    ``baseline`` windows are what others are compared with; each comparison spends ``alpha / horizon``, so that the risk
    of any false alarm over ``horizon`` windows is at most ``alpha``.
    """
    dated = rows[rows["trace_started_at"].notna()]
    if dated.empty:
        return []
    number = ((dated["trace_started_at"] - pd.Timestamp(_MONDAY)) // pd.Timedelta(window)).to_numpy()
    parts = [(int(n), _Part.of(dated[number == n], people)) for n in np.unique(number)]
    everything = _Part.of(dated, people).labelled
    first = _Part.joined([part for _, part in parts[:baseline]])
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


def _beyond_chance(change: Estimate | None) -> bool:
    return (
        change is not None and change.low is not None and change.high is not None and not change.low <= 0 <= change.high
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Part:
    """The rows of one window that have a value; pass or fail where people say what a pass is."""

    rows: int
    values: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]
    clusters: npt.NDArray[np.object_]
    labelled: Labelled | None

    @classmethod
    def of(cls, rows: pd.DataFrame, people: People | None) -> "_Part":
        valued = rows[(rows["status"] == "ok") & rows["value"].notna()]
        values = valued["value"].to_numpy(np.float64)
        if people is not None:
            values = (values >= people.cut).astype(np.float64)
        traces = valued["trace_id"].to_numpy(object)
        said = dict(zip(traces.tolist(), (values > 0).tolist(), strict=True))
        conversations = valued["conversation_id"].fillna("").to_numpy(object)
        clusters = np.where(conversations == "", traces, conversations)
        belongs = dict(zip(traces.tolist(), clusters.tolist(), strict=True))
        return cls(
            rows=len(rows),
            values=values,
            weights=1 / valued["inclusion_probability"].fillna(1.0).to_numpy(np.float64),
            clusters=clusters,
            labelled=None if people is None else labelled_of(people.human, said, people.weights, belongs),
        )

    @classmethod
    def joined(cls, parts: Sequence["_Part"]) -> "_Part":
        return cls(
            rows=sum(part.rows for part in parts),
            values=np.concatenate([part.values for part in parts]),
            weights=np.concatenate([part.weights for part in parts]),
            clusters=np.concatenate([part.clusters for part in parts]),
            labelled=None,
        )

    def mean(self, alpha: float) -> Estimate:
        if self.labelled is not None and len(self.values):
            return rate_ci(self.values, self.weights, self.clusters, alpha)
        return weighted_mean_ci(self.values, self.weights, self.clusters, alpha)

    def corrected(self, everything: Labelled | None, alpha: float) -> Estimate | None:
        if self.labelled is None or everything is None:
            return None
        return corrected_pass_rate(self.values > 0, self.weights, self.clusters, self.labelled, everything, alpha)

    def minus(self, first: "_Part", alpha: float) -> Estimate:
        """This window minus the first. Rates by exact intervals, since Welch's fails near 0 and 1; means by Welch's,
        with no interval where one side has fewer than ten conversations or does not vary: its spread is not known."""
        if self.labelled is not None:
            theirs, ours = (rate_ci(part.values, part.weights, part.clusters, alpha) for part in (first, self))
            return rate_difference_ci(theirs, ours)
        sides = [grouped(part.values, part.weights, part.clusters) for part in (first, self)]
        found = difference_ci(sides[0], sides[1], alpha)
        if all(side.n_clusters >= 10 and np.ptp(side.values) > 0 for side in sides):
            return found
        return replace(found, low=None, high=None, method="difference of means; no interval: too little is known")


def bridge_of(old: pd.DataFrame, new: pd.DataFrame, alpha: float = 0.05) -> Bridge | None:
    """New minus old over the traces that both judges scored; None where the first has no row. The estimate has no value
    where no trace was scored by both: then a jump cannot be told from a change of the system."""
    if old.empty or new.empty:
        return None
    both = old[old["status"] == "ok"].merge(new[new["status"] == "ok"], on="trace_id", suffixes=("_old", "_new"))
    gap = (both["value_new"] - both["value_old"]).to_numpy(np.float64)
    clusters = both["conversation_id_new"].fillna(both["trace_id"]).to_numpy(object)
    row = new.iloc[0]
    return Bridge(
        scorer=row["scorer"],
        axis=row["axis"],
        old=old.iloc[0]["fingerprint"],
        new=row["fingerprint"],
        changed_at=new["scored_at"].min().to_pydatetime(),
        difference=weighted_mean_ci(gap, None, clusters, alpha),
    )


def alert(points: Sequence[Point], below: float, consecutive: int) -> bool:
    """Whether the last ``consecutive`` windows all lie below: the upper end of the corrected interval, or of the raw
    one where nothing could be corrected."""
    ends = [_upper(point) for point in points[-consecutive:]]
    return len(ends) == consecutive and all(end is not None and end < below for end in ends)


def _upper(point: Point) -> float | None:
    shown = point.corrected if point.corrected and point.corrected.high is not None else point.raw
    return shown.high
