"""Which traces people should label: more where the judge is unsure, each with a known probability.

Poststratifying and weighting undo the unequal chances, so that estimates stay unbiased (Horvitz & Thompson 1952); the
floor keeps weights, and with them intervals, from growing without bound (Zrnic & Candes 2024).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from judgefleet.hashing import unit_interval

LEAST_PER_STRATUM = 30
FLOOR = 0.3


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A scored trace or pair. ``stratum``: the judge's verdict, and the segment where one is asked for.

    ``unsure``: from 0, sure, to 1, a coin flip or two orders that disagree. ``probability``: with which the trace
    itself was sampled.
    """

    key: str
    stratum: str
    unsure: float
    probability: float = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """A candidate to label. ``probability``: sampled and drawn, the product; its inverse is the weight of the label."""

    key: str
    stratum: str
    probability: float


def draw(candidates: Sequence[Candidate], n: int, salt: str, floor: float = FLOOR) -> list[Drawn]:
    """Exactly ``min(n, len(candidates))`` of the candidates, by strata and, within one, by how unsure the judge is.

    Each stratum gets its share of ``n``, and at least 30 where it has as many (both verdicts must be seen). Within it
    the chance is proportional to ``floor + (1 - floor) * unsure / mean(unsure)``, cut at 1. Systematic sampling over a
    shuffled list (Madow 1949) keeps these chances exactly. The same candidates and ``salt`` draw the same again.
    """
    strata: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        strata.setdefault(candidate.stratum, []).append(candidate)
    sizes = allocate({name: len(members) for name, members in strata.items()}, n)
    return [one for name in sorted(strata) for one in _within(strata[name], sizes[name], f"{salt}/{name}", floor)]


def allocate(strata: Mapping[str, int], n: int, least: int = LEAST_PER_STRATUM) -> dict[str, int]:
    """``n`` over the strata in proportion to their sizes, none below ``least`` while it has as many and ``n`` allows.

    >>> allocate({"pass": 900, "fail": 100}, 100)
    {'pass': 70, 'fail': 30}
    >>> allocate({"pass": 900, "fail": 5}, 100)
    {'pass': 95, 'fail': 5}
    """
    total = sum(strata.values())
    n = min(n, total)
    floors = {name: min(size, least, n // max(len(strata), 1)) for name, size in strata.items()}
    given = {name: min(size, max(floors[name], int(n * size / total))) for name, size in strata.items()}
    # Rounding and floors leave some over or too many: settle it where there is most room, the largest stratum first.
    while (left := n - sum(given.values())) != 0:
        step = 1 if left > 0 else -1
        open_ones = [k for k in strata if (given[k] < strata[k] if step > 0 else given[k] > floors[k])]
        name = max(open_ones, key=lambda k: (step * (n * strata[k] / total - given[k]), strata[k]))
        given[name] += step
    return given


def _within(members: Sequence[Candidate], size: int, salt: str, floor: float) -> list[Drawn]:
    """A systematic sample of ``size``, with the chances of ``chances``."""
    ordered = sorted(members, key=lambda c: unit_interval(c.key, salt))
    p = chances(np.array([c.unsure for c in ordered]), size, floor)
    ends = np.cumsum(p)
    start = unit_interval("start", salt)
    # A candidate is taken when its stretch of the line holds one of start, start + 1, ...; rounding keeps sums whole.
    taken = np.floor(np.round(ends - start, 9)) > np.floor(np.round(ends - p - start, 9))
    return [
        Drawn(key=c.key, stratum=c.stratum, probability=float(chance) * c.probability)
        for c, chance, take in zip(ordered, p, taken, strict=True)
        if take
    ]


def chances(unsure: npt.NDArray[np.float64], size: int, floor: float = FLOOR) -> npt.NDArray[np.float64]:
    """Chance of each to be drawn, shape (n,); they add up to ``size`` and none is above 1.

    >>> chances(np.array([0.0, 0.0, 1.0, 1.0]), 2).round(2).tolist()
    [0.15, 0.15, 0.85, 0.85]
    """
    if size >= len(unsure):
        return np.ones(len(unsure))
    mean = float(unsure.mean())
    weights = floor + (1 - floor) * (unsure / mean if mean > 0 else np.ones(len(unsure)))
    p = np.zeros(len(unsure))
    free = np.ones(len(unsure), dtype=bool)
    while True:
        p[free] = (size - (~free).sum()) * weights[free] / weights[free].sum()
        over = free & (p > 1)
        if not over.any():
            return p
        p[over], free = 1.0, free & ~over
