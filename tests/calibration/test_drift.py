"""Oracle: statsmodels' exact McNemar test."""

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar  # type: ignore[import-untyped]

from calibration.drift import exact_mcnemar, paired_flips


@pytest.mark.parametrize(("gained", "lost"), [(35, 15), (0, 6), (7, 7), (1, 0)])
def test_the_p_value_is_that_of_statsmodels(gained: int, lost: int) -> None:
    known = mcnemar([[50, lost], [gained, 30]], exact=True).pvalue
    assert exact_mcnemar(gained, lost) == pytest.approx(known)
    assert exact_mcnemar(lost, gained) == pytest.approx(known)


def test_flips_are_counted_by_direction() -> None:
    before, after = np.array([1, 1, 0, 0, 1, 0]), np.array([True, False, True, True, True, False])
    found = paired_flips(before.tolist(), after.tolist())
    assert (found.n, found.gained, found.lost, found.rate) == (6, 2, 1, 0.5)
    assert found.p_value == 1


def test_the_same_verdicts_are_no_drift() -> None:
    found = paired_flips([1, 0, 1], [1, 0, 1])
    assert (found.rate, found.p_value) == (0, 1)


def test_an_unchanged_noisy_judge_is_seldom_called_changed() -> None:
    rng = np.random.default_rng(13)
    rates = rng.beta(3, 1, (300, 60))
    p = [
        paired_flips((rng.random(60) < row).astype(int).tolist(), (rng.random(60) < row).astype(int).tolist()).p_value
        for row in rates
    ]
    assert np.mean(np.array(p) <= 0.05) <= 0.05


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="found 2 anchors before and 1 after"):
        paired_flips([1, 0], [1])
    with pytest.raises(ValueError, match="at least one"):
        paired_flips([], [])
    with pytest.raises(ValueError, match="1 for pass and 0 for fail"):
        paired_flips([1, 2], [1, 0])
    with pytest.raises(ValueError, match="counts start at 0"):
        exact_mcnemar(-1, 2)
