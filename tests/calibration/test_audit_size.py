"""Oracles: the binomial tail at every size, statsmodels' kappa on expected tables, and simulation."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.inter_rater import cohens_kappa  # type: ignore[import-untyped]

from calibration.audit_size import (
    kappa_size,
    kappa_variance,
    least_agreements,
    plan_agreement_audit,
    zero_failure_bound,
)
from calibration.kappa import cohen_kappa


def expected_table(kappa: float, prevalence: float) -> np.ndarray:
    other = 1 - prevalence
    excess = kappa * prevalence * other
    return np.array(
        [[prevalence**2 + excess, prevalence * other - excess], [prevalence * other - excess, other**2 + excess]]
    )


@pytest.mark.parametrize(
    ("p_bad", "p_good", "alpha", "beta"),
    [(0.8, 0.9, 0.05, 0.2), (0.5, 0.95, 0.05, 0.1), (0.9, 0.97, 0.1, 0.2), (0.02, 0.2, 0.01, 0.05)],
)
def test_a_plan_is_the_first_size_that_works_and_the_last_that_does_not(
    p_bad: float, p_good: float, alpha: float, beta: float
) -> None:
    plan = plan_agreement_audit(p_bad, p_good, alpha=alpha, beta=beta)
    works = []
    for n in range(1, 4 * plan.n_safe):
        c = int(np.argmax(np.asarray(stats.binom.sf(np.arange(n + 2) - 1, n, p_bad)) <= alpha))
        works.append(stats.binom.sf(c - 1, n, p_good) >= 1 - beta)
    assert plan.n == works.index(True) + 1
    assert plan.n_safe == len(works) - works[::-1].index(False) + 1
    assert plan.n <= plan.n_safe
    assert (plan.false_pass <= alpha, plan.power >= 1 - beta) == (True, True)
    assert plan.power == pytest.approx(stats.binom.sf(plan.c - 1, plan.n, p_good))


def test_judges_that_are_worlds_apart_need_few_items() -> None:
    plan = plan_agreement_audit(0.01, 0.99)
    assert (plan.n, plan.c, plan.n_safe) == (1, 1, 1)


def test_small_risks_and_close_judges_are_planned_too() -> None:
    plan = plan_agreement_audit(0.9, 0.91, alpha=0.01, beta=0.01)
    assert plan.n > 10_000
    assert plan.n_safe >= plan.n


def test_least_agreements_are_the_fewest() -> None:
    sizes = np.arange(1, 200)
    c = least_agreements(sizes, 0.75, 0.05)
    assert np.max(stats.binom.sf(c - 1, sizes, 0.75)) <= 0.05
    assert np.min(stats.binom.sf(c - 2, sizes, 0.75)) > 0.05


def test_no_failures_show_as_much_as_the_success_run_theorem_says() -> None:
    assert zero_failure_bound(299, 0.95) == pytest.approx(0.05 ** (1 / 299))


@pytest.mark.parametrize("kappa", [0.0, 0.4, 0.8])
@pytest.mark.parametrize("prevalence", [0.3, 0.5, 0.9])
def test_the_variance_is_that_of_statsmodels(kappa: float, prevalence: float) -> None:
    known = cohens_kappa(expected_table(kappa, prevalence) * 1e6).std_kappa ** 2 * 1e6
    assert kappa_variance(kappa, prevalence) == pytest.approx(known, rel=1e-6)


def test_a_planned_audit_of_kappa_has_about_its_power() -> None:
    n = math.ceil(kappa_size(0.4, 0.6, 0.6))
    threshold = 0.4 + stats.norm.isf(0.05) * (kappa_variance(0.4, 0.6) / n) ** 0.5
    draws = np.random.default_rng(9).multinomial(n, expected_table(0.6, 0.6).ravel(), 2000).reshape(-1, 2, 2)
    assert np.mean([cohen_kappa(draw).value >= threshold for draw in draws]) == pytest.approx(0.8, abs=0.04)


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="a good judge agrees more often"):
        plan_agreement_audit(0.9, 0.9)
    with pytest.raises(ValueError, match="found p_good = 1;"):
        plan_agreement_audit(0.9, 1)
    with pytest.raises(ValueError, match=r"found kappa0 0\.6 and kappa1 0\.4"):
        kappa_size(0.6, 0.4, 0.5)
    with pytest.raises(ValueError, match="found prevalence = 0"):
        kappa_size(0.4, 0.6, 0)
