import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import samplesize_proportions_2indep_onetail  # type: ignore[import-untyped]

from judgefleet.detection import plan_drop_detection, rate_difference_size


@pytest.mark.parametrize(("p1", "p2", "power"), [(0.6, 0.65, 0.8), (0.12, 0.1, 0.9)])
def test_size_is_that_of_statsmodels(p1: float, p2: float, power: float) -> None:
    known = samplesize_proportions_2indep_onetail(p1 - p2, p2, power, alpha=0.05, alternative="two-sided")
    assert rate_difference_size(p1, p2, power=power) == pytest.approx(known, rel=1e-9)
    assert rate_difference_size(p2, p1, power=power) == pytest.approx(known, rel=1e-9)


def test_a_planned_drop_is_found_as_often_as_promised() -> None:
    n = plan_drop_detection(0.9, 0.85, traffic_per_window=1e6).n_per_window
    rng = np.random.default_rng(11)
    before, after = rng.binomial(n, 0.9, 20_000) / n, rng.binomial(n, 0.85, 20_000) / n
    pooled = (before + after) / 2
    z = (before - after) / np.sqrt(pooled * (1 - pooled) * 2 / n)
    assert np.mean(z >= stats.norm.isf(0.05)) == pytest.approx(0.9, abs=0.01)


def test_clusters_cost_their_design_effect() -> None:
    size = rate_difference_size(0.9, 0.87, power=0.9, sided=1)
    plan = plan_drop_detection(0.9, 0.87, traffic_per_window=4000, design_effect=2.2)
    assert plan.n_per_window == math.ceil(size * 2.2) == 4257
    assert not plan.feasible
    assert plan_drop_detection(0.9, 0.87, traffic_per_window=4257, design_effect=2.2).feasible


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="a drop ends below its baseline"):
        plan_drop_detection(0.8, 0.8, traffic_per_window=100)
    with pytest.raises(ValueError, match="two equal rates"):
        rate_difference_size(0.5, 0.5)
    with pytest.raises(ValueError, match="found p1 = 1; allowed"):
        rate_difference_size(1, 0.5)
    with pytest.raises(ValueError, match="found sided = 3"):
        rate_difference_size(0.4, 0.5, sided=3)
    with pytest.raises(ValueError, match="found traffic_per_window = 0"):
        plan_drop_detection(0.9, 0.8, traffic_per_window=0)
