"""AC1 and Fleiss' kappa: oracle statsmodels, printed values, and standard errors from resampled items."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from statsmodels.stats.inter_rater import fleiss_kappa as fleiss_of_counts  # type: ignore[import-untyped]

from calibration.ac1 import ac1_of_ratings, ac1_of_table, fleiss_kappa
from calibration.coefficients import Coefficient, Ratings
from calibration.kappa import cohen_kappa

_: Any = None
# Gwet 2014, Handbook of Inter-Rater Reliability: four raters, twelve subjects.
HANDBOOK: list[list[Any]] = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
    [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
]


def simulated(items: int, raters: int, seed: int) -> np.ndarray:
    """Labels of raters who see the truth three times out of four."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(3, items, p=[0.6, 0.3, 0.1])
    return np.where(rng.random((raters, items)) < 0.75, truth, rng.integers(0, 3, (raters, items)))


def test_the_handbook_has_its_printed_values() -> None:
    found = ac1_of_ratings(HANDBOOK)
    assert (found.value, found.se) == pytest.approx((0.775, 0.14295), abs=5e-4)
    assert fleiss_kappa(HANDBOOK).value == pytest.approx(0.76117, abs=1e-5)


def test_complete_fleiss_is_that_of_statsmodels() -> None:
    ratings = simulated(50, 4, seed=1)
    counts = np.stack([(ratings == label).sum(axis=0) for label in range(3)], axis=1)
    assert fleiss_kappa(ratings.tolist()).value == pytest.approx(fleiss_of_counts(counts))


@pytest.mark.parametrize("coefficient", [ac1_of_ratings, fleiss_kappa])
def test_the_standard_error_is_the_spread_over_samples_of_items(coefficient: Callable[[Ratings], Coefficient]) -> None:
    spread = np.std([coefficient(simulated(120, 3, seed).tolist()).value for seed in range(400)])
    typical = np.mean([coefficient(simulated(120, 3, seed).tolist()).se for seed in range(40)])
    assert typical == pytest.approx(spread, rel=0.12)


def test_a_table_and_its_ratings_have_one_ac1_and_nearly_one_error() -> None:
    table = [[40, 9], [6, 45]]
    ratings = [[0] * 49 + [1] * 51, [0] * 40 + [1] * 9 + [0] * 6 + [1] * 45]
    one, other = ac1_of_table(table), ac1_of_ratings(ratings)
    assert one.value == pytest.approx(other.value)
    assert one.se * (100 / 99) ** 0.5 == pytest.approx(other.se)


def test_a_rare_label_lowers_kappa_and_not_ac1() -> None:
    table = [[118, 5], [2, 0]]
    assert cohen_kappa(table).value < 0
    assert ac1_of_table(table).value == pytest.approx(0.94, abs=0.01)


def test_an_item_with_one_label_says_something_of_chance_alone() -> None:
    pairs = [[1, 1, 2, 2], [1, 2, 2, 2]]
    more: Ratings = [[*pairs[0], 1], [*pairs[1], None]]
    assert ac1_of_ratings(more).observed == ac1_of_ratings(pairs).observed
    assert ac1_of_ratings(more).expected != ac1_of_ratings(pairs).expected
    nobody: Ratings = [[*pairs[0], None], [*pairs[1], None]]
    assert ac1_of_ratings(nobody) == ac1_of_ratings(pairs)


def test_labels_that_could_be_given_lower_chance() -> None:
    a, b = [1, 1, 2, 2], [1, 2, 2, 2]
    assert ac1_of_ratings([a, b], labels=[1, 2, 3]).value > ac1_of_ratings([a, b]).value
    with pytest.raises(ValueError, match="found the label 2; allowed: 1, 3"):
        ac1_of_ratings([a, b], labels=[1, 3])


@pytest.mark.parametrize("ratings", [[[1, None], [None, 2]], [[None, None], [None, None]]])
@pytest.mark.parametrize("coefficient", [ac1_of_ratings, fleiss_kappa])
def test_without_pairs_there_is_no_agreement(coefficient: Callable[[Ratings], Coefficient], ratings: Ratings) -> None:
    assert not coefficient(ratings).defined


def test_one_label_only_is_undefined() -> None:
    assert math.isnan(fleiss_kappa([[1, 1], [1, 1]]).value)
    assert math.isnan(ac1_of_ratings([[1, 1], [1, 1]]).value)
    assert math.isnan(ac1_of_table([[9]]).value)
    assert ac1_of_ratings([[1, 1], [1, 1]], labels=[0, 1]).value == 1


def test_one_item_has_no_error() -> None:
    found = ac1_of_ratings([[1], [2]])
    assert found.value == pytest.approx(-1)
    assert math.isnan(found.se)
