"""Oracles: scipy's exact interval, statsmodels' z test, and coverage over all outcomes."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportions_ztest  # type: ignore[import-untyped]

from judgefleet.binomial import clopper_pearson, lower_bound, two_proportion_test


@pytest.mark.parametrize(("successes", "n"), [(0, 7), (3, 7), (7, 7), (480, 500)])
@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_exact_interval_is_that_of_scipy(successes: int, n: int, alpha: float) -> None:
    known = stats.binomtest(successes, n).proportion_ci(1 - alpha, method="exact")
    assert clopper_pearson(successes, n, alpha) == pytest.approx((known.low, known.high), abs=1e-10)


@pytest.mark.parametrize("rate", [0.03, 0.5, 0.91])
def test_exact_interval_never_covers_less_than_it_says(rate: float) -> None:
    outcomes = np.arange(41)
    ends = [clopper_pearson(k, 40) for k in range(41)]
    hits = [low <= rate <= high for low, high in ends]
    assert stats.binom.pmf(outcomes, 40, rate) @ hits >= 0.95


def test_lower_bound_is_the_rate_that_would_rarely_do_so_well() -> None:
    bound = lower_bound(77, 80, 0.95)
    assert stats.binom.sf(76, 80, bound) == pytest.approx(0.05)
    assert lower_bound(0, 80) == 0


def test_z_test_is_that_of_statsmodels() -> None:
    found = two_proportion_test(45, 60, 70, 110)
    assert (found.z, found.p_value) == pytest.approx(proportions_ztest([45, 70], [60, 110]))
    turned = two_proportion_test(70, 110, 45, 60)
    assert (turned.z, turned.low, turned.high) == pytest.approx((-found.z, -found.high, -found.low))


@pytest.mark.parametrize("successes", [0, 9])
def test_samples_that_do_not_vary_are_no_evidence(successes: int) -> None:
    found = two_proportion_test(successes, 9, successes, 9)
    assert (found.difference, found.z, found.p_value) == (0, 0, 1)


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="found 8 successes in n = 7 trials; allowed: 0 to n"):
        clopper_pearson(8, 7)
    with pytest.raises(ValueError, match="at least 1 is needed"):
        two_proportion_test(0, 0, 1, 2)
    with pytest.raises(ValueError, match="found confidence = 1; allowed: above 0 and below 1"):
        lower_bound(1, 2, 1)
