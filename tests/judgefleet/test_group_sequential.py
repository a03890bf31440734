"""Oracles: simulated paths, and what must hold of any spending; published constants are among the reference cases."""

import numpy as np
import pytest
from scipy import integrate, stats

from judgefleet.alpha_spending import Shape
from judgefleet.crossing import crossing_probabilities
from judgefleet.group_sequential import classic_constant, equal_looks, lan_demets, peeking_error

SHAPES: tuple[Shape, Shape] = ("obrien_fleming", "pocock")


def stopped(information: list[float], z: np.ndarray, drift: float = 0.0, sided: int = 2, runs: int = 200_000) -> float:
    """Share of simulated experiments that stop at one of the looks."""
    rng = np.random.default_rng(20260102)
    times = np.array(information)
    steps = np.diff(times, prepend=0)
    paths = np.cumsum(rng.normal(drift * steps, np.sqrt(steps), (runs, len(times))), axis=1) / np.sqrt(times)
    return float(((np.abs(paths) if sided == 2 else paths) >= z).any(axis=1).mean())


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("sided", [1, 2])
def test_simulated_experiments_stop_wrongly_as_often_as_alpha_says(shape: Shape, sided: int) -> None:
    looks = [0.2, 0.3, 0.7, 1.0]
    found = lan_demets(looks, alpha=0.1, sided=sided, spending=shape)
    assert stopped(looks, found.z, sided=sided) == pytest.approx(0.1, abs=0.002)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("looks", [1, 2, 7, 30])
def test_all_alpha_is_spent_at_the_end_and_no_more(shape: Shape, looks: int) -> None:
    found = lan_demets(equal_looks(looks).tolist(), spending=shape)
    assert found.cumulative_alpha[-1] == pytest.approx(0.05, abs=1e-12)
    finite = np.where(np.isfinite(found.z), found.z, 99.0)
    assert crossing_probabilities(found.information, finite).cumsum() == pytest.approx(found.cumulative_alpha, abs=1e-9)


def test_one_look_is_the_ordinary_test() -> None:
    assert lan_demets([1.0]).z[0] == pytest.approx(stats.norm.isf(0.025))
    assert lan_demets([1.0], sided=1).z[0] == pytest.approx(stats.norm.isf(0.05))
    assert classic_constant(1) == pytest.approx(stats.norm.isf(0.025))


def test_the_default_convention_is_per_side_and_not_the_other() -> None:
    assert lan_demets([0.5, 1.0]).z == pytest.approx([2.9626, 1.9686], abs=1e-4)
    assert lan_demets([0.5, 1.0]).z[0] - lan_demets([0.5, 1.0], convention="total").z[0] > 0.19


def test_the_conventions_agree_where_the_formula_is_linear_or_there_is_one_side() -> None:
    for spending, sided in (("pocock", 2), ("obrien_fleming", 1)):
        one, other = (
            lan_demets([0.3, 1.0], spending=spending, sided=sided, convention=convention).z  # type: ignore[arg-type]
            for convention in ("per_side", "total")
        )
        assert one == pytest.approx(other, abs=1e-9)


def test_looks_may_lie_close_together() -> None:
    close, apart = lan_demets([0.5, 0.5001, 1.0]), lan_demets([0.5, 1.0])
    assert close.z[[0, 2]] == pytest.approx(apart.z, abs=2e-3)
    assert crossing_probabilities(close.information, close.z).sum() == pytest.approx(0.05, abs=1e-7)


@pytest.mark.parametrize("gap", [0.5, 1e-2, 1e-4, 1e-5])
@pytest.mark.parametrize("sided", [1, 2])
def test_close_looks_cross_as_often_as_the_bivariate_normal_does(gap: float, sided: int) -> None:
    correlation = (0.5 / (0.5 + gap)) ** 0.5
    rest = (1 - correlation**2) ** 0.5

    def stays(x: float) -> float:
        inside = stats.norm.cdf((2.1 - correlation * x) / rest)
        return float(stats.norm.pdf(x) * (inside - (sided == 2) * stats.norm.cdf((-2.1 - correlation * x) / rest)))

    ends = (-2.0 if sided == 2 else -12.0, 2.0)
    known = integrate.quad(stays, *ends, points=[-1.9, 1.9], limit=500, epsabs=1e-12)[0]
    found = crossing_probabilities([0.5, 0.5 + gap], [2.0, 2.1], sided=sided).sum()
    assert 1 - found == pytest.approx(known, abs=1e-8)


