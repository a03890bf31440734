"""Oracles: the chart drawn step by step, the Markov chain of Brook & Evans, and simulated runs."""

import numpy as np
import pytest
from scipy import stats

from calibration.cusum import average_run_length, cusum


def markov_chain(k: float, h: float, shift: float, states: int) -> float:
    """Brook & Evans 1972: the sum in ``states`` steps from 0 to h, one-sided."""
    width = 2 * h / (2 * states - 1)
    move = (np.arange(states)[None, :] - np.arange(states)[:, None]) * width + k - shift
    chance = stats.norm.cdf(move + width / 2) - stats.norm.cdf(move - width / 2)
    chance[:, 0] = stats.norm.cdf(move[:, 0] + width / 2)
    return float(np.linalg.solve(np.eye(states) - chance, np.ones(states))[0])


@pytest.mark.parametrize(("k", "h"), [(0.5, 4.0), (0.25, 8.0), (1.0, 0.5), (0.0, 3.0)])
@pytest.mark.parametrize("shift", [-1.0, 0.0, 0.5, 2.0])
def test_run_lengths_are_the_limit_of_the_markov_chain(k: float, h: float, shift: float) -> None:
    found = average_run_length(k, h, shift, sided=1)
    coarse, fine = markov_chain(k, h, shift, 150), markov_chain(k, h, shift, 300)
    # The chain errs with the square of its step.
    assert found == pytest.approx(fine + (fine - coarse) / 3, rel=2e-4)


@pytest.mark.parametrize(
    ("h", "shift", "printed"),
    [(4, 0, "168"), (4, 0.5, "26.6"), (4, 1, "8.38"), (5, 0, "465"), (5, 0.5, "38.0"), (5, 1, "10.4"), (5, 2, "4.01")],
)
def test_the_usual_chart_has_its_printed_run_lengths(h: float, shift: float, printed: str) -> None:
    # Montgomery, Statistical Quality Control, table of the tabular CUSUM with k = 0.5.
    digits = len(printed.partition(".")[2])
    assert f"{average_run_length(0.5, h, shift):.{digits}f}" == printed


def test_simulated_charts_run_as_long() -> None:
    rng = np.random.default_rng(10)
    runs = [cusum(rng.normal(0.8, 1, 200), h=3.0).alarm for _ in range(3000)]
    lengths = [alarm + 1 for alarm in runs if alarm is not None]
    assert len(lengths) == 3000
    assert np.mean(lengths) == pytest.approx(average_run_length(0.5, 3.0, 0.8), rel=0.03)


def test_the_direction_of_a_shift_does_not_matter_to_two_sides() -> None:
    assert average_run_length(shift=-1) == pytest.approx(average_run_length(shift=1))
    assert average_run_length(shift=-1, sided=1) > 1000 > average_run_length(shift=1, sided=1)


def test_a_chart_is_the_sum_step_by_step() -> None:
    z = np.random.default_rng(12).normal(0.2, 1.5, 200)
    found = cusum(z, k=0.4, h=6)
    up = down = 0.0
    first = None
    for i, value in enumerate(z):
        up, down = max(0.0, up + value - 0.4), max(0.0, down - value - 0.4)
        assert (found.up[i], found.down[i]) == pytest.approx((up, down), abs=1e-12)
        first = i if first is None and max(up, down) > 6 else first
    assert found.alarm == first


def test_nothing_to_draw_is_no_alarm() -> None:
    assert cusum([]).alarm is None
    assert cusum([0.1, -0.1]).alarm is None


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="found h = 0"):
        cusum([1.0], h=0)
    with pytest.raises(ValueError, match=r"found k = -1; allowed: from 0"):
        average_run_length(k=-1)
    with pytest.raises(ValueError, match="finite numbers"):
        cusum([float("nan")])
    with pytest.raises(ValueError, match="found sided = 0"):
        average_run_length(sided=0)
