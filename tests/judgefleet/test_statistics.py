"""Oracles: statsmodels and scipy; coverage by seeded simulation and, for plain Wilson, exactly."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats
from statsmodels.regression.linear_model import WLS  # type: ignore[import-untyped]
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint  # type: ignore[import-untyped]

from judgefleet.moments import Moments
from judgefleet.proportions import (
    paired_correlation,
    proportion_ci,
    rate_difference_ci,
    wilson_interval,
    win_rate_ci,
)
from judgefleet.statistics import Estimate, difference_ci, kish_size, weighted_mean_ci

SIZES, RATES = (30, 100), (0.6, 0.85, 0.95)
Array = np.ndarray


def clustered_data(seed: int = 7, clusters: int = 12, per: int = 4) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(clusters), per)
    values = rng.normal(3, 1, clusters)[labels] + rng.normal(0, 0.5, clusters * per)
    return values, rng.uniform(1, 9, clusters * per), labels


def interval(e: Estimate) -> tuple[float, float]:
    assert e.low is not None
    assert e.high is not None
    return e.low, e.high


class TestMean:
    def test_unweighted_rows_give_the_t_interval_of_scipy(self) -> None:
        values = clustered_data()[0]
        low, high = stats.ttest_1samp(values, 0).confidence_interval(0.95)
        assert interval(weighted_mean_ci(values)) == pytest.approx((low, high), rel=1e-12)

    @pytest.mark.parametrize("alpha", [0.05, 0.2])
    def test_weights_and_clusters_give_cluster_robust_wls_of_statsmodels(self, alpha: float) -> None:
        values, weights, labels = clustered_data()
        fit = WLS(values, np.ones((len(values), 1)), weights=weights).fit(
            cov_type="cluster", cov_kwds={"groups": labels}, use_t=True
        )
        e = weighted_mean_ci(values, weights, labels, alpha)
        assert e.value == pytest.approx(fit.params[0], rel=1e-12)
        assert interval(e) == pytest.approx(tuple(fit.conf_int(alpha)[0]), rel=1e-9)
        assert (e.n, e.n_clusters) == (48, 12)

    def test_cluster_names_may_be_strings_in_any_order(self) -> None:
        values, weights, labels = clustered_data()
        order = np.random.default_rng(1).permutation(len(values))
        named = np.array([f"conversation {k}" for k in labels])
        got = weighted_mean_ci(values[order], weights[order], named[order])
        assert interval(got) == pytest.approx(interval(weighted_mean_ci(values, weights, labels)), rel=1e-12)

    def test_the_scale_of_the_weights_does_not_matter(self) -> None:
        values, weights, labels = clustered_data()
        assert interval(weighted_mean_ci(values, weights * 1e6, labels)) == pytest.approx(
            interval(weighted_mean_ci(values, weights, labels))
        )

    def test_no_data_is_no_value_rather_than_zero(self) -> None:
        e = weighted_mean_ci([])
        assert (e.value, e.low, e.high, e.n) == (None, None, None, 0)
        assert "no data" in e.method

    def test_one_cluster_is_a_value_without_interval(self) -> None:
        e = weighted_mean_ci([1.0, 3.0], clusters=["x", "x"])
        assert (e.value, e.has_interval, e.n, e.n_clusters) == (2.0, False, 2, 1)
        assert "one cluster" in e.method

    @pytest.mark.parametrize("value", [0.0, 0.1, 4.0, 1e-9])
    def test_values_that_do_not_vary_have_no_interval(self, value: float) -> None:
        e = weighted_mean_ci([value] * 30, weights=np.linspace(1, 2, 30))
        assert e.value == pytest.approx(value)
        assert not e.has_interval
        assert "all equal" in e.method

    @pytest.mark.parametrize(
        ("values", "weights", "clusters"),
        [
            ([1, 2], [1], None),
            ([1, 2], None, [1]),
            ([1, np.nan], None, None),
            ([1, 2], [1, 0], None),
            ([1], [-1], None),
        ],
    )
    def test_bad_input_is_refused(self, values: list[float], weights: list[float], clusters: list[int]) -> None:
        with pytest.raises(ValueError, match=r"lengths|finite"):
            weighted_mean_ci(values, weights, clusters)


class TestDifference:
    def test_independent_arms_give_welch_of_scipy(self) -> None:
        rng = np.random.default_rng(3)
        a, b = rng.normal(0, 1, 21), rng.normal(0.4, 3, 34)
        low, high = stats.ttest_ind(b, a, equal_var=False).confidence_interval(0.95)
        assert interval(difference_ci(Moments.of(a), Moments.of(b))) == pytest.approx((low, high), rel=1e-12)

    def test_too_little_data(self) -> None:
        two, one, none = Moments.of([1, 2]), Moments.of([5]), Moments.of([])
        assert difference_ci(two, none).value is None
        assert difference_ci(two, one).value == 3.5
        assert not difference_ci(two, one).has_interval
        assert not difference_ci(Moments.of([1, 1]), Moments.of([2, 2])).has_interval


class TestProportion:
    @pytest.mark.parametrize(("ones", "n"), [(0, 10), (15, 148), (1, 29), (480, 500), (10, 10)])
    def test_plain_rows_give_wilson_of_statsmodels(self, ones: int, n: int) -> None:
        e = proportion_ci([1] * ones + [0] * (n - ones))
        assert interval(e) == pytest.approx(proportion_confint(ones, n, method="wilson"), abs=1e-12)
        assert e.value == ones / n

    def test_copied_rows_of_one_cluster_carry_no_information(self) -> None:
        rng = np.random.default_rng(5)
        base = (rng.random(40) < 0.7).astype(float)
        copied = proportion_ci(np.repeat(base, 5), clusters=np.repeat(np.arange(40), 5))
        shrink = (stats.norm.isf(0.025) / stats.t.isf(0.025, 39)) ** 2
        p = float(base.mean())
        # Five perfect copies: the design effect is 5 up to the factor G/(G-1) against n/(n-1).
        assert interval(copied) == pytest.approx(wilson_interval(p, 40 * 39 / 40 * 200 / 199 * shrink), abs=1e-12)
        assert "design effect 5.1" in copied.method

    def test_weights_cost_at_least_what_kish_says(self) -> None:
        values, weights = np.tile([1.0, 0, 1, 1], 25), np.tile([1.0, 1, 1, 9], 25)
        e = proportion_ci(values, weights)
        assert e.value == pytest.approx(11 / 12)
        low, high = interval(e)
        kish_low, kish_high = wilson_interval(11 / 12, kish_size(weights))
        assert low <= kish_low + 1e-12
        assert high >= kish_high - 1e-12
        assert "Kish 42.9" in e.method

    def test_all_ones_in_few_clusters_is_as_wide_as_that_many_rows(self) -> None:
        e = proportion_ci(np.ones(50), clusters=np.repeat(np.arange(5), 10))
        assert interval(e) == pytest.approx(wilson_interval(1, 5))

    def test_other_values_and_single_clusters(self) -> None:
        with pytest.raises(ValueError, match="zeros and ones"):
            proportion_ci([0.5, 1])
        assert not proportion_ci([1.0]).has_interval
        assert proportion_ci([]).value is None


class TestWinRate:
    def test_without_ties_it_is_wilson(self) -> None:
        assert interval(win_rate_ci([1] * 60 + [0] * 40)) == pytest.approx(
            proportion_confint(60, 100, method="wilson"), abs=1e-12
        )

    def test_pairs_of_one_item_count_as_one_cluster(self) -> None:
        values = np.tile([1.0, 0, 0.5, 1], 10)
        e = win_rate_ci(values, clusters=np.repeat(np.arange(10), 4))
        assert interval(e) == pytest.approx(wilson_interval(0.625, 10))
        assert (e.n, e.n_clusters) == (40, 10)

    def test_mirrored_preferences_mirror_the_interval(self) -> None:
        values = np.array([1, 1, 0.5, 0, 0.5, 1, 1])
        low, high = interval(win_rate_ci(values))
        assert interval(win_rate_ci(1 - values)) == pytest.approx((1 - high, 1 - low))

    def test_out_of_range_and_too_few(self) -> None:
        with pytest.raises(ValueError, match=r"\[0, 1\]"):
            win_rate_ci([1.2, 0])
        assert not win_rate_ci([1.0]).has_interval
        assert win_rate_ci([]).value is None


class TestRateDifference:
    def test_independent_arms_give_newcombe_of_statsmodels(self) -> None:
        e = rate_difference_ci(proportion_ci([1] * 7 + [0] * 27), proportion_ci([1] * 9 + [0] * 2))
        assert interval(e) == pytest.approx(confint_proportions_2indep(9, 11, 7, 34, method="newcomb"), abs=1e-12)
        assert (e.n, e.n_clusters) == (45, 45)

    def test_rows_that_all_agree_still_have_a_width(self) -> None:
        same = proportion_ci([1] * 24)
        low, high = interval(rate_difference_ci(same, same))
        assert (low, high) == pytest.approx((-(1 - wilson_interval(1, 24)[0]), 1 - wilson_interval(1, 24)[0]))

    def test_pairs_that_agree_make_it_shorter(self) -> None:
        a, b = np.tile([1.0, 1, 0, 1, 0], 12), np.tile([1.0, 1, 1, 1, 0], 12)
        phi = paired_correlation(a, b)
        assert 0 < phi < float(np.corrcoef(a, b)[0, 1])
        paired = interval(rate_difference_ci(proportion_ci(a), proportion_ci(b), phi))
        apart = interval(rate_difference_ci(proportion_ci(a), proportion_ci(b)))
        assert apart[0] < paired[0] < 0.2 < paired[1] < apart[1]

    def test_pairs_that_disagree_make_it_longer(self) -> None:
        a = np.tile([1.0, 0], 10)
        assert paired_correlation(a, 1 - a) == -1

    def test_too_little_data(self) -> None:
        some = proportion_ci([1, 0])
        assert rate_difference_ci(some, proportion_ci([])).value is None
        one = rate_difference_ci(some, proportion_ci([1]))
        assert (one.value, one.has_interval) == (0.5, False)


def coverage(draw: Callable[[np.random.Generator], Estimate], truth: float, runs: int = 1500) -> float:
    rng = np.random.default_rng(20260101)
    ends = [interval(draw(rng)) for _ in range(runs)]
    return float(np.mean([low <= truth <= high for low, high in ends]))


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("rate", RATES)
class TestCoverage:
    """95 % intervals must hold the truth in at least 93 % of draws."""

    def test_plain_rate_exactly(self, n: int, rate: float) -> None:
        hits = [wilson_interval(k / n, n)[0] <= rate <= wilson_interval(k / n, n)[1] for k in range(n + 1)]
        covered = float(stats.binom.pmf(np.arange(n + 1), n, rate) @ hits)
        assert covered >= 0.93

    def test_rate_in_clusters(self, n: int, rate: float) -> None:
        """n conversations of three turns; turns of one conversation agree with correlation 0.5."""

        def draw(rng: np.random.Generator) -> Estimate:
            shared = np.repeat(rng.random(n) < rate, 3)
            own = rng.random(3 * n) < rate
            copied = rng.random(3 * n) < 0.5**0.5
            return proportion_ci(np.where(copied, shared, own).astype(float), clusters=np.repeat(np.arange(n), 3))

        assert coverage(draw, rate) >= 0.93

    def test_rate_under_unequal_sampling(self, n: int, rate: float) -> None:
        """Half of the rows were drawn with probability 1, half with 1/4; the rates of the halves differ."""
        high, low = min(1.0, rate + 0.04), rate - 0.01

        def draw(rng: np.random.Generator) -> Estimate:
            heavy = np.arange(n) % 2
            values = rng.random(n) < np.where(heavy, low, high)
            return proportion_ci(values.astype(float), np.where(heavy, 4.0, 1.0))

        assert coverage(draw, (4 * low + high) / 5) >= 0.93

    def test_difference_of_paired_rates(self, n: int, rate: float) -> None:
        """Half of the pairs share what decides both outcomes."""

        def draw(rng: np.random.Generator) -> Estimate:
            u = rng.random(n)
            v = np.where(rng.random(n) < 0.5, u, rng.random(n))
            a, b = (u < rate - 0.1).astype(float), (v < rate).astype(float)
            return rate_difference_ci(proportion_ci(a), proportion_ci(b), paired_correlation(a, b))

        assert coverage(draw, 0.1) >= 0.93

    def test_win_rate_with_ties(self, n: int, rate: float) -> None:
        ties = min(0.3, 2 * (1 - rate))

        def draw(rng: np.random.Generator) -> Estimate:
            outcome = rng.choice([1.0, 0.5, 0.0], size=n, p=[rate - ties / 2, ties, 1 - rate - ties / 2])
            return win_rate_ci(outcome)

        assert coverage(draw, rate) >= 0.93

    def test_mean_of_scores_in_clusters(self, n: int, rate: float) -> None:
        """Scores from 1 to 5 with a conversation effect and weights; the rate sets how skewed they are."""

        def draw(rng: np.random.Generator) -> Estimate:
            labels = np.repeat(np.arange(n), 2)
            ease = np.clip(rng.normal(rate, 0.1, n), 0, 1)[labels]
            return weighted_mean_ci(1 + rng.binomial(4, ease), rng.choice([1.0, 2.0], 2 * n), labels)

        ease = np.clip(np.random.default_rng(1).normal(rate, 0.1, 400_000), 0, 1).mean()
        # At the ceiling with few clusters t is a little too short; the docstring says so.
        assert coverage(draw, 1 + 4 * float(ease)) >= (0.915 if (rate, n) == (0.95, 30) else 0.93)
