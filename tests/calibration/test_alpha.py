"""Krippendorff's alpha: his own example, and what each level of measurement must not notice."""

import math
from typing import Any

import numpy as np
import pytest

from calibration.alpha import Level, krippendorff_alpha

_: Any = None
# Krippendorff 2011, Computing Krippendorff's alpha-reliability, example C.
EXAMPLE: list[list[Any]] = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
    [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
]
LEVELS: tuple[Level, ...] = ("nominal", "ordinal", "interval", "ratio")


def mapped(change: Any) -> list[list[Any]]:
    return [[None if label is None else change(label) for label in row] for row in EXAMPLE]


@pytest.mark.parametrize(("level", "printed"), list(zip(LEVELS, (0.743, 0.815, 0.849, 0.797), strict=True)))
def test_the_example_has_its_printed_values(level: Level, printed: float) -> None:
    assert krippendorff_alpha(EXAMPLE, level) == pytest.approx(printed, abs=5e-4)


@pytest.mark.parametrize(
    ("level", "change"),
    [
        ("nominal", {1: "d", 2: "a", 3: "c", 4: "b", 5: "e"}.get),
        ("ordinal", lambda label: label**3),
        ("interval", lambda label: 10 - 2 * label),
        ("ratio", lambda label: 0.3 * label),
    ],
)
def test_a_level_does_not_notice_what_keeps_it(level: Level, change: Any) -> None:
    assert krippendorff_alpha(mapped(change), level) == pytest.approx(krippendorff_alpha(EXAMPLE, level))


@pytest.mark.parametrize("level", LEVELS)
def test_full_agreement_is_1_and_the_order_of_raters_is_nothing(level: Level) -> None:
    assert krippendorff_alpha([[0, 1, 4], [0, 1, 4], [0, 1, None]], level) == 1
    assert krippendorff_alpha(EXAMPLE[::-1], level) == pytest.approx(krippendorff_alpha(EXAMPLE, level))


def test_labels_at_random_agree_by_chance_only() -> None:
    ratings = np.random.default_rng(6).integers(0, 3, (3, 3000)).tolist()
    assert krippendorff_alpha(ratings) == pytest.approx(0, abs=0.03)


@pytest.mark.parametrize("ratings", [[[1, 1], [1, 1]], [[1, None], [None, 2]], [[1, 2, 3]], [[None], [None]]])
def test_without_pairs_that_vary_it_is_undefined(ratings: list[list[Any]]) -> None:
    assert math.isnan(krippendorff_alpha(ratings))


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="found the level 'cardinal'; allowed: nominal, ordinal, interval, ratio"):
        krippendorff_alpha(EXAMPLE, "cardinal")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="found labels that are no numbers"):
        krippendorff_alpha([["a", "b"], ["a", "a"]], "ordinal")
    with pytest.raises(ValueError, match="found a negative label"):
        krippendorff_alpha([[-1, 2], [1, 2]], "ratio")
    with pytest.raises(ValueError, match="found raters with"):
        krippendorff_alpha([[1], [1, 2]])
