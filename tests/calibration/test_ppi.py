"""Coverage and variance by seeded simulation, unbiasedness by enumeration."""

import itertools
import math

import numpy as np
import pytest

from calibration.ppi import Corrected, active_mean, effective_labels, least_correlation, ppi_mean, tuned_lambda

Sample = tuple[np.ndarray, np.ndarray, np.ndarray]


def sample(rng: np.random.Generator, n: int = 250, others: int = 3000) -> Sample:
    """Pass or fail with a rate of 0.7, and a judge's score that leans towards it and is too high."""
    truth = (rng.random(n + others) < 0.7).astype(float)
    score = np.clip(0.25 + 0.65 * truth + rng.normal(0, 0.3, n + others), 0, 1)
    return truth[:n], score[:n], score[n:]


@pytest.mark.parametrize("lam", [None, 0.0, 0.5, 1.0])
def test_the_interval_holds_the_truth_as_often_as_it_says(lam: float | None) -> None:
    rng = np.random.default_rng(20260103)
    ends = [ppi_mean(*sample(rng), lam=lam).interval(0.1) for _ in range(1500)]
    assert np.mean([low <= 0.7 <= high for low, high in ends]) == pytest.approx(0.9, abs=0.02)


def test_no_trust_is_the_labels_alone() -> None:
    labels, judged, others = sample(np.random.default_rng(1))
    found = ppi_mean(labels, judged, others, lam=0, ddof=1)
    assert found.value == pytest.approx(labels.mean())
    assert found.se == pytest.approx(labels.std(ddof=1) / len(labels) ** 0.5)


def test_tuned_trust_is_about_the_best() -> None:
    drawn = sample(np.random.default_rng(2))
    tuned = ppi_mean(*drawn)
    assert 0 < tuned.lam < 1
    assert tuned.se <= min(ppi_mean(*drawn, lam=lam).se for lam in np.linspace(0, 1, 11)) * 1.002
    assert tuned.se / ppi_mean(*drawn, lam=0).se == pytest.approx(
        (250 / effective_labels(float(np.corrcoef(drawn[0], drawn[1])[0, 1]), 250, 3000)) ** 0.5, abs=0.03
    )


def test_a_judge_that_says_nothing_or_the_opposite_is_not_trusted() -> None:
    labels, judged, others = sample(np.random.default_rng(3))
    assert tuned_lambda(labels, np.full(250, 0.5), np.full(3000, 0.5)) == 0
    assert tuned_lambda(labels, 1 - judged, 1 - others) == 0


def test_the_active_mean_is_unbiased_over_all_that_could_be_labelled() -> None:
    scores, truth, chance = np.array([0.9, 0.2, 0.6]), np.array([1.0, 1.0, 0.0]), np.array([0.5, 0.25, 0.8])
    expected = 0.0
    for chosen in itertools.product([0, 1], repeat=3):
        weight = np.prod(np.where(chosen, chance, 1 - chance))
        expected += weight * active_mean(scores, chosen, chance, np.where(chosen, truth, np.nan)).value
    assert expected == pytest.approx(truth.mean())


def test_a_certain_label_replaces_its_score() -> None:
    found = active_mean([0.3, 0.6], [1, 1], [1.0, 1.0], [1, 0])
    assert (found.value, found.n_labels) == (0.5, 2)


def test_a_perfect_judge_is_worth_all_it_judged() -> None:
    assert effective_labels(1.0, 100, 900) == pytest.approx(1000)
    assert effective_labels(0.0, 100, 900) == effective_labels(0.9, 100, 0) == 100
    assert effective_labels(-0.7, 100, 900) == effective_labels(0.7, 100, 900)


def test_few_labels_need_a_better_judge() -> None:
    assert [least_correlation(n) for n in (3, 11, 102)] == pytest.approx([1, 1 / 3, 0.1])


def test_the_interval_widens_with_confidence() -> None:
    found = Corrected(value=0.5, se=0.1, lam=1, n_labels=3)
    assert found.interval(0.01)[1] > found.interval(0.1)[1] > 0.5


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="found 2 labels, 3 scores of them"):
        ppi_mean([1, 0], [0.1, 0.2, 0.3], [0.5, 0.6])
    with pytest.raises(ValueError, match="finite numbers"):
        ppi_mean([1, math.nan], [0.1, 0.2], [0.5, 0.6])
    with pytest.raises(ValueError, match="probabilities lie above 0"):
        active_mean([0.1, 0.2], [1, 0], [0.0, 0.5], [1, 0])
    with pytest.raises(ValueError, match="marked as labelled and has no label"):
        active_mean([0.1, 0.2], [1, 0], [0.5, 0.5], [math.nan, 0])
    with pytest.raises(ValueError, match="all alike"):
        active_mean([0.1, 0.2], [1], [0.5, 0.5], [1, 0])
    with pytest.raises(ValueError, match="at least 3 are needed"):
        least_correlation(2)
    with pytest.raises(ValueError, match=r"found correlation 1\.5"):
        effective_labels(1.5, 10, 10)