def test_a_look_with_nothing_to_spend_cannot_stop() -> None:
    found = lan_demets([0.001, 0.5, 1.0])
    assert found.z[0] == np.inf
    assert found.nominal_p_two_sided[0] == 0
    assert found.z[1:] == pytest.approx(lan_demets([0.5, 1.0]).z)


def test_an_experiment_that_ends_early_may_spend_the_rest() -> None:
    planned, ended = lan_demets([0.4, 0.8]), lan_demets([0.4, 0.8], last_is_final=True)
    assert planned.cumulative_alpha[-1] < 0.03
    assert ended.cumulative_alpha[-1] == 0.05
    assert ended.z[0] == planned.z[0]
    assert ended.z[1] < planned.z[1]
    assert stopped([0.4, 0.8], ended.z) == pytest.approx(0.05, abs=0.0015)


def test_more_information_than_planned_spends_no_more() -> None:
    found = lan_demets([0.5, 1.1])
    assert found.cumulative_alpha[-1] == pytest.approx(0.05)
    assert stopped([0.5, 1.1], found.z) == pytest.approx(0.05, abs=0.0015)
    assert lan_demets([1.0, 1.1]).z[1] == np.inf


@pytest.mark.parametrize("sided", [1, 2])
def test_power_is_that_of_simulated_experiments(sided: int) -> None:
    looks = [0.3, 0.6, 1.0]
    z = lan_demets(looks, sided=sided).z
    power = crossing_probabilities(looks, z, sided=sided, drift=2.8).sum()
    assert power == pytest.approx(stopped(looks, z, drift=2.8, sided=sided), abs=0.004)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("alpha", "sided"), [(0.05, 2), (0.01, 2), (0.3, 2), (0.05, 1), (0.6, 1)])
def test_classic_boundaries_keep_alpha(shape: Shape, alpha: float, sided: int) -> None:
    constant = classic_constant(4, alpha=alpha, sided=sided, shape=shape)
    z = constant * (equal_looks(4) ** -0.5 if shape == "obrien_fleming" else np.ones(4))
    assert crossing_probabilities(equal_looks(4), z, sided=sided).sum() == pytest.approx(alpha, abs=1e-8)


def test_peeking_gets_worse_with_every_look() -> None:
    errors = [peeking_error(looks, 1.96) for looks in (1, 2, 3, 10)]
    assert errors == sorted(errors)
    assert peeking_error(3, 1.645, sided=1) == pytest.approx(
        stopped([1 / 3, 2 / 3, 1], np.full(3, 1.645), sided=1), abs=0.003
    )


@pytest.mark.parametrize("information", [[], [0.0, 1.0], [0.5, 0.5], [0.7, 0.5], [float("nan")]])
def test_information_must_ascend(information: list[float]) -> None:
    with pytest.raises(ValueError, match="allowed: above 0 and ascending"):
        lan_demets(information)


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="found sided = 3; allowed: 1 or 2"):
        lan_demets([1.0], sided=3)
    with pytest.raises(ValueError, match="found alpha = 5"):
        lan_demets([1.0], alpha=5)
    with pytest.raises(ValueError, match="found the spending 'linear'; allowed: obrien_fleming, pocock"):
        lan_demets([1.0], spending="linear")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="found the convention 'mine'"):
        lan_demets([1.0], convention="mine")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="found the shape 'square'"):
        classic_constant(2, shape="square")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="found 0 looks"):
        peeking_error(0, 1.96)
    with pytest.raises(ValueError, match="from 0 up"):
        crossing_probabilities([1.0], [-1.0])
    with pytest.raises(ValueError, match="one z value for each look"):
        crossing_probabilities([0.5, 1.0], [2.0])
