"""Moments of parts add up to those of the whole, whatever the parts, the weights and where the values lie."""

from dataclasses import astuple

import numpy as np
import pytest

from judgefleet.moments import Moments
from judgefleet.proportions import proportion_ci, proportion_of
from judgefleet.statistics import mean_of, weighted_mean_ci


def rows(seed: int, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    clusters = rng.integers(0, 60, 400)
    return rng.normal(shift, 1, 400) + clusters % 7, rng.uniform(1, 50, 400), clusters


def in_parts(values: np.ndarray, weights: np.ndarray, clusters: np.ndarray, parts: int) -> Moments:
    """Added up from parts of whole clusters, some of which may be empty."""
    masks = [clusters % parts == part for part in range(parts)]
    return sum((Moments.of(values[m], weights[m], clusters[m]) for m in masks), Moments())


@pytest.mark.parametrize("shift", [0.0, 1e6])
@pytest.mark.parametrize("parts", [2, 7, 90])
def test_parts_add_up_to_the_whole(parts: int, shift: float) -> None:
    values, weights, clusters = rows(parts, shift)
    whole, added = Moments.of(values, weights, clusters), in_parts(values, weights, clusters, parts)
    # The sum of all distances, each with its weight, is 0 but for rounding: only its size next to the others matters.
    assert astuple(added) == pytest.approx(astuple(whole), rel=1e-9, abs=1e-6 * weights.sum())
    assert added.variance == pytest.approx(whole.variance, rel=1e-7)
    found, wanted = mean_of(added), weighted_mean_ci(values, weights, clusters)
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), rel=1e-9)
    assert found.method == wanted.method


def test_rates_of_parts_have_the_interval_of_the_whole() -> None:
    values, weights, clusters = rows(3)
    ones = (values > 3).astype(float)
    found, wanted = proportion_of(in_parts(ones, weights, clusters, 8)), proportion_ci(ones, weights, clusters)
    assert (found.value, found.low, found.high) == pytest.approx((wanted.value, wanted.low, wanted.high), rel=1e-12)
    assert found.method == wanted.method


@pytest.mark.parametrize("value", [0.0, 0.1, 1.0, 4.7])
def test_values_that_do_not_vary_do_not_vary_in_parts(value: float) -> None:
    _, weights, clusters = rows(5)
    found = mean_of(in_parts(np.full(400, value), weights, clusters, 9))
    assert found.value == pytest.approx(value, rel=1e-15)
    assert not found.has_interval
    assert "all equal" in found.method


def test_a_cluster_in_two_parts_is_not_one() -> None:
    values, weights, clusters = rows(11)
    first, second = slice(0, 200), slice(200, None)
    torn = Moments.of(values[first], weights[first], clusters[first]) + Moments.of(
        values[second], weights[second], clusters[second]
    )
    assert torn.variance < 0.9 * Moments.of(values, weights, clusters).variance
