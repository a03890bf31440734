"""The rows of one window of a trend: their mean or pass rate, raw and corrected, and the change since another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from calibration.correction import Labelled, corrected_pass_rate, labelled_of
from calibration.judged import Judged
from calibration.mean_correction import corrected_mean
from calibration.rates import rate_ci
from judgefleet.columns import Codes, looked_up, name_codes
from judgefleet.moments import Moments
from judgefleet.proportions import rate_difference_ci
from judgefleet.statistics import Estimate, difference_ci, weighted_mean_ci

PASS_RATE, MEAN = "pass_rate", "mean"


@dataclass(frozen=True, kw_only=True, slots=True)
class People:
    """Labels about traces, and the weight of each.

    With a ``cut`` they are pass (1) or fail (0), and the judge's score is a pass from there on; without one they are
    numbers on people's ``scale``.
    """

    human: Mapping[str, float]
    weights: Mapping[str, float]
    cut: float | None
    scale: tuple[float, float] | None = None

    @property
    def measure(self) -> str:
        """What a window's figure is."""
        return MEAN if self.cut is None else PASS_RATE


@dataclass(frozen=True, kw_only=True, slots=True)
class WindowRows:
    """The rows of one window that have a value; pass or fail where people say what a pass is."""

    rows: int
    values: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]
    clusters: Codes
    people: People | None
    labelled: Labelled | None

    @classmethod
    def of(cls, rows: Judged, people: People | None) -> "WindowRows":
        """From rows of one judge and axis."""
        valued = rows.valued
        values = valued.values
        if people is not None and people.cut is not None:
            values = (values >= people.cut).astype(np.float64)
        return cls(
            rows=len(rows),
            values=values,
            weights=valued.weights,
            clusters=valued.clusters,
            people=people,
            labelled=None if people is None else _labelled(people, valued.traces, values, valued.clusters),
        )

    @classmethod
    def joined(cls, parts: Sequence["WindowRows"]) -> "WindowRows":
        """Several windows as one; what people said is left out."""
        return cls(
            rows=sum(part.rows for part in parts),
            values=np.concatenate([part.values for part in parts]),
            weights=np.concatenate([part.weights for part in parts]),
            clusters=np.concatenate([part.clusters for part in parts]),
            people=parts[0].people,
            labelled=None,
        )

    @property
    def is_rate(self) -> bool:
        """Whether the values are zeros and ones."""
        return self.people is not None and self.people.cut is not None

    def mean(self, alpha: float) -> Estimate:
        """Hajek mean or rate of what the judge gave."""
        if self.is_rate and len(self.values):
            return rate_ci(self.values, self.weights, self.clusters, alpha)
        return weighted_mean_ci(self.values, self.weights, self.clusters, alpha)

    def corrected(self, everything: Labelled | None, alpha: float) -> Estimate | None:
        """The same by people's standard; ``everything``: the labels of all windows. None without labels."""
        if self.people is None or self.labelled is None or everything is None:
            return None
        if self.is_rate:
            return corrected_pass_rate(self.values > 0, self.weights, self.clusters, self.labelled, everything, alpha)
        scale = self.people.scale
        return corrected_mean(self.values, self.weights, self.clusters, self.labelled, everything, scale, alpha)

    def minus(self, first: "WindowRows", alpha: float) -> Estimate:
        """This window minus the first. Rates by exact intervals, since Welch's fails near 0 and 1; means by Welch's,
        with no interval where one side has fewer than ten conversations or does not vary: its spread is not known."""
        if self.is_rate:
            theirs, ours = (rate_ci(part.values, part.weights, part.clusters, alpha) for part in (first, self))
            return rate_difference_ci(theirs, ours)
        sides = [Moments.of(part.values, part.weights, part.clusters) for part in (first, self)]
        found = difference_ci(sides[0], sides[1], alpha)
        if all(side.n_clusters >= 10 and side.low < side.high for side in sides):
            return found
        return replace(found, low=None, high=None, method="difference of means; no interval: too little is known")


def _labelled(people: People, traces: Codes, values: npt.NDArray[np.float64], clusters: Codes) -> Labelled:
    names = list(people.human)
    codes = name_codes(pa.array(names, pa.string()))
    order = np.argsort(codes)
    at, there = looked_up(codes[order], traces)
    about = [names[place] for place in order[at[there]]]
    rate = people.cut is not None
    said = dict(zip(about, (values > 0 if rate else values)[there].tolist(), strict=True))
    belongs = dict(zip(about, map(str, clusters[there].tolist()), strict=True))
    return labelled_of(people.human, said, people.weights, belongs, bool if rate else float)
