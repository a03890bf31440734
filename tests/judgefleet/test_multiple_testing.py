"""Oracle: statsmodels; error rates by seeded simulation."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests  # type: ignore[import-untyped]

from judgefleet.multiple_testing import adjusted_p_values, e_bh, rejections

METHODS = {
    "bonferroni": "bonferroni",
    "holm": "holm",
    "hochberg": "simes-hochberg",
    "hommel": "hommel",
    "fdr_bh": "fdr_bh",
    "fdr_by": "fdr_by",
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("count", [1, 2, 3, 17])
def test_adjusted_values_are_those_of_statsmodels(method: str, count: int) -> None:
    rng = np.random.default_rng(count)
    for values in (rng.random(count), rng.random(count) ** 4, np.round(rng.random(count), 1)):
        known = multipletests(values, 0.05, METHODS[method])[1]
        assert adjusted_p_values(values, method) == pytest.approx(known, abs=1e-12)


def test_no_tests_need_no_adjustment() -> None:
    assert adjusted_p_values([], "holm").tolist() == []
    assert e_bh([]).tolist() == []


@pytest.mark.parametrize("method", ["holm", "hommel", "fdr_bh"])
def test_true_hypotheses_are_seldom_rejected(method: str) -> None:
    draws = np.random.default_rng(3).random((2000, 8))
    assert np.mean([rejections(p, method).any() for p in draws]) <= 0.06


def test_stricter_methods_reject_less() -> None:
    p = np.random.default_rng(4).random(30) ** 3
    holm, hommel, bh, by = (adjusted_p_values(p, method) for method in ("holm", "hommel", "fdr_bh", "fdr_by"))
    assert (bh <= hommel).all()
    assert (hommel <= holm).all()
    assert (by >= bh).all()


def test_e_bh_is_bh_on_the_inverse() -> None:
    e = 1 / np.random.default_rng(5).random(40) ** 3
    assert e_bh(e).tolist() == np.flatnonzero(rejections(np.minimum(1 / e, 1), "fdr_bh")).tolist()
    assert e_bh([19.9, 19.9]).tolist() == []
    assert e_bh([20.0, 20.0]).tolist() == [0, 1]


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="numbers from 0 to 1"):
        adjusted_p_values([0.1, float("nan")], "holm")
    with pytest.raises(ValueError, match="found the method 'fisher'; allowed: bonferroni, holm"):
        adjusted_p_values([0.1], "fisher")
    with pytest.raises(ValueError, match="numbers from 0 up"):
        e_bh([-1.0])
    with pytest.raises(ValueError, match="found alpha = 0"):
        rejections([0.1], "holm", alpha=0)
