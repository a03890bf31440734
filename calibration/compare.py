"""Candidate judges on the same audit: who agrees with people more often, and is it more than chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from calibration.drift import exact_mcnemar
from calibration.matched import Matched
from judgefleet.multiple_testing import adjusted_p_values
from judgefleet.statistics import Estimate, weighted_mean_ci


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Two judges over the items that both answered. ``difference``: agreement of ``second`` minus that of ``first``;
    ``only_first``, ``only_second``: items that one alone got right. ``p_value``: exact McNemar test, adjusted by Holm
    for all comparisons together."""

    first: str
    second: str
    difference: Estimate
    only_first: int
    only_second: int
    p_value: float


def compare_judges(found: Mapping[str, Matched]) -> list[Comparison]:
    """Every two of the judges, by name."""
    pairs = [(a, b, *_counts(found[a], found[b])) for a, b in combinations(found, 2)]
    if not pairs:
        return []
    adjusted = adjusted_p_values([exact_mcnemar(second, first) for *_, first, second in pairs], "holm")
    return [
        Comparison(first=a, second=b, difference=gap, only_first=first, only_second=second, p_value=float(p))
        for (a, b, gap, first, second), p in zip(pairs, adjusted, strict=True)
    ]


def _counts(a: Matched, b: Matched) -> tuple[Estimate, int, int]:
    right = dict(zip((i.item_id for i in b.items), b.agree, strict=True))
    rows = [
        (right[item.item_id] - agree, item.cluster, weight)
        for item, agree, weight in zip(a.items, a.agree, a.weights, strict=True)
        if item.item_id in right
    ]
    gaps: Sequence[float] = [gap for gap, *_ in rows]
    clusters = np.array([cluster for _, cluster, _ in rows], dtype=object)
    gap = weighted_mean_ci(gaps, [weight for *_, weight in rows], clusters.astype(str))
    return gap, int(sum(g < 0 for g in gaps)), int(sum(g > 0 for g in gaps))
