"""Has the judge changed? The same anchors, scored before and after, compared pair by pair.

A fall of live scores may be the system or the judge; anchors that never change tell which. How far a betting
e-process or a CUSUM follows anchors over time: ``judgefleet.anytime_rates`` and ``calibration.cusum``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats


@dataclass(frozen=True, kw_only=True, slots=True)
class Flips:
    """Anchors whose verdict changed: ``gained`` from fail to pass, ``lost`` from pass to fail, of ``n``.

    ``p_value`` tests that both directions are equally likely. A judge may flip much and symmetrically: look at ``rate``
    beside it, and at the same rate of two runs of an unchanged judge.
    """

    n: int
    gained: int
    lost: int
    p_value: float

    @property
    def rate(self) -> float:
        """Share of anchors whose verdict changed."""
        return (self.gained + self.lost) / self.n


def exact_mcnemar(gained: int, lost: int) -> float:
    """Two-sided exact McNemar test: ``gained`` out of both is a fair coin's (McNemar 1947; binomial, not chi-squared).

    1 where nothing changed.

    >>> round(exact_mcnemar(35, 15), 6)
    0.0066
    """
    if gained < 0 or lost < 0:
        raise ValueError(f"found {gained!r} gained and {lost!r} lost; counts start at 0")
    changed = gained + lost
    return float(stats.binomtest(gained, changed, 0.5).pvalue) if changed else 1.0


def paired_flips(before: Sequence[Any], after: Sequence[Any]) -> Flips:
    """Compare pass (1) and fail (0) of the same anchors, in the same order, before and after a change.

    Raises ValueError for unequal lengths, without anchors, and for other values than 0 and 1.

    >>> paired_flips([1, 1, 1, 1, 0, 0], [1, 0, 0, 0, 0, 1])
    Flips(n=6, gained=1, lost=3, p_value=0.625)
    """
    first, second = np.asarray(before), np.asarray(after)
    if first.shape != second.shape or first.ndim != 1 or not len(first):
        raise ValueError(f"found {len(before)} anchors before and {len(after)} after; needed: the same, at least one")
    if not (np.isin(first, (0, 1)).all() and np.isin(second, (0, 1)).all()):
        raise ValueError("verdicts are 1 for pass and 0 for fail")
    gained, lost = int(((first == 0) & (second == 1)).sum()), int(((first == 1) & (second == 0)).sum())
    return Flips(n=len(first), gained=gained, lost=lost, p_value=exact_mcnemar(gained, lost))
