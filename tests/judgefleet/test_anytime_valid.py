"""Guarantees by exact enumeration or seeded simulation; figures are among the reference cases."""

import itertools
import math

import numpy as np
import pytest

from judgefleet.anytime_rates import bernoulli_confidence_sequence, betting_e_process, two_sided_e_process
from judgefleet.anytime_valid import (
    asymptotic_radius,
    msprt_radius,
    normal_mixture_bound,
    normal_mixture_rho,
    poly_stitching_bound,
)


@pytest.mark.parametrize("two_sided", [True, False])
def test_a_random_walk_seldom_ever_crosses_the_normal_mixture(two_sided: bool) -> None:
    walks = np.cumsum(np.random.default_rng(1).normal(size=(3000, 1000)), axis=1)
    bound = np.array([normal_mixture_bound(v, 0.1, v_opt=100, two_sided=two_sided) for v in range(1, 1001)])
    crossed = ((np.abs(walks) if two_sided else walks) >= bound).any(axis=1).mean()
    assert 0.02 < crossed <= 0.105


def test_one_side_is_tighter_than_two_and_stitching_looser() -> None:
    for v in (50, 100, 1000):
        one, two = (normal_mixture_bound(v, v_opt=100, two_sided=sides) for sides in (False, True))
        assert one < two
        assert poly_stitching_bound(v, v_min=1) > one


def test_rho_makes_the_bound_about_tightest_where_it_was_asked_to() -> None:
    here = normal_mixture_bound(300, v_opt=300)
    assert all(here < normal_mixture_bound(300, v_opt=other) for other in (100, 900))
    assert normal_mixture_rho(300) == pytest.approx(3 * normal_mixture_rho(100))


@pytest.mark.parametrize("alpha", [1e-9, 0.05, 0.9])
def test_a_one_sided_bound_exists_for_little_time_and_for_much(alpha: float) -> None:
    bounds = [normal_mixture_bound(v, alpha, v_opt=100, two_sided=False) for v in (1e-6, 1, 100, 1e7)]
    assert bounds == sorted(bounds)
    assert bounds[0] > 0


def test_stitching_is_constant_before_its_start() -> None:
    assert poly_stitching_bound(0, v_min=10) == poly_stitching_bound(10, v_min=10) < poly_stitching_bound(11, v_min=10)
    assert poly_stitching_bound(100, v_min=1, c=1) > poly_stitching_bound(100, v_min=1)


def test_msprt_is_the_normal_mixture_of_the_mean() -> None:
    # rho = variance^2 / tau2, met by choosing v_opt.
    v_opt = 0.25**2 / 0.01 * 100 / normal_mixture_rho(100)
    bound = normal_mixture_bound(400 * 0.25, v_opt=v_opt)
    assert msprt_radius(400, variance=0.25, tau2=0.01) == pytest.approx(bound / 400)


def test_asymptotic_radius_scales_with_the_deviation_and_shrinks() -> None:
    radius = asymptotic_radius(500, sigma=1, t_opt=500)
    assert asymptotic_radius(500, sigma=3, t_opt=500) == pytest.approx(3 * radius)
    assert 1.96 / math.sqrt(500) < radius < 1.7 * 1.96 / math.sqrt(500)
    assert asymptotic_radius(2000, sigma=1, t_opt=500) < radius


@pytest.mark.parametrize("rate", [0.2, 0.5, 0.9])
def test_the_confidence_sequence_of_a_rate_ever_misses_with_a_chance_below_alpha(rate: float) -> None:
    """Exactly, over all paths of 60 trials: the chances of those that were never missed are carried on."""
    chances = np.array([1.0])
    for n in range(1, 61):
        chances = np.append(chances * (1 - rate), 0) + np.append(0, chances * rate)
        for x in np.flatnonzero(chances > 1e-9):
            low, high = bernoulli_confidence_sequence(int(x), n, 0.1, t_opt=50)
            chances[x] *= low <= rate <= high
    assert 0.9 <= chances.sum() < 0.995


@pytest.mark.parametrize(("x", "n"), [(0, 1), (1, 1), (0, 30), (1, 30), (15, 30), (30, 30), (3, 100_000)])
def test_a_rate_lies_in_its_sequence_and_failures_mirror_successes(x: int, n: int) -> None:
    low, high = bernoulli_confidence_sequence(x, n, t_opt=100)
    assert 0 <= low <= x / n <= high <= 1
    assert bernoulli_confidence_sequence(n - x, n, t_opt=100) == pytest.approx((1 - high, 1 - low), abs=1e-9)


@pytest.mark.parametrize("bet", [0.8, -0.6])
def test_wealth_under_the_mean_is_a_fair_game_and_seldom_grows(bet: float) -> None:
    paths = np.array(list(itertools.product([0.0, 1.0], repeat=12)))
    chances = np.prod(np.where(paths == 1, 0.3, 0.7), axis=1)
    wealth = np.array([betting_e_process(path, 0.3, bet) for path in paths])
    assert chances @ wealth == pytest.approx(np.ones(12))
    assert chances @ (wealth.max(axis=1) >= 5) <= 1 / 5


def test_wealth_grows_where_the_mean_is_another() -> None:
    x = np.random.default_rng(2).random(400) ** 2
    assert betting_e_process(x, 0.5, -0.7)[-1] > 1e6
    assert two_sided_e_process(x, 0.5, 0.7)[-1] > 1e6
    assert betting_e_process(x, 0.5, np.zeros(400)).tolist() == [1.0] * 400


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="rescale the scores"):
        betting_e_process([2.0], 0.5, 0.1)
    with pytest.raises(ValueError, match=r"found bet = 2.5; allowed for mean 0.5: -2 to 2"):
        betting_e_process([1.0], 0.5, 2.5)
    with pytest.raises(ValueError, match="found 3 successes in n = 2"):
        bernoulli_confidence_sequence(3, 2, t_opt=10)
    with pytest.raises(ValueError, match="found v_opt = 0"):
        normal_mixture_bound(1, v_opt=0)
    with pytest.raises(ValueError, match=r"allowed one-sided: below 0\.5"):
        normal_mixture_rho(1, 0.6, two_sided=False)
    with pytest.raises(ValueError, match="allowed: s and eta above 1"):
        poly_stitching_bound(1, v_min=1, s=1.0)
    with pytest.raises(ValueError, match="found sigma = nan"):
        asymptotic_radius(10, sigma=math.nan, t_opt=10)
    with pytest.raises(ValueError, match="found tau2 = 0"):
        msprt_radius(10, variance=1, tau2=0)
