"""Agreement figures against tables worked by hand and by statsmodels; the forms of a report."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from statsmodels.stats.inter_rater import cohens_kappa  # type: ignore[import-untyped]

from calibration.ac1 import ac1_of_table
from calibration.agreement import agreement_of, human_ceiling
from calibration.alpha import krippendorff_alpha
from calibration.audit import AuditInfo, AuditItem, Label
from calibration.bias import ledger
from calibration.compare import compare_judges
from calibration.consensus import Consensus
from calibration.judgements import Judgement, JudgeRun, reconciled
from calibration.kappa import cohen_kappa as one_kappa
from calibration.matched import BOTH_ORDERS, FIRST_ORDER, Matched, match
from calibration.reliability import reliability
from calibration.tables import cohen_kappa, gwet_ac1, krippendorff_nominal

PAIR = AuditInfo(audit_id="a", kind="pair")
RATING = AuditInfo(audit_id="a", kind="rating", labels=["bad", "good"])


def said_by(rows: Sequence[tuple[str | None, str | None]], info: AuditInfo = RATING, **item: Any) -> Matched:
    """Items with one human label and one verdict each."""
    items = {str(n): AuditItem(item_id=str(n), **item) for n in range(len(rows))}
    people = {str(n): Consensus(item_id=str(n), label=h) for n, (h, _) in enumerate(rows)}
    judged = {str(n): Judgement(item_id=str(n), first=j) for n, (_, j) in enumerate(rows)}
    run = JudgeRun(judge="j", prompt="", source="", fingerprint="f", judgements=judged)
    return match(info, items, people, run, FIRST_ORDER)


def from_table(table: list[list[int]], labels: tuple[str, ...], info: AuditInfo) -> Matched:
    rows = [(labels[h], labels[j]) for h, row in enumerate(table) for j, n in enumerate(row) for _ in range(n)]
    return said_by(rows, info)


@pytest.mark.parametrize("table", [[[20, 5], [10, 15]], [[40, 9], [6, 45]], [[80, 10], [5, 5]]])
def test_kappa_is_that_of_statsmodels_and_its_interval_is_about_as_wide(table: list[list[int]]) -> None:
    found = agreement_of(RATING, from_table(table, ("bad", "good"), RATING))
    oracle = cohens_kappa(np.array(table))
    assert found.kappa.value == pytest.approx(oracle.kappa)
    assert found.kappa.low is not None
    assert found.kappa.high is not None
    assert (found.kappa.high - found.kappa.low) / (2 * 1.96) == pytest.approx(oracle.std_kappa, rel=0.15)
    assert found.agreement.value == pytest.approx(np.trace(table) / np.sum(table))


def test_sensitivity_and_specificity_are_of_the_rows_people_gave() -> None:
    found = agreement_of(RATING, from_table([[8, 2], [3, 17]], ("bad", "good"), RATING))
    good = found.classes["good"]
    assert (good.human, good.judge) == (20, 19)
    assert good.sensitivity.value == pytest.approx(17 / 20)
    assert good.specificity.value == pytest.approx(8 / 10)
    assert found.confusion == {"bad": {"bad": 8, "good": 2}, "good": {"bad": 3, "good": 17}}


def test_a_verdict_that_is_missing_is_counted_and_never_an_answer() -> None:
    found = agreement_of(RATING, said_by([("good", "good"), ("bad", None), (None, "good"), ("good", "bad")]))
    assert (found.n, found.labelled, found.unparsed) == (2, 3, 1)
    assert found.agreement.value == 0.5


def test_a_judge_with_one_answer_has_no_kappa_interval_and_one_class_has_no_kappa() -> None:
    constant = agreement_of(RATING, said_by([("good", "good")] * 15 + [("bad", "good")] * 15))
    assert constant.kappa.value == 0
    assert not constant.kappa.has_interval
    single = agreement_of(RATING, said_by([("good", "good")] * 30))
    assert single.kappa.value is None
    assert "one class only" in single.kappa.method


def test_items_of_one_conversation_make_the_interval_wider() -> None:
    rows = [("good", "good")] * 60 + [("good", "bad")] * 20
    alone = said_by(rows)
    items = {i.item_id: AuditItem(item_id=i.item_id, group_id=f"g{n // 8}") for n, i in enumerate(alone.items)}
    people = {i: Consensus(item_id=i, label="good") for i in items}
    run = JudgeRun(
        judge="j",
        prompt="",
        source="",
        fingerprint="f",
        judgements={str(n): Judgement(item_id=str(n), first=j) for n, (_, j) in enumerate(rows)},
    )
    together = agreement_of(RATING, match(RATING, items, people, run, FIRST_ORDER)).agreement
    apart = agreement_of(RATING, alone).agreement
    assert together.value == apart.value
    assert together.low is not None
    assert apart.low is not None
    assert together.low < apart.low


def test_both_orders_make_one_verdict_and_a_flip_is_a_tie() -> None:
    assert [reconciled(*o) for o in (("A", "A"), ("A", "B"), ("B", "TIE"), (None, "A"))] == ["A", "TIE", "TIE", None]


def test_weighted_kappa_of_pairs_gives_a_tie_half_credit() -> None:
    rows = [("A", "TIE")] * 10 + [("B", "TIE")] * 10 + [("A", "A")] * 5 + [("B", "B")] * 5
    found = agreement_of(PAIR, said_by(rows, PAIR))
    assert found.weighted_kappa is not None
    assert found.weighted_kappa.value is not None
    assert found.kappa.value is not None
    assert found.weighted_kappa.value > found.kappa.value
    assert found.decisive is not None
    assert (found.decisive.value, found.decisive.n) == (1.0, 10)


def test_a_cut_makes_pass_and_fail_of_scores_on_both_sides() -> None:
    info = AuditInfo(audit_id="a", kind="rating", scale=(1, 5), cut=3)
    people = {str(n): Consensus(item_id=str(n), score=s) for n, s in enumerate((2.9, 3.0, 5.0))}
    judged = {str(n): Judgement(item_id=str(n), first="1", score=s) for n, s in enumerate((3.1, 2.0, 3.0))}
    items = {str(n): AuditItem(item_id=str(n)) for n in range(3)}
    run = JudgeRun(judge="j", prompt="", source="", fingerprint="f", judgements=judged)
    found = agreement_of(info, match(info, items, people, run, BOTH_ORDERS))
    assert found.confusion == {"fail": {"fail": 0, "pass": 1}, "pass": {"fail": 1, "pass": 1}}


def test_segments_share_the_risk_and_are_named_by_their_value() -> None:
    rows = [("good", "good")] * 30
    found = said_by(rows)
    mixed = Matched(
        classes=found.classes,
        items=tuple(
            AuditItem(item_id=i.item_id, segments={"lang": "de" if n % 2 else "en"}) for n, i in enumerate(found.items)
        ),
        human=found.human,
        judge=found.judge,
        weights=found.weights,
        labelled=30,
        unparsed=0,
        disputed=0,
    )
    figures = agreement_of(RATING, mixed, segments=["lang"]).segments["lang"]
    assert set(figures) == {"de", "en"}
    alone = agreement_of(RATING, mixed.where(np.arange(30) % 2 == 0)).agreement
    assert figures["en"].low is not None
    assert alone.low is not None
    assert figures["en"].low < alone.low


def test_the_human_ceiling_counts_every_two_raters_of_an_item_once() -> None:
    labels = [
        Label(item_id=str(n), rater=r, label=v)
        for n in range(20)
        for r, v in (("a", "A"), ("b", "AB"[n % 2]), ("c", "A"))
    ]
    found = human_ceiling(PAIR, labels, {})
    assert found["items"] == 20
    assert found["agreement"].value == pytest.approx((10 * 1 + 10 / 3) / 20)


def test_the_ledger_finds_a_judge_that_takes_the_first_slot_and_clears_a_fair_one() -> None:
    items = {str(n): AuditItem(item_id=str(n), responses=("x" * (n % 7 + 1), "y" * (n % 5 + 1))) for n in range(60)}
    people = {i: Consensus(item_id=i, label="AB"[int(i) % 2]) for i in items}

    def entries(second: dict[int, str]) -> dict[str, Any]:
        judged = {
            i: Judgement(
                item_id=i,
                first="A" if second else "AB"[int(i) % 2],
                second=second.get(int(i), "AB"[int(i) % 2]),
                order_consistent=not second,
            )
            for i in items
        }
        run = JudgeRun(judge="j", prompt="", source="", fingerprint="f", judgements=judged)
        return {entry.name: entry for entry in ledger(items, people, run)}

    fair, greedy = entries({}), entries(dict.fromkeys(range(60), "B"))
    assert fair["position_flips"].estimate.value == 0
    assert fair["first_slot"].estimate.value is None
    assert greedy["first_slot"].found is True
    assert greedy["first_slot"].p_value < 1e-10
    assert "60 of 60" in greedy["position_flips"].sentence


def test_a_judge_that_likes_its_own_model_is_told_from_one_that_is_right_about_it() -> None:
    items = {str(n): AuditItem(item_id=str(n), segments={"model_a": "gpt-4", "model_b": "other"}) for n in range(50)}
    people = {i: Consensus(item_id=i, label="AB"[int(i) % 2]) for i in items}

    def bias(said: str | None) -> Any:
        judged = {i: Judgement(item_id=i, first=said or "AB"[int(i) % 2]) for i in items}
        run = JudgeRun(judge="GPT 4", prompt="", source="", fingerprint="f", judgements=judged)
        return next(e for e in ledger(items, people, run) if e.name == "self_preference")

    assert bias("A").found is True
    assert bias("A").estimate.value == pytest.approx(0.5)
    assert bias(None).estimate.value == 0


def test_two_judges_are_compared_on_the_items_both_answered() -> None:
    rows = [("good", "good")] * 20 + [("good", "bad")] * 20
    better = [("good", "good")] * 38 + [("good", "bad")] * 2
    [found] = compare_judges({"one": said_by(list(rows)), "two": said_by(list(better))})
    assert (found.only_first, found.only_second) == (0, 18)
    assert found.difference.value == pytest.approx(18 / 40)
    assert found.p_value < 0.001


def test_calibration_error_is_the_gap_between_confidence_and_being_right() -> None:
    found = said_by([("good", "good")] * 30 + [("bad", "good")] * 30)
    judged = {
        i.item_id: Judgement(item_id=i.item_id, first="good", probabilities={"good": 0.9, "bad": 0.1})
        for i in found.items
    }
    run = JudgeRun(judge="j", prompt="", source="", fingerprint="f", judgements=judged)
    measured = reliability(RATING, found, run)
    assert measured is not None
    assert measured.ece.value == pytest.approx(0.4)
    assert measured.brier.value == pytest.approx((0.01 + 0.81) / 2)
    [only] = measured.bins
    assert (only.n, only.accuracy, round(only.confidence, 6)) == (60, 0.5, 0.9)


def test_many_tables_at_once_give_what_one_table_gives() -> None:
    tables = np.random.default_rng(9).integers(1, 30, (50, 3, 3)).astype(float)
    for table, kappa, ac1, alpha in zip(
        tables, cohen_kappa(tables), gwet_ac1(tables), krippendorff_nominal(tables), strict=True
    ):
        places = np.argwhere(np.ones((3, 3))).repeat(table.astype(int).ravel(), axis=0)
        ratings = [places[:, 0].tolist(), places[:, 1].tolist()]
        assert kappa == pytest.approx(one_kappa(table).value)
        assert ac1 == pytest.approx(ac1_of_table(table).value)
        assert alpha == pytest.approx(krippendorff_alpha(ratings))


def test_a_tie_that_nobody_gave_is_no_class_by_which_chance_falls() -> None:
    rows = [("A", "A")] * 20 + [("B", "B")] * 15 + [("A", "B")] * 5 + [("B", "A")] * 10
    assert agreement_of(PAIR, said_by(rows, PAIR)).ac1.value == pytest.approx(ac1_of_table([[20, 5], [10, 15]]).value)


def test_the_human_ceiling_is_about_pass_and_fail_where_the_judge_is() -> None:
    info = AuditInfo(audit_id="a", kind="rating", scale=(1, 5), cut=3)
    labels = [
        Label(item_id=str(n), rater=r, score=float((1 if n % 2 else 4) + extra))
        for n in range(20)
        for r, extra in (("a", 0), ("b", 1))
    ]
    assert human_ceiling(info, labels, {})["agreement"].value == 1.0
