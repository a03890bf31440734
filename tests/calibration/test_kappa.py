"""Oracle: statsmodels; standard errors also by simulation."""

import math
from typing import Any

import numpy as np
import pytest
from statsmodels.stats.inter_rater import cohens_kappa  # type: ignore[import-untyped]

from calibration.coefficients import codes_of
from calibration.kappa import cohen_kappa, confusion_table, kappa_of_labels

TABLE = [[22, 10, 2, 0], [6, 27, 11, 3], [1, 8, 30, 9], [0, 2, 7, 12]]


@pytest.mark.parametrize("weights", [None, "linear", "quadratic"])
@pytest.mark.parametrize("seed", range(4))
def test_kappa_and_its_error_are_those_of_statsmodels(weights: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    size = 2 + seed
    table = rng.integers(0, 12, (size, size)) + 20 * np.eye(size)
    known, found = cohens_kappa(table, wt=weights), cohen_kappa(table, weights)
    assert (found.value, found.se) == pytest.approx((known.kappa, known.std_kappa), rel=1e-9)
    assert found.interval(0.05) == pytest.approx((known.kappa_low, known.kappa_upp), rel=1e-6)


def test_named_weights_are_matrices_of_disagreement_and_their_unit_does_not_matter() -> None:
    distance = np.abs(np.subtract.outer(range(4), range(4)))
    named, given = cohen_kappa(TABLE, "linear"), cohen_kappa(TABLE, 7.5 * distance)
    assert (given.value, given.se) == pytest.approx((named.value, named.se))


def test_two_labels_have_one_way_to_disagree() -> None:
    table = [[20, 5], [10, 15]]
    assert cohen_kappa(table, "quadratic") == cohen_kappa(table) == cohen_kappa(table, "linear")


def test_the_standard_error_is_the_spread_of_simulated_tables() -> None:
    rng = np.random.default_rng(8)
    shares = np.array(TABLE) / np.sum(TABLE)
    draws = rng.multinomial(400, shares.ravel(), 2000).reshape(-1, 4, 4)
    spread = np.std([cohen_kappa(draw, "quadratic").value for draw in draws])
    assert cohen_kappa(shares * 400, "quadratic").se == pytest.approx(spread, rel=0.05)


@pytest.mark.parametrize("table", [[[3]], [[9, 0], [0, 0]]])
def test_one_label_only_is_undefined_and_passes_no_threshold(table: list[list[int]]) -> None:
    found = cohen_kappa(table)
    assert math.isnan(found.value)
    assert not found.defined
    assert not found.value >= 0.0
    assert math.isnan(found.interval()[0])


def test_raters_who_never_vary_and_never_agree_have_kappa_0() -> None:
    assert kappa_of_labels([1, 1, 1], [0, 0, 0]).value == 0


def test_labels_may_be_words_and_items_may_miss_one() -> None:
    a, b = ["good", "bad", None, "good", "bad"], ["good", "good", "bad", "good", float("nan")]
    assert confusion_table(a, b).tolist() == [[0, 1], [0, 2]]
    assert kappa_of_labels(a, b) == cohen_kappa([[0, 1], [0, 2]])


def test_the_scale_has_the_labels_nobody_used() -> None:
    a, b = [1, 1, 5, 5, 5], [1, 5, 5, 5, 4]
    scaled = kappa_of_labels(a, b, "linear", labels=[1, 2, 3, 4, 5])
    assert scaled.value != pytest.approx(kappa_of_labels(a, b, "linear").value)
    assert scaled == cohen_kappa(confusion_table(a, b, [1, 2, 3, 4, 5]), "linear")
    with pytest.raises(ValueError, match="found the label 4; allowed: 1, 5"):
        kappa_of_labels(a, b, labels=[1, 5])


def test_numbers_sort_as_numbers() -> None:
    assert codes_of([[10, 9, 2]])[1] == [2, 9, 10]


@pytest.mark.parametrize(
    ("table", "weights", "message"),
    [
        ([[1, 2, 3], [4, 5, 6]], None, "a row and a column"),
        ([[1, -2], [3, 4]], None, "counts from 0 up"),
        ([[0, 0], [0, 0]], None, "at least one item"),
        ([[1, 2], [3, 4]], "cubic", "found the weights 'cubic'; allowed: linear, quadratic"),
        ([[1, 2], [3, 4]], [[1, 1], [1, 0]], "0 where the raters agree"),
        ([[1, 2], [3, 4]], [[0, 1, 2]] * 3, "disagreement weights are"),
    ],
)
def test_bad_tables_are_refused(table: Any, weights: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cohen_kappa(table, weights)


def test_bad_labels_are_refused() -> None:
    with pytest.raises(ValueError, match=r"found raters with \[1, 2\] items"):
        kappa_of_labels([1, 2], [1])
    with pytest.raises(ValueError, match="no labelled item"):
        kappa_of_labels([1, None], [None, 1])
