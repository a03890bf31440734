"""Coverage by seeded simulation; figures are among the reference cases."""

import numpy as np
import pytest

from calibration.prevalence import lang_reiczigel, post_stratified, rogan_gladen
from judgefleet.proportions import wilson_interval
from judgefleet.statistics import Estimate

SENSITIVITY, SPECIFICITY, JUDGED = 0.92, 0.6, 3000


def ends(e: Estimate) -> tuple[float, float]:
    assert e.low is not None
    assert e.high is not None
    return e.low, e.high


def window(rng: np.random.Generator, rate: float, n: int) -> tuple[Estimate, int]:
    """A window of judged traces with n random labels: its estimate, and how many labels passed."""
    truth = rng.random(JUDGED) < rate
    passed = rng.random(JUDGED) < np.where(truth, SENSITIVITY, 1 - SPECIFICITY)
    labels = {
        name: (int((truth[:n] & chosen).sum()), int(chosen.sum()))
        for name, chosen in (("pass", passed[:n]), ("fail", ~passed[:n]))
    }
    share = float(passed.mean())
    return post_stratified(labels, {"pass": share, "fail": 1 - share}, judged=JUDGED), int(truth[:n].sum())


@pytest.mark.parametrize("n", [30, 100])
@pytest.mark.parametrize("rate", [0.6, 0.85, 0.95])
def test_post_stratified_intervals_cover_and_are_shorter_than_wilson(rate: float, n: int) -> None:
    rng = np.random.default_rng(20260104)
    found = [window(rng, rate, n) for _ in range(1500)]
    covered = np.mean([low <= rate <= high for low, high in (ends(e) for e, _ in found)])
    assert 0.94 <= covered <= 0.99
    width = np.mean([ends(e)[1] - ends(e)[0] for e, _ in found])
    alone = np.mean([np.diff(wilson_interval(passed / n, n)) for _, passed in found])
    assert width < alone


def test_a_verdict_without_labels_is_not_known() -> None:
    seen, unseen = {"pass": (30, 30)}, {"pass": (30, 30), "fail": (0, 1)}
    shares = {"pass": 0.9, "fail": 0.1}
    assert post_stratified(seen, shares).value == pytest.approx(0.9 * 31 / 32 + 0.1 / 2)
    low, high = ends(post_stratified(seen, shares))
    assert high - low > np.diff(ends(post_stratified(unseen, shares)))[0]


def test_more_than_two_verdicts_and_an_uncertain_share() -> None:
    labels = {"1": (1, 20), "2": (10, 20), "3": (19, 20)}
    shares = {"1": 0.2, "2": 0.3, "3": 0.5}
    exact, uncertain = post_stratified(labels, shares), post_stratified(labels, shares, judged=200)
    assert exact.value == uncertain.value
    assert exact.n == 60
    assert ends(uncertain)[0] < ends(exact)[0]
    assert "1: 20 labels, 2: 20 labels, 3: 20 labels" in exact.method


def test_no_labels_are_no_value() -> None:
    e = post_stratified({}, {"pass": 1.0})
    assert (e.value, e.has_interval, e.n) == (None, False, 0)
    assert "no labels" in e.method


def test_an_interval_of_a_rate_stays_a_rate() -> None:
    assert ends(post_stratified({"pass": (4, 4)}, {"pass": 1.0}))[1] == 1


@pytest.mark.parametrize(
    ("labels", "shares", "message"),
    [
        ({"pass": (1, 2)}, {"pass": 0.5}, "add up to 0.5; allowed: 1"),
        ({"maybe": (1, 2)}, {"pass": 1.0}, "labels of the verdict 'maybe'; shares has pass"),
        ({"pass": (3, 2)}, {"pass": 1.0}, "found 3 successes in n = 2"),
        ({"pass": (1, 2)}, {"pass": 1.5, "fail": -0.5}, "found share of pass = 1.5"),
    ],
)
def test_bad_strata_are_refused(labels: dict[str, tuple[int, int]], shares: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        post_stratified(labels, shares)


def test_rogan_gladen_undoes_what_the_judge_does() -> None:
    apparent = 0.7 * SENSITIVITY + 0.3 * (1 - SPECIFICITY)
    assert rogan_gladen(apparent, SENSITIVITY, SPECIFICITY) == pytest.approx(0.7)
    assert rogan_gladen(0.1, SENSITIVITY, SPECIFICITY) == 0
    assert rogan_gladen(0.99, SENSITIVITY, SPECIFICITY) == 1


def test_lang_reiczigel_covers_when_the_accuracies_carry_over() -> None:
    rng = np.random.default_rng(20260105)
    apparent = 0.8 * SENSITIVITY + 0.2 * (1 - SPECIFICITY)
    hits = 0
    for _ in range(1500):
        e = lang_reiczigel(
            rng.binomial(2000, apparent) / 2000,
            sensitivity=rng.binomial(80, SENSITIVITY) / 80,
            specificity=rng.binomial(60, SPECIFICITY) / 60,
            n=2000,
            n_positive=80,
            n_negative=60,
        )
        low, high = ends(e)
        hits += low <= 0.8 <= high
    assert hits / 1500 >= 0.94


def test_a_judge_like_a_coin_says_nothing_of_the_rate() -> None:
    e = lang_reiczigel(0.6, sensitivity=0.5, specificity=0.5, n=100, n_positive=10, n_negative=10)
    assert (e.value, e.has_interval) == (None, False)
    assert "no better than a coin" in e.method
    with pytest.raises(ValueError, match="more than 1 in sum"):
        rogan_gladen(0.6, 0.5, 0.5)


def test_bad_rates_are_refused() -> None:
    with pytest.raises(ValueError, match=r"found apparent = 1.2; allowed: 0 to 1"):
        rogan_gladen(1.2, 0.9, 0.9)
    with pytest.raises(ValueError, match="found n_positive = 0"):
        lang_reiczigel(0.6, sensitivity=0.9, specificity=0.9, n=100, n_positive=0, n_negative=10)
