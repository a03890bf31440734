"""Inclusion probabilities with a floor, against exact sums over every number of units that may be drawn."""

import math
from fractions import Fraction

import numpy as np
import pytest

from judgefleet.inclusion import Cells, fitting_factor, floored_probability


def exact(units: int, rate: Fraction, floor: int) -> Fraction:
    """The mean of max(B, floor) over ``units``, B binomial, in fractions."""
    kept = min(floor, units)
    chances = [math.comb(units, b) * rate**b * (1 - rate) ** (units - b) for b in range(units + 1)]
    return sum((max(b, kept) * chance for b, chance in enumerate(chances)), Fraction()) / units


@pytest.mark.parametrize("units", [1, 2, 7, 40, 300])
@pytest.mark.parametrize("rate", [Fraction(0), Fraction(1, 1000), Fraction(1, 7), Fraction(9, 10), Fraction(1)])
@pytest.mark.parametrize("floor", [0, 1, 2, 6, 39, 300])
def test_the_chance_of_a_unit(units: int, rate: Fraction, floor: int) -> None:
    found = float(floored_probability(units, float(rate), floor))
    assert found == pytest.approx(float(exact(units, rate, floor)), rel=1e-12)
    assert found >= float(rate)


def test_without_a_floor_it_is_the_rate_itself() -> None:
    rates = np.random.default_rng(1).random(1000)
    assert np.array_equal(floored_probability(np.arange(1, 1001), rates, 0), rates)


def test_a_factor_of_less_than_one_is_as_large_as_it_can_be() -> None:
    rng = np.random.default_rng(2)
    units = rng.integers(1, 400, 50).astype(np.float64)
    floor = rng.integers(0, 3, 50).astype(np.float64)
    cells = Cells(units=units, rate=rng.random(50), floor=floor, size=units * 3, squares=units * 9)
    factor = fitting_factor(cells, 4000)
    assert 0 < factor < 1
    assert cells.likely(factor) <= 4000 < cells.likely(factor + 1e-6)
    assert fitting_factor(cells, 1) == 0.0
    assert fitting_factor(cells, 1e9) == 1.0
