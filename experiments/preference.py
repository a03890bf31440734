"""A against B when a judge chooses between the two answers: win rate, position flips, preference for a slot.

Functions take pairwise score rows of ONE scorer, axis and fingerprint. A pair is two mirrored rows, one a trace;
it is counted once.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from experiments.columns import columns_of
from experiments.pairs import FIRST, LABELS, LOSS, NOTHING, SECOND, SLOTS, TIE, WIN, Pairs, sides_of
from judgefleet.proportions import proportion_ci, win_rate_ci
from judgefleet.statistics import Estimate, weighted_mean_ci

# By the place in LABELS.
_SCORES = np.array([1.0, 0.0, 0.5])


@dataclass(frozen=True, kw_only=True, slots=True)
class Preference:
    """How often ``candidate`` is preferred to ``baseline``: ties count half in ``win_rate``; ``probability`` is the
    mean probability the judge gave to the candidate's answer. ``failed`` pairs have no verdict."""

    baseline: str
    candidate: str
    win_rate: Estimate
    probability: Estimate
    wins: int
    ties: int
    losses: int
    failed: int

    @property
    def pairs(self) -> int:
        """Pairs asked, with a verdict or without."""
        return self.wins + self.ties + self.losses + self.failed


@dataclass(frozen=True, kw_only=True, slots=True)
class PositionBias:
    """What the order of the answers did. ``flips``: pairs whose verdict changed with the order, of ``pairs`` judged in
    both orders. ``first_slot``: share of the single-order verdicts that went to the answer that stood first."""

    pairs: int
    flips: int
    flip_rate: Estimate
    verdicts: int
    first: int
    second: int
    ties: int
    first_slot: Estimate


def prefer(scores: pa.Table | Pairs, *, baseline: str, candidate: str, alpha: float = 0.05) -> Preference:
    """Win rate of ``candidate``, counted on its own rows against ``baseline``.

    Pairs of one golden item are one cluster. Pairs without a verdict are counted in ``failed`` only.
    """
    pairs = _pairs(scores).between(baseline, candidate)
    judged = pairs.where((pairs.sides.labels != NOTHING) & np.isfinite(pairs.columns.values))
    rows, labels = judged.columns, np.bincount(judged.sides.labels, minlength=len(LABELS)).tolist()
    # A row of a pair has the probability that both of its traces were drawn.
    clusters = np.where(rows.items != 0, rows.items, judged.sides.keys)
    counts = dict(zip(LABELS, labels, strict=True))
    return Preference(
        baseline=baseline,
        candidate=candidate,
        win_rate=win_rate_ci(_SCORES[judged.sides.labels], rows.weights, clusters, alpha),
        probability=weighted_mean_ci(rows.values, rows.weights, clusters, alpha),
        wins=counts[WIN],
        ties=counts[TIE],
        losses=counts[LOSS],
        failed=len(pairs) - len(judged),
    )


def position_bias(scores: pa.Table | Pairs, *, alpha: float = 0.05) -> PositionBias:
    """Flips and first-slot preference over every pair with status ok; Wilson intervals, verdicts clustered by pair."""
    pairs = _pairs(scores).once.valued.sides
    flipped = pairs.consistent[pairs.consistent != NOTHING] == 0
    asked = np.stack([pairs.own_first, pairs.other_first], axis=1)
    said, keys = asked[asked != NOTHING], np.repeat(pairs.keys, 2)[(asked != NOTHING).ravel()]
    slots = np.bincount(said, minlength=len(SLOTS)).tolist()
    return PositionBias(
        pairs=len(flipped),
        flips=int(flipped.sum()),
        flip_rate=proportion_ci(flipped.astype(float), alpha=alpha),
        verdicts=len(said),
        first=slots[SLOTS.index(FIRST)],
        second=slots[SLOTS.index(SECOND)],
        ties=slots[SLOTS.index(TIE)],
        first_slot=proportion_ci((said == SLOTS.index(FIRST)).astype(float), clusters=keys, alpha=alpha),
    )


def winner(order: Mapping[str, Any], trace_id: str) -> str | None:
    """The verdict of one order as seen from ``trace_id``: win, loss, tie, or None when there was none.

    >>> winner({"first": "t1", "label": "first"}, "t1"), winner({"first": "t1", "label": "first"}, "t2")
    ('win', 'loss')
    """
    if order["label"] not in (FIRST, SECOND):
        return TIE if order["label"] == TIE else None
    return WIN if (order["label"] == FIRST) == (order["first"] == trace_id) else LOSS


def count_cells(scores: pa.Table | Pairs, *, baseline: str, candidate: str) -> Counter[tuple[str, str]]:
    """Pairs with a value by their two verdicts about the candidate: that with the baseline first, and the other."""
    sides = _pairs(scores).between(baseline, candidate).valued.sides
    found: Counter[tuple[str, str]] = Counter()
    for own, other in ((own, other) for own in range(len(SLOTS)) for other in range(len(SLOTS))):
        cell = _seen(other, own_first=False), _seen(own, own_first=True)
        found[cell] += int(((sides.own_first == own) & (sides.other_first == other)).sum())
    return +found


def _seen(slot: int, *, own_first: bool) -> str:
    return str(winner({"first": "own" if own_first else "other", "label": SLOTS[slot]}, "own"))


def _pairs(scores: pa.Table | Pairs) -> Pairs:
    return scores if isinstance(scores, Pairs) else Pairs(columns=columns_of(scores), sides=sides_of(scores))
