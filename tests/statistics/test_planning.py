"""A planned sample sees the planned drop about as often as planned, by the comparison that trends make.

Seeded simulations: two hundred runs a case, JUDGEFLEET_SIMULATIONS=2000 does the full number. Traffic comes in
conversations whose answers are alike, a judge that errs passes or fails them, some get no value, and conversations are
drawn at the planned rate. What is simulated is what people would say; the plan only knows the judge's accuracies.
"""

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from calibration.prevalence import apparent_rate
from calibration.rates import rate_ci
from jobs.capacity_options import PlanOptions
from jobs.capacity_strata import plan_strata
from judgefleet.proportions import rate_difference_ci

RUNS = int(os.environ.get("JUDGEFLEET_SIMULATIONS", "200"))
SLACK = 3 * (0.8 * 0.2 / RUNS) ** 0.5
# Name: pass rate, drop, sensitivity, specificity, turns, correlation of what people would say in one conversation.
CASES = {
    "a judge that seldom errs": (0.90, 0.05, 0.99, 0.99, 1, 0.0),
    "a judge that errs": (0.90, 0.06, 0.85, 0.85, 1, 0.0),
    "lenient judge, conversations": (0.85, 0.07, 0.95, 0.70, 4, 0.3),
    "long conversations": (0.70, 0.10, 0.90, 0.80, 10, 0.5),
}


def options_of(case: tuple[Any, ...], **changes: Any) -> PlanOptions:
    rate, drop, sensitivity, specificity, turns, alike = case
    # Errors of the judge make verdicts less alike than answers are.
    seen = apparent_rate(rate, sensitivity, specificity)
    youden = sensitivity + specificity - 1
    correlation = alike * youden**2 * rate * (1 - rate) / (seen * (1 - seen))
    asked = {
        "traffic": 4000,
        "pass_rate": rate,
        "detect": drop,
        "sensitivity": sensitivity,
        "specificity": specificity,
        "turns": turns,
        "correlation": correlation,
        "horizon": 1,
        "valid_share": 0.95,
    }
    return PlanOptions.model_validate(asked | changes)


def window(
    rng: np.random.Generator, options: PlanOptions, rate: float, alike: float, drawn: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """Verdicts of a window's judged traces (1 is a pass), and the conversation of each."""
    turns = int(options.turns)
    conversations = rng.binomial(round(options.traffic * options.within / turns), drawn)
    own = rng.beta(rate / alike * (1 - alike), (1 - rate) / alike * (1 - alike), conversations) if alike else None
    chance = np.repeat(rate if own is None else own, conversations * turns if own is None else turns)
    good = rng.random(conversations * turns) < chance
    sensitivity, specificity = options.accuracies
    passed = np.where(good, rng.random(len(good)) < sensitivity, rng.random(len(good)) >= specificity)
    valid = rng.random(len(good)) < options.valid_share
    return passed[valid].astype(float), np.repeat(np.arange(conversations), turns)[valid]


def share_seen(options: PlanOptions, alike: float, drop: float, drawn: float, seed: int) -> float:
    """How often the second window is found to be below the first."""
    return float(np.mean(list(_seen(options, alike, drop, drawn, seed))))


def _seen(options: PlanOptions, alike: float, drop: float, drawn: float, seed: int) -> Iterator[bool]:
    rng = np.random.default_rng([seed, 11])
    for _ in range(RUNS):
        before, after = (
            rate_ci(*_split(window(rng, options, options.pass_rate - fall, alike, drawn)), alpha=options.alpha)
            for fall in (0.0, drop)
        )
        high = rate_difference_ci(before, after).high
        yield high is not None and high < 0


def _split(found: tuple[Any, Any]) -> tuple[Any, None, Any]:
    return found[0], None, found[1]


@pytest.mark.parametrize("name", CASES)
def test_the_planned_rate_sees_the_planned_drop_about_as_often_as_planned(name: str) -> None:
    """Between 0.74 and 0.86 for 0.80: exact intervals are a little wider than the plan's normal approximation."""
    options = options_of(CASES[name])
    (planned,) = plan_strata(options)
    assert planned.feasible
    assert planned.rate < 0.9
    seen = share_seen(options, CASES[name][5], options.detect, planned.rate, seed=len(name))
    assert 0.74 - SLACK <= seen <= 0.86 + SLACK


def test_half_the_planned_rate_sees_it_clearly_less_often() -> None:
    """So the tests above can fail."""
    case = CASES["a judge that errs"]
    (planned,) = plan_strata(options_of(case))
    assert share_seen(options_of(case), case[5], 0.06, planned.rate / 2, seed=1) < 0.74 - SLACK


def test_a_plan_that_forgets_conversations_sees_it_less_often() -> None:
    case = CASES["long conversations"]
    (planned,) = plan_strata(options_of(case, correlation=0))
    assert share_seen(options_of(case), case[5], 0.10, planned.rate, seed=2) < 0.74 - SLACK


def test_without_a_drop_none_is_seen_more_often_than_alpha_on_its_side() -> None:
    case = CASES["lenient judge, conversations"]
    (planned,) = plan_strata(options_of(case))
    assert share_seen(options_of(case), case[5], 0.0, planned.rate, seed=3) <= 0.025 + 3 * (0.025 * 0.975 / RUNS) ** 0.5
