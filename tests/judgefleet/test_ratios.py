"""The ratio of sums: against a bootstrap, and in a simulation of its coverage."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from judgefleet.ratios import ratio_ci


def test_ratio_refuses_what_is_no_number() -> None:
    for tops, bottoms in (([1.0, np.nan], [1, 1]), ([1.0], [1, 1]), ([1.0, 1.0], [1, np.inf])):
        with pytest.raises(ValueError, match="values"):
            ratio_ci(tops, bottoms)


def draw(rng: np.random.Generator, n: int, rate: float) -> tuple[Any, Any]:
    """Costs and successes; failed sessions cost half as much again."""
    won = rng.random(n) < rate
    return rng.lognormal(0, 0.6, n) * np.where(won, 1.0, 1.5), won.astype(float)


def test_the_interval_agrees_with_a_bootstrap() -> None:
    spent, won = draw(np.random.default_rng(3), 400, 0.7)
    found = ratio_ci(spent, won)

    def ratio(top: Any, bottom: Any, axis: int = -1) -> Any:
        return top.sum(axis=axis) / bottom.sum(axis=axis)

    ends = stats.bootstrap((spent, won), ratio, paired=True, n_resamples=4000, rng=np.random.default_rng(4))
    assert found.low == pytest.approx(ends.confidence_interval.low, rel=0.01)
    assert found.high == pytest.approx(ends.confidence_interval.high, rel=0.01)


def test_it_is_unmoved_by_scale_and_by_equal_weights() -> None:
    spent, won = draw(np.random.default_rng(5), 50, 0.6)
    one, weighted, dearer = ratio_ci(spent, won), ratio_ci(spent, won, np.full(50, 7.0)), ratio_ci(spent * 100, won)
    assert (weighted.value, weighted.low, weighted.high) == pytest.approx((one.value, one.low, one.high))
    assert one.low is not None
    assert dearer.low == pytest.approx(one.low * 100)


@pytest.mark.parametrize(("n", "rate"), [(25, 0.5), (60, 0.8), (60, 0.3)])
def test_the_interval_covers_what_it_promises(n: int, rate: float) -> None:
    rng = np.random.default_rng(11)
    truth = np.exp(0.6**2 / 2) * (rate + 1.5 * (1 - rate)) / rate
    found = [ratio_ci(*draw(rng, n, rate)) for _ in range(2000)]
    covered = [e.low <= truth <= e.high for e in found if e.low is not None and e.high is not None]
    assert len(covered) > 1950
    assert 0.935 < np.mean(covered) < 0.965
