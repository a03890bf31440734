"""How often 95 % intervals hold what they are about, and how often the gate passes a judge it should not.

Seeded simulations. Two hundred runs a cell are always done; JUDGEFLEET_SIMULATIONS=2000 does the full number, for which
the bounds below are meant. Fewer runs get the slack of their own sampling error, three standard errors.
"""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from calibration.agreement import one_figure
from calibration.audit import AuditInfo, AuditItem
from calibration.correction import Labelled, corrected_pass_rate
from calibration.decide import decide
from calibration.gate import GateDecision, GateState
from calibration.matched import Matched
from calibration.mean_correction import corrected_mean
from calibration.policy import Policy, Requirement
from calibration.rates import rate_ci

RUNS = int(os.environ.get("JUDGEFLEET_SIMULATIONS", "200"))
INFO = AuditInfo(audit_id="a", kind="rating", labels=["fail", "pass"])
SIZES, RATES = (30, 100, 400), (0.6, 0.85, 0.95)
CELLS = [(n, p) for n in SIZES for p in RATES]


def slack(rate: float) -> float:
    """Three standard errors of a simulated rate, none for the full number of runs."""
    return 0.0 if RUNS >= 2000 else 3 * float(rate * (1 - rate) / RUNS) ** 0.5


def holds(estimate: Any, truth: float) -> bool:
    return estimate.low is not None and estimate.low - 1e-12 <= truth <= estimate.high + 1e-12


@pytest.mark.parametrize(("n", "p"), CELLS)
def test_raw_agreement_covers(n: int, p: float) -> None:
    rng = np.random.default_rng([n, round(100 * p)])
    hits = [holds(rate_ci((rng.random(n) < p).astype(float)), p) for _ in range(RUNS)]
    assert np.mean(hits) >= 0.94 - slack(0.94)


