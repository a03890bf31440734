"""Recalibration on judges whose faults are known: what is fitted, and that it is measured on items it has not seen."""

import math

import numpy as np
import pytest

from calibration.audit import AuditItem
from calibration.consensus import Consensus
from calibration.judgements import Judgement, JudgeRun, reconciled
from calibration.recalibrate import is_train, monotone_knots, refit_map, refit_pairs


def run_of(judgements: dict[str, Judgement]) -> JudgeRun:
    return JudgeRun(judge="j", prompt="truth", source="", fingerprint="f", judgements=judgements)


def test_a_judge_that_grades_too_low_is_mapped_to_peoples_scale() -> None:
    rng = np.random.default_rng(2)
    scores = {str(n): float(rng.integers(1, 6)) for n in range(200)}
    items = {i: AuditItem(item_id=i) for i in scores}
    people = {i: Consensus(item_id=i, score=s) for i, s in scores.items()}
    judged = {i: Judgement(item_id=i, score=1 + s / 5 + rng.normal(0, 0.02)) for i, s in scores.items()}
    found = refit_map(items, people, run_of(judged), "truth", cut=4)
    assert found is not None
    assert found.helps
    assert found.after.value is not None
    assert found.before.value is not None
    assert found.after.value > 0.95 > found.before.value
    assert found.n_train + found.n_held_out == 200
    [knots] = found.options["value_map"].values()
    assert knots == sorted(knots)


def test_a_judge_that_knows_nothing_is_not_helped() -> None:
    rng = np.random.default_rng(4)
    items = {str(n): AuditItem(item_id=str(n)) for n in range(200)}
    people = {i: Consensus(item_id=i, score=float(rng.integers(1, 6))) for i in items}
    judged = {i: Judgement(item_id=i, score=float(rng.uniform(1, 5))) for i in items}
    found = refit_map(items, people, run_of(judged), "truth", cut=3)
    assert found is not None
    assert not found.helps


def test_the_pull_of_the_first_slot_is_taken_out() -> None:
    """Log-odds of 1 for the better answer and of 3 for the first slot: every verdict flips, and all are ties."""
    rng = np.random.default_rng(7)
    items = {str(n): AuditItem(item_id=str(n)) for n in range(160)}
    people, judged = {}, {}
    for i in items:
        better = "AB"[int(rng.integers(2))]
        sign = 1.0 if better == "A" else -1.0
        odds = (3 + sign + rng.normal(0, 0.3), 3 - sign + rng.normal(0, 0.3))
        first, second = "A" if odds[0] > 0 else "B", "B" if odds[1] > 0 else "A"
        people[i] = Consensus(item_id=i, label=better)
        judged[i] = Judgement(item_id=i, first=first, second=second, combined=reconciled(first, second), odds=odds)
    found = refit_pairs(items, people, run_of(judged))
    assert found is not None
    assert found.before.value == 0
    assert found.after.value is not None
    assert found.after.value > 0.95
    assert found.options["order_bias"] == pytest.approx(3, abs=0.1)
    assert found.helps


def test_items_of_one_cluster_are_on_one_side() -> None:
    items = [AuditItem(item_id=str(n), group_id=f"g{n // 4}") for n in range(400)]
    sides = {item.group_id: is_train(item) for item in items}
    assert all(is_train(item) == sides[item.group_id] for item in items)
    assert 0.35 < np.mean(list(sides.values())) < 0.65


def test_too_few_items_fit_nothing() -> None:
    items = {str(n): AuditItem(item_id=str(n)) for n in range(15)}
    people = {i: Consensus(item_id=i, score=1.0, label="A") for i in items}
    judged = {i: Judgement(item_id=i, score=1.0, odds=(0.0, math.log(2))) for i in items}
    assert refit_map(items, people, run_of(judged), "truth", cut=3) is None
    assert refit_pairs(items, people, run_of(judged)) is None


def test_the_map_never_falls_and_keeps_its_ends() -> None:
    rng = np.random.default_rng(1)
    knots = monotone_knots(rng.uniform(1, 5, 100).tolist(), rng.integers(1, 6, 100).astype(float).tolist())
    values = [y for _, y in knots]
    assert values == sorted(values)
    assert monotone_knots([2.0, 2.0], [1.0, 3.0]) == [(2.0, 2.0), (3.0, 2.0)]
