"""A row of a pair says how likely it was that both halves were drawn; the win rate that follows is unbiased."""

import numpy as np
import pytest

from judgefleet.sampling import SamplingPlan
from judgefleet.trace import Trace
from judges.pairs import Pair, match_pairs

KEY = "item"


def traces(n: int) -> list[Trace]:
    """``n`` questions with an answer of A and one of B each; the even ones are of tier 1, where A always wins."""
    return [
        Trace(trace_id=f"{v}{i}", variant=v, service=f"tier{i % 2}", attributes={KEY: f"i{i}"})
        for i in range(n)
        for v in "AB"
    ]


@pytest.mark.parametrize("unit", [f"attributes.{KEY}", "trace"])
@pytest.mark.parametrize("where", ["service", "variant"])
def test_the_weighted_share_of_a_tier_is_the_true_one(unit: str, where: str) -> None:
    name = "tier0" if where == "service" else "A"
    strata = [{"name": "s", "where": {where: name}, "rate": 0.2}]
    totals, shares = [], []
    for salt in range(300):
        plan = SamplingPlan.model_validate({"salt": str(salt), "unit": unit, "strata": strata, "default_rate": 0.6})
        pairs = [p for p in match_pairs(list(plan.draw(traces(120))), ("A", "B"), KEY) if isinstance(p, Pair)]
        for pair in pairs:
            assert pair.samples[0].inclusion_probability == pair.samples[1].inclusion_probability
        weights = [1 / p.samples[0].inclusion_probability for p in pairs]
        totals.append(sum(weights))
        shares.append(sum(w for w, p in zip(weights, pairs, strict=True) if p.samples[0].trace.service == "tier0"))
    for found, truth in ((totals, 120), (shares, 60)):
        error = np.std(found, ddof=1) / np.sqrt(len(found))
        assert abs(np.mean(found) - truth) < 3.5 * error
