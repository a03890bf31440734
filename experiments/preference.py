"""A against B when a judge chooses between the two answers: win rate, position flips, preference for a slot.

Functions take pairwise score rows of ONE scorer, axis and fingerprint. A pair is two mirrored rows, one a trace;
it is counted once.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from experiments.columns import ITEM_KEY
from experiments.comparison import Row, has_value, item_key, weight
from judgefleet.proportions import proportion_ci, win_rate_ci
from judgefleet.statistics import Estimate, weighted_mean_ci

WIN, LOSS, TIE = "win", "loss", "tie"
FIRST, SECOND = "first", "second"
_SCORE = {WIN: 1.0, TIE: 0.5, LOSS: 0.0}
COLUMNS = (
    *("trace_id", "span_id", "variant", "attributes", "inclusion_probability", "status", "value", "label", "pair_id"),
    *("other_trace_id", "order_consistent", "orders"),
)


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


def prefer(scores: pa.Table, *, baseline: str, candidate: str, alpha: float = 0.05) -> Preference:
    """Win rate of ``candidate``, counted on its own rows against ``baseline``.

    Pairs of one golden item are one cluster. Pairs without a verdict are counted in ``failed`` only.
    """
    rows = scores.select(COLUMNS).to_pylist()
    pairs = between(rows, baseline, candidate)
    judged = [r for r in pairs if has_value(r) and r["label"] in _SCORE]
    labels = Counter(r["label"] for r in judged)
    # A row of a pair has the probability that both of its traces were drawn.
    both = [weight(r) for r in judged]
    clusters = [item_key(r, ITEM_KEY) or pair_key(r) for r in judged]
    return Preference(
        baseline=baseline,
        candidate=candidate,
        win_rate=win_rate_ci([_SCORE[r["label"]] for r in judged], both, clusters, alpha),
        probability=weighted_mean_ci([r["value"] for r in judged], both, clusters, alpha),
        wins=labels[WIN],
        ties=labels[TIE],
        losses=labels[LOSS],
        failed=len(pairs) - len(judged),
    )


def position_bias(scores: pa.Table, *, alpha: float = 0.05) -> PositionBias:
    """Flips and first-slot preference over every pair with status ok; Wilson intervals, verdicts clustered by pair."""
    pairs = [r for r in once(scores.select(COLUMNS).to_pylist()) if has_value(r)]
    flipped = [not r["order_consistent"] for r in pairs if r["order_consistent"] is not None]
    verdicts = [(o["label"], pair_key(r)) for r in pairs for o in r["orders"] or () if o["label"]]
    slots = Counter(label for label, _ in verdicts)
    return PositionBias(
        pairs=len(flipped),
        flips=sum(flipped),
        flip_rate=proportion_ci([float(f) for f in flipped], alpha=alpha),
        verdicts=len(verdicts),
        first=slots[FIRST],
        second=slots[SECOND],
        ties=slots[TIE],
        first_slot=proportion_ci(
            [float(v == FIRST) for v, _ in verdicts], clusters=[p for _, p in verdicts], alpha=alpha
        ),
    )


def pair_key(row: Row) -> str:
    """What both rows of a pair share: the pair's id, or the two traces in sorted order."""
    return row["pair_id"] or " ".join(sorted((row["trace_id"], row["other_trace_id"] or "")))


def once(rows: Sequence[Row]) -> list[Row]:
    """One row a pair, the later variant's where the variants differ: the candidate's side."""
    chosen: dict[str, Row] = {}
    for row in sorted(rows, key=lambda r: (r["variant"] or "", r["trace_id"])):
        chosen[pair_key(row)] = row
    return list(chosen.values())


def between(rows: Sequence[Row], baseline: str, candidate: str) -> list[Row]:
    """The candidate's rows whose other trace belongs to the baseline, one a pair."""
    variants = {r["trace_id"]: r["variant"] for r in rows}
    mine = [r for r in rows if r["variant"] == candidate and variants.get(r["other_trace_id"]) == baseline]
    return once(mine)


def winner(order: dict[str, Any], trace_id: str) -> str | None:
    """The verdict of one order as seen from ``trace_id``: win, loss, tie, or None when there was none.

    >>> winner({"first": "t1", "label": "first"}, "t1"), winner({"first": "t1", "label": "first"}, "t2")
    ('win', 'loss')
    """
    if order["label"] not in (FIRST, SECOND):
        return TIE if order["label"] == TIE else None
    return WIN if (order["label"] == FIRST) == (order["first"] == trace_id) else LOSS


def cell_of(row: Row) -> tuple[str, str] | None:
    """The two verdicts about a candidate's row, baseline first and candidate first; None unless both are known."""
    said = {o["first"] == row["trace_id"]: winner(o, row["trace_id"]) for o in row["orders"] or ()}
    first, second = said.get(False), said.get(True)
    return (first, second) if first and second and has_value(row) else None


def count_cells(scores: pa.Table, *, baseline: str, candidate: str) -> Counter[tuple[str, str]]:
    """Pairs by their two verdicts (``cell_of``)."""
    rows = between(scores.select(COLUMNS).to_pylist(), baseline, candidate)
    return Counter(cell for row in rows if (cell := cell_of(row)))