@pytest.mark.parametrize(("n", "p"), CELLS)
def test_agreement_in_conversations_covers(n: int, p: float) -> None:
    """Conversations of up to five turns that agree more alike than chance: beta-binomial, correlation 0.2."""
    rng = np.random.default_rng([n, round(100 * p), 1])
    hits = []
    for _ in range(RUNS):
        clusters = np.sort(rng.integers(0, max(n // 3, 10), n))
        own = rng.beta(4 * p, 4 * (1 - p), clusters.max() + 1)
        hits.append(holds(rate_ci((rng.random(n) < own[clusters]).astype(float), clusters=clusters), p))
    assert np.mean(hits) >= 0.94 - slack(0.94)


@pytest.mark.parametrize(("n", "p"), CELLS)
def test_the_corrected_pass_rate_covers(n: int, p: float) -> None:
    """``n`` labels in a window of 3,000 judged traces; the judge has sensitivity 0.92 and specificity 0.6."""
    rng = np.random.default_rng([n, round(100 * p), 2])
    hits = []
    for _ in range(RUNS):
        human = rng.random(3000) < p
        judge = np.where(human, rng.random(3000) < 0.92, rng.random(3000) >= 0.6)
        here = Labelled(human=human[:n], judge=judge[:n], weights=np.ones(n), clusters=np.arange(n))
        hits.append(holds(corrected_pass_rate(judge, np.ones(3000), np.arange(3000), here, here), p))
    assert np.mean(hits) >= 0.94 - slack(0.94)


def test_the_corrected_pass_rate_covers_where_labels_come_in_conversations() -> None:
    """Forty labelled conversations of five traces that people find alike; labels counted one by one would cover 0.7."""
    rng = np.random.default_rng(13)
    clusters = np.repeat(np.arange(400), 5)
    hits = []
    for _ in range(RUNS):
        human = np.repeat(rng.random(400) < 0.7, 5)
        judge = np.where(rng.random(2000) < 0.85, human, ~human)
        here = Labelled(human=human[:200], judge=judge[:200], weights=np.ones(200), clusters=clusters[:200])
        hits.append(holds(corrected_pass_rate(judge, np.ones(2000), clusters, here, here), 0.7))
    assert np.mean(hits) >= 0.94 - slack(0.94)


MEANS = (2.5, 4.0, 4.7)
FIVE = (1.0, 5.0)


def graded(rng: np.random.Generator, n: int, mean: float) -> tuple[Any, Any]:
    """People's grades from 1 to 5, and a judge's that show six tenths of a difference, too high, with noise."""
    human = 1.0 + rng.binomial(4, (mean - 1) / 4, n)
    return human, np.clip(1.6 + 0.6 * human + rng.normal(0, 0.6, n), *FIVE)


def numbers(human: Any, judge: Any, weights: Any = None, clusters: Any = None) -> Labelled:
    n = len(human)
    return Labelled(
        human=human,
        judge=judge,
        weights=np.ones(n) if weights is None else weights,
        clusters=np.arange(n) if clusters is None else clusters,
    )


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("mean", MEANS)
def test_the_corrected_mean_covers(n: int, mean: float) -> None:
    """``n`` labels in a window of 3,000 graded traces; people's mean is 2.5, 4 or, crowded at the end, 4.7."""
    rng = np.random.default_rng([n, round(10 * mean), 20])
    hits = []
    for _ in range(RUNS):
        human, judge = graded(rng, 3000, mean)
        here = numbers(human[:n], judge[:n])
        hits.append(holds(corrected_mean(judge, np.ones(3000), np.arange(3000), here, here, FIVE), mean))
    assert np.mean(hits) >= 0.94 - slack(0.94)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("mean", MEANS)
def test_the_corrected_mean_covers_where_low_grades_are_labelled_more_often(n: int, mean: float) -> None:
    """The lower half of the judge's grades has four times the chance to be labelled, and the labels their weights: with
    up to 100 labels, few of them with most of the weight, 0.93 is what is promised."""
    promised = 0.93 if n <= 100 else 0.94
    rng = np.random.default_rng([n, round(10 * mean), 21])
    hits = []
    for _ in range(RUNS):
        human, judge = graded(rng, 3000, mean)
        chance = np.where(judge < np.median(judge), 1.6, 0.4) * n / 3000
        drawn = rng.random(3000) < chance
        here = numbers(human[drawn], judge[drawn], 1 / chance[drawn])
        found = corrected_mean(judge, np.ones(3000), np.arange(3000), here, here, FIVE)
        if found.value is not None:  # fewer than twenty labels were drawn: nothing is claimed
            hits.append(holds(found, mean))
    assert len(hits) > 0.9 * RUNS
    assert np.mean(hits) >= promised - slack(promised)


def test_the_corrected_mean_covers_where_labels_come_in_conversations() -> None:
    """Forty labelled conversations of five traces that people find alike."""
    rng = np.random.default_rng(22)
    clusters = np.repeat(np.arange(400), 5)
    hits = []
    for _ in range(RUNS):
        human = np.repeat(1.0 + rng.binomial(4, 0.6, 400), 5)
        judge = np.clip(1.6 + 0.6 * human + rng.normal(0, 0.6, 2000), *FIVE)
        here = numbers(human[:200], judge[:200], clusters=clusters[:200])
        hits.append(holds(corrected_mean(judge, np.ones(2000), clusters, here, here, FIVE), 3.4))
    assert np.mean(hits) >= 0.94 - slack(0.94)


@pytest.mark.parametrize("n", [50, 100, 400])
@pytest.mark.parametrize("mean", [2.5, 3.4, 4.0])
def test_the_mean_by_the_judges_line_covers_where_quality_has_changed(n: int, mean: float) -> None:
    """``n`` labels of another period, in which people's mean was 3.4; none of this window."""
    rng = np.random.default_rng([n, round(10 * mean), 23])
    none = numbers(np.zeros(0), np.zeros(0))
    hits = []
    for _ in range(RUNS):
        elsewhere = numbers(*straight(rng, n, 3.4))
        _, judge = straight(rng, 1000, mean)
        hits.append(holds(corrected_mean(judge, np.ones(1000), np.arange(1000), none, elsewhere, FIVE), mean))
    assert np.mean(hits) >= 0.94 - slack(0.94)


def straight(rng: np.random.Generator, n: int, mean: float) -> tuple[Any, Any]:
    """As ``graded``, but with no end to the judge's scale: its grade is a line of people's, as the method assumes."""
    human = 1.0 + rng.binomial(4, (mean - 1) / 4, n)
    return human, 1.6 + 0.6 * human + rng.normal(0, 0.6, n)


@pytest.mark.parametrize(("n", "p"), CELLS)
def test_the_rate_of_a_trends_window_covers_with_unequal_sampling(n: int, p: float) -> None:
    """Half of the traces sampled at a tenth: the interval is about the weighted rate."""
    rng = np.random.default_rng([n, round(100 * p), 3])
    hits = []
    for _ in range(RUNS):
        weights = np.where(np.arange(n) % 2 == 0, 10.0, 1.0)
        hits.append(holds(rate_ci((rng.random(n) < p).astype(float), weights), p))
    assert np.mean(hits) >= 0.94 - slack(0.94)


@pytest.mark.parametrize("n", [100, 400])
def test_kappa_covers_about_as_often_as_it_says(n: int) -> None:
    """A percentile bootstrap covers a little less than it says in small samples: 0.92 is what is promised."""
    rng = np.random.default_rng([n, 4])
    truth = _kappa(0.7, 0.85)
    hits = []
    for _ in range(min(RUNS // 2, 400)):
        human = rng.random(n) < 0.7
        judge = np.where(rng.random(n) < 0.85, human, ~human)
        hits.append(holds(one_figure(INFO, matched(human, judge), "kappa", None, 0.05), truth))
    assert np.mean(hits) >= 0.92 - 3 * (0.92 * 0.08 / len(hits)) ** 0.5


def _kappa(prevalence: float, agree: float) -> float:
    judge = prevalence * agree + (1 - prevalence) * (1 - agree)
    chance = prevalence * judge + (1 - prevalence) * (1 - judge)
    return (agree - chance) / (1 - chance)


def matched(human: Any, judge: Any, prefix: str = "") -> Matched:
    n = len(human)
    return Matched(
        classes=("fail", "pass"),
        items=tuple(AuditItem(item_id=f"{prefix}{i}") for i in range(n)),
        human=np.asarray(human, dtype=np.intp),
        judge=np.asarray(judge, dtype=np.intp),
        weights=np.ones(n),
        labelled=n,
        unparsed=0,
        disputed=0,
    )


def gate(agree: Any, policy: Policy, now: datetime, history: list[GateDecision], prefix: str) -> GateDecision:
    human = np.zeros(len(agree), dtype=bool)
    human[::2] = True
    found = matched(human, np.where(agree, human, ~human), prefix)
    return decide(INFO, found, policy, fingerprint="f", now=now, history=history)


@pytest.mark.parametrize("n", [50, 200])
def test_one_audit_passes_a_judge_at_the_threshold_no_more_often_than_alpha(n: int) -> None:
    policy = Policy(requirements=(Requirement(threshold=0.8),), alpha=0.05, audits_per_year=1)
    rng = np.random.default_rng([n, 5])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    opened = [gate(rng.random(n) < 0.8, policy, now, [], "").state is GateState.OPEN for _ in range(RUNS)]
    assert np.mean(opened) <= 0.05 + slack(0.05)


def test_a_year_of_weekly_audits_passes_a_judge_at_the_threshold_no_more_often_than_alpha() -> None:
    """52 fresh audits of 100 items each. Open in any week is a false pass; with 0.05 each most years would have one."""
    policy = Policy(requirements=(Requirement(threshold=0.8),), alpha=0.05, audits_per_year=52)
    rng = np.random.default_rng(6)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    years = max(RUNS // 10, 20)
    passed = 0
    for _ in range(years):
        history: list[GateDecision] = []
        for week in range(52):
            history.append(gate(rng.random(100) < 0.8, policy, start + timedelta(weeks=week), history, f"{week}-"))
        assert [d.audit_number for d in history] == list(range(1, 53))
        passed += any(d.state is GateState.OPEN for d in history)
    assert passed / years <= 0.05 + 3 * (0.05 * 0.95 / years) ** 0.5


def test_a_good_judge_gets_through() -> None:
    policy = Policy(requirements=(Requirement(threshold=0.8),), alpha=0.05, audits_per_year=1)
    rng = np.random.default_rng(8)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    opened = [gate(rng.random(150) < 0.92, policy, now, [], "").state is GateState.OPEN for _ in range(RUNS)]
    assert np.mean(opened) > 0.9
