"""The pairwise judge: both orders always, two mirrored rows, disagreement is a tie."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from pydantic import ValidationError

from judgefleet.sample import Sample
from judgefleet.score import Outcome, Status
from judges.judge import Unit
from judges.pairs import Pair, match_pairs
from judges.pairwise import BoundPairwise, PairwiseJudge, PairwiseOptions
from judges.reconcile import reconcile
from judges.token_writer import TokenWriter
from judges.verdict import Reply

MakeSample = Callable[..., Sample]
VARIANTS = ("A", "B")


@pytest.fixture
def judge(writer: TokenWriter) -> BoundPairwise:
    options = PairwiseOptions(rubric="support_preference", variants=VARIANTS, allow_tie=True)
    return PairwiseJudge("preference", options).bind({"default": writer})


@pytest.fixture
def pair(make_sample: MakeSample) -> list[Sample]:
    return [make_sample("ta", variant="A"), make_sample("tb", variant="B", output="Sorry, no idea.")]


def says(*orders: tuple[float, ...]) -> list[Reply]:
    """Replies with the given probabilities of A, B and C."""
    return [Reply(logprobs=tuple(math.log(p) for p in order)) for order in orders]


def conclude(judge: BoundPairwise, unit: Unit, *orders: tuple[float, ...]) -> Sequence[Outcome]:
    return judge.conclude(unit.after(says(*orders)))


def test_both_orders_are_asked_and_share_the_question(judge: BoundPairwise, pair: list[Sample]) -> None:
    [unit] = judge.units(pair, lambda row: True)
    one, two = (prompt.token_ids for prompt in unit.prompts)
    assert sorted(one) == sorted(two)
    assert one != two
    assert [row.sample.trace.trace_id for row in unit.rows] == ["ta", "tb"]


def test_agreement_gives_mirrored_rows(judge: BoundPairwise, pair: list[Sample]) -> None:
    [unit] = judge.units(pair, lambda row: True)
    a, b = conclude(judge, unit, (0.7, 0.2, 0.1), (0.3, 0.6, 0.1))
    assert (a.label, b.label) == ("win", "loss")
    assert a.value == pytest.approx(0.65 + 0.05)
    assert (a.value or 0) + (b.value or 0) == pytest.approx(1.0)
    assert a.pair_id == b.pair_id
    assert (a.other_trace_id, b.other_trace_id) == ("tb", "ta")
    assert [(o.first, o.label) for o in a.orders] == [("ta", "first"), ("tb", "second")]
    assert a.orders == b.orders


def test_disagreement_between_the_orders_is_a_tie(judge: BoundPairwise, pair: list[Sample]) -> None:
    [unit] = judge.units(pair, lambda row: True)
    a, b = conclude(judge, unit, (0.8, 0.1, 0.1), (0.7, 0.2, 0.1))
    assert (a.label, b.label) == ("tie", "tie")
    assert a.order_consistent is False
    assert a.value == pytest.approx(0.5 + (0.8 - 0.7) / 4 + (0.2 - 0.1) / 4)


def test_swapped_variants_give_the_same_prompts_and_mirrored_verdicts(judge: BoundPairwise, pair: list[Sample]) -> None:
    other = {"A": "B", "B": "A"}
    swapped = [replace(s, trace=replace(s.trace, variant=other[s.trace.variant or ""])) for s in reversed(pair)]
    [unit], [mirror] = (list(judge.units(s, lambda row: True)) for s in (pair, swapped))
    assert {p.token_ids for p in unit.prompts} == {p.token_ids for p in mirror.prompts}
    replies = says((0.7, 0.2, 0.1), (0.5, 0.4, 0.1))
    table = {p.token_ids: reply for p, reply in zip(unit.prompts, replies, strict=True)}
    a, b = judge.conclude(unit.after([table[p.token_ids] for p in unit.prompts]))
    b_again, a_again = judge.conclude(mirror.after([table[p.token_ids] for p in mirror.prompts]))
    assert (a.value, a.label, a.pair_id) == (a_again.value, a_again.label, a_again.pair_id)
    assert (b.value, b.label) == (b_again.value, b_again.label)


def test_one_failed_order_fails_the_pair(judge: BoundPairwise, pair: list[Sample]) -> None:
    [unit] = judge.units(pair, lambda row: True)
    outcomes = judge.conclude(unit.after([*says((0.7, 0.2, 0.1)), Reply(error="boom")]))
    assert {(o.status, o.value) for o in outcomes} == {(Status.ENGINE_ERROR, None)}


def test_without_a_partner_it_is_not_applicable_and_says_why(judge: BoundPairwise, make_sample: MakeSample) -> None:
    lonely = [
        make_sample("t1", variant="A"),
        make_sample("t2", variant="C"),
        make_sample("t3", variant="B", attributes={}),
    ]
    units = list(judge.units(lonely, lambda row: True))
    reasons = {unit.rows[0].sample.trace.trace_id: unit.settled[0].reason or "" for unit in units}
    assert "no sampled trace of the other variant" in reasons["t1"]
    assert "'C' is none of ['A', 'B']" in reasons["t2"]
    assert "no attribute 'judgefleet.item_id'" in reasons["t3"]
    assert {unit.settled[0].status for unit in units} == {Status.NOT_APPLICABLE}


def test_an_empty_answer_or_another_question_is_no_comparison(judge: BoundPairwise, make_sample: MakeSample) -> None:
    for other in (make_sample("tb", variant="B", output=""), make_sample("tb", question="Another?", variant="B")):
        [unit] = judge.units([make_sample("ta"), other], lambda row: True)
        assert {o.status for o in unit.settled} == {Status.NOT_APPLICABLE}
        assert len(unit.settled) == len(unit.rows) == 2


def test_a_pair_half_in_the_store_is_asked_again_for_the_other_half(judge: BoundPairwise, pair: list[Sample]) -> None:
    [unit] = judge.units(pair, lambda row: row.sample.trace.trace_id == "tb")
    assert unit.wanted == (False, True)
    assert len(unit.prompts) == 2
    assert not list(judge.units(pair, lambda row: False))


def test_rows_and_units_agree(judge: BoundPairwise, pair: list[Sample], make_sample: MakeSample) -> None:
    samples = [*pair, make_sample("t9", variant="C")]
    rows = sorted(row.score_id(judge.info) for row in judge.rows(samples))
    asked = sorted(row.score_id(judge.info) for unit in judge.units(samples, lambda row: True) for row in unit.rows)
    assert rows == asked
    assert len(set(rows)) == 3


def test_different_contexts_are_shown_alike_in_both_orders(make_sample: MakeSample) -> None:
    a, b = make_sample("ta", contexts=("x", "y")), make_sample("tb", contexts=("z", "y"), variant="B")
    pair = Pair(samples=(a, b))
    assert pair.shared.trace.contexts == pair.swapped.shared.trace.contexts == ("x", "y", "z")


def test_repeated_answers_are_paired_by_id_and_the_rest_is_said(make_sample: MakeSample) -> None:
    samples = [make_sample(f"a{i}", variant="A") for i in (2, 1, 3)] + [make_sample("b1", variant="B")]
    found = list(match_pairs(samples, VARIANTS, "judgefleet.item_id"))
    pairs = [tuple(s.trace.trace_id for s in p.samples) for p in found if isinstance(p, Pair)]
    alone = [p[0].trace.trace_id for p in found if not isinstance(p, Pair)]
    assert pairs == [("a1", "b1")]
    assert alone == ["a2", "a3"]


def test_a_dead_heat_is_a_tie_from_both_sides() -> None:
    heat = {"first": 0.4, "second": 0.4, "tie": 0.2}
    assert [side.label for side in reconcile([heat, heat])] == ["tie", "tie"]


def test_without_a_tie_label_a_tie_is_what_the_orders_disagree_on(writer: TokenWriter, pair: list[Sample]) -> None:
    options = PairwiseOptions(rubric="support_preference", variants=VARIANTS)
    forced = PairwiseJudge("preference", options).bind({"default": writer})
    [unit] = forced.units(pair, lambda row: True)
    one, two = conclude(forced, unit, (0.9, 0.1), (0.9, 0.1))
    assert (one.label, one.value, one.order_consistent, two.value) == ("tie", 0.5, False, 0.5)
    assert one.probabilities["tie"] == 0.0


def test_the_two_variants_must_differ() -> None:
    with pytest.raises(ValidationError, match="must differ"):
        PairwiseOptions(rubric="support_preference", variants=("A", "A"))
