"""The panel: every vote is on the row, the declared rule makes one verdict of them, or there is none."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from pydantic import ValidationError

from judgefleet.errors import ConfigError
from judgefleet.sample import Sample
from judgefleet.score import Outcome, Status
from judges.judge import CONVERSATION, Unit
from judges.judge_model import JudgeModel
from judges.message_writer import MessageWriter
from judges.panel import PanelJudge, PanelOptions
from judges.panel_vote import BoundPanel
from judges.token_writer import TokenWriter
from judges.verdict import Reply
from judges.votes import Grades, Preferences, Rule, Vote, elect

MakeSample = Callable[..., Sample]
Writers = Mapping[str, TokenWriter]
RULES: tuple[Rule, ...] = ("mean", "median", "majority", "unanimous")


@pytest.fixture(scope="module")
def writers(judge_model: JudgeModel) -> Writers:
    return {name: TokenWriter(replace(judge_model, name=f"model-{name}"), name) for name in "abc"}


def options(weights: Sequence[float] = (1, 1, 1), **given: object) -> PanelOptions:
    members = [{"engine": name, "weight": weight} for name, weight in zip("abc", weights, strict=False)]
    return PanelOptions.model_validate({"rubric": "helpfulness", "members": members} | given)


def bound(writers: Writers, weights: Sequence[float] = (1, 1, 1), **given: object) -> BoundPanel:
    return PanelJudge("panel", options(weights, **given)).bind(writers)


def sure(grade: int) -> Reply:
    """A member that is certain of a grade from 1 to 5."""
    return Reply(logprobs=tuple(0.0 if n == grade else -math.inf for n in range(1, 6)), prompt_tokens=7)


def spread(*masses: float) -> Reply:
    return Reply(logprobs=tuple(math.log(m) if m else -math.inf for m in masses), prompt_tokens=7)


GONE = Reply(error="boom")


def graded(judge: BoundPanel, sample: Sample, replies: Sequence[Reply]) -> Outcome:
    [unit] = judge.units([sample], lambda row: True)
    assert [prompt.engine for prompt in unit.prompts] == list("abc")[: len(replies)]
    [outcome] = judge.conclude(unit.after(replies))
    return outcome


@pytest.mark.parametrize(
    ("vote", "weights", "grades", "value", "label"),
    [
        ("mean", (1, 1, 1), (3, 4, 5), 4.0, "4"),
        ("mean", (1, 1, 1), (1, 1, 5), 7 / 3, "2"),
        ("mean", (1, 1, 2), (1, 1, 5), 3.0, "3"),
        ("mean", (1, 1), (2, 3), 2.5, "2"),
        ("mean", (1, 3), (2, 3), 2.75, "3"),
        ("median", (1, 1, 1), (1, 1, 5), 1.0, "1"),
        ("median", (1, 1, 1), (1, 4, 5), 4.0, "4"),
        ("median", (1, 1), (2, 5), 3.5, "3"),
        ("median", (1, 1, 2), (1, 2, 5), 3.5, "3"),
        ("median", (1, 1, 5), (1, 2, 5), 5.0, "5"),
        ("median", (0.1, 0.2, 0.3), (1, 2, 5), 3.5, "3"),
        ("majority", (1, 1, 1), (2, 2, 5), 2.0, "2"),
        ("majority", (1, 1, 1), (2, 4, 5), 2.0, "2"),
        ("majority", (1, 1, 3), (2, 2, 5), 5.0, "5"),
        ("majority", (1, 1), (5, 4), 4.0, "4"),
        ("majority", (0.1, 0.2, 0.3), (4, 4, 5), 4.0, "4"),
        ("unanimous", (1, 1, 1), (4, 4, 4), 4.0, "4"),
        ("unanimous", (1, 9), (1, 1), 1.0, "1"),
    ],
)
def test_grades_become_one_by_the_rule(
    writers: Writers,
    make_sample: MakeSample,
    vote: str,
    weights: tuple[float, ...],
    grades: tuple[int, ...],
    value: float,
    label: str,
) -> None:
    outcome = graded(bound(writers, weights, vote=vote), make_sample(), [sure(g) for g in grades])
    assert (outcome.status, outcome.label) == (Status.OK, label)
    assert outcome.value == pytest.approx(value, abs=1e-6)
    assert sum(outcome.probabilities.values()) == pytest.approx(1.0, abs=1e-5)
    assert outcome.prompt_tokens == 7 * len(grades)


def test_every_vote_is_on_the_row(writers: Writers, make_sample: MakeSample) -> None:
    replies = [spread(0, 0, 0.5, 0.5, 0), sure(5), Reply(text="4")]
    outcome = graded(bound(writers, (1, 2, 1)), make_sample(), replies)
    assert outcome.reason == (
        "mean of 3 votes | a: 3 = 3.5 | b (weight 2): 5 = 5"
        " | c: 4 = 4, the engine gave no probabilities: the value is that of the label"
    )
    assert outcome.value == pytest.approx((3.5 + 10 + 4) / 4)
    assert outcome.probabilities == pytest.approx({"1": 0, "2": 0, "3": 0.125, "4": 0.375, "5": 0.5})


def test_the_value_of_the_mean_is_the_mean_of_the_distribution(writers: Writers, make_sample: MakeSample) -> None:
    replies = [spread(0.1, 0.2, 0.3, 0.2, 0.2), spread(0, 0, 0.25, 0.25, 0.5), sure(2)]
    outcome = graded(bound(writers, (1, 2, 3)), make_sample(), replies)
    expected = sum(float(label) * mass for label, mass in outcome.probabilities.items())
    assert outcome.value == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("vote", RULES)
@pytest.mark.parametrize(
    ("quorum", "replies", "valid"),
    [
        (None, (sure(4), GONE, sure(4)), False),
        (3, (sure(4), Reply(), sure(4)), False),
        (2, (sure(4), GONE, sure(4)), True),
        (2, (sure(4), GONE, GONE), False),
        (1, (sure(4), GONE, Reply(error="timeout")), True),
        (1, (GONE, Reply(error="timeout"), Reply()), False),
    ],
)
def test_below_the_quorum_there_is_no_number(
    writers: Writers,
    make_sample: MakeSample,
    vote: str,
    quorum: int | None,
    replies: tuple[Reply, ...],
    valid: bool,
) -> None:
    outcome = graded(bound(writers, vote=vote, quorum=quorum), make_sample(), replies)
    assert (outcome.status is Status.OK) == valid
    assert outcome.value == (4.0 if valid else None)
    assert "boom" in (outcome.reason or "") or Reply() in replies
    if not valid:
        assert f"the quorum is {quorum or 3}" in (outcome.reason or "")
        assert outcome.label is None


def test_members_that_disagree_are_no_verdict_where_all_must_agree(writers: Writers, make_sample: MakeSample) -> None:
    outcome = graded(bound(writers, vote="unanimous"), make_sample(), [sure(4), sure(4), sure(5)])
    assert (outcome.status, outcome.value, outcome.label) == (Status.REFUSED, None, None)
    assert outcome.reason == "the members disagree: 4, 5 | a: 4 = 4 | b: 4 = 4 | c: 5 = 5"


def test_what_no_member_can_judge_is_not_applicable(writers: Writers, make_sample: MakeSample) -> None:
    judge = bound(writers)
    [unit] = judge.units([make_sample(output="")], lambda row: True)
    assert (unit.done, unit.prompts) == (True, ())
    [outcome] = judge.conclude(unit)
    assert (outcome.status, outcome.reason) == (Status.NOT_APPLICABLE, "the trace has no output")


def test_a_member_that_reads_less_does_not_stop_the_others(
    writers: Writers, judge_model: JudgeModel, make_sample: MakeSample
) -> None:
    small = {**writers, "b": TokenWriter(replace(judge_model, max_model_len=700), "b")}
    sample = make_sample(output="word " * 1200)
    for quorum, status in ((2, Status.OK), (3, Status.CONTEXT_OVERFLOW)):
        judge = bound(small, quorum=quorum)
        [unit] = judge.units([sample], lambda row: True)
        assert [prompt.engine for prompt in unit.prompts] == ["a", "c"]
        [outcome] = judge.conclude(unit.after([sure(4), sure(4)]))
        assert outcome.status is status
        assert "b: context_overflow, the prompt is too long" in (outcome.reason or "")


def test_a_member_that_takes_only_messages_votes_too(
    writers: Writers, judge_model: JudgeModel, make_sample: MakeSample
) -> None:
    remote = MessageWriter(replace(judge_model, path=None, digest=None, prompts="messages"), "b")
    judge = PanelJudge("panel", options(vote="majority")).bind({**writers, "b": remote})
    [unit] = judge.units([make_sample()], lambda row: True)
    assert [bool(prompt.messages) for prompt in unit.prompts] == [False, True, False]
    [outcome] = judge.conclude(unit.after([sure(2), Reply(text="4"), sure(4)]))
    assert (outcome.value, outcome.label) == (4.0, "4")
    thirds = {"1": 0, "2": 0.333333, "3": 0, "4": 0.666667, "5": 0}
    assert list(outcome.probabilities.items()) == list(thirds.items())


def test_each_axis_is_voted_on_by_itself(writers: Writers, make_sample: MakeSample) -> None:
    judge = bound(writers, rubric="support_quality", vote="majority")
    units = list(judge.units([make_sample()], lambda row: row.axis != "clarity"))
    assert [unit.rows[0].axis for unit in units] == ["accuracy", "policy_citation"]
    assert [len(unit.prompts) for unit in units] == [3, 3]


def test_reasons_take_a_second_round_and_are_told_apart(writers: Writers, make_sample: MakeSample) -> None:
    judge = bound(writers, reason_tokens=20)
    [unit] = judge.units([make_sample()], lambda row: True)
    then: Unit = unit.after([Reply(text="Short."), GONE, Reply(text="Long.")])
    assert not then.done
    assert [prompt.engine for prompt in then.prompts] == ["a", "c"]
    [outcome] = judge.conclude(then.after([sure(2), sure(4)]))
    assert outcome.status is Status.ENGINE_ERROR
    for said in ("a: 2 = 2, Short.", "b: engine_error, boom", "c: 4 = 4, Long."):
        assert said in (outcome.reason or "")


def says(a: float) -> Reply:
    return Reply(logprobs=(math.log(a), math.log(1 - a)), prompt_tokens=1)


PAIRWISE: dict[str, Any] = {"mode": "pairwise", "rubric": "pairwise_preference", "variants": ["A", "B"]}
WIN, LOSS, FLIP, LEAN = (says(0.9), says(0.2)), (says(0.2), says(0.9)), (says(0.9), says(0.9)), (says(0.6), says(0.4))


@pytest.mark.parametrize(
    ("vote", "weights", "band", "members", "value", "label", "agreed"),
    [
        ("mean", (1, 1, 1), 0.0, (WIN, WIN, WIN), 0.85, "win", True),
        ("mean", (1, 1), 0.0, (WIN, LOSS), 0.5, "tie", True),
        ("mean", (1, 1, 1), 0.0, (WIN, LOSS, LEAN), 1.6 / 3, "win", True),
        ("mean", (1, 1, 1), 0.05, (WIN, LOSS, LEAN), 1.6 / 3, "tie", True),
        ("mean", (1, 1, 1), 0.0, (LOSS, LOSS, FLIP), 0.8 / 3, "loss", False),
        ("mean", (1, 1), 0.0, (FLIP, (says(0.9), says(0.6))), 0.575, "tie", False),
        ("median", (1, 1, 1), 0.0, (WIN, LOSS, LEAN), 0.6, "win", True),
        ("median", (1, 1, 1), 0.1, (WIN, LOSS, LEAN), 0.6, "tie", True),
        ("median", (1, 1), 0.0, (WIN, LOSS), 0.5, "tie", True),
        ("majority", (1, 1, 1), 0.0, (WIN, WIN, LOSS), 1.0, "win", True),
        ("majority", (1, 1, 3), 0.0, (WIN, WIN, LOSS), 0.0, "loss", True),
        ("majority", (1, 1), 0.0, (WIN, LOSS), 0.5, "tie", True),
        ("majority", (1, 1), 0.0, (WIN, FLIP), 0.5, "tie", False),
        ("unanimous", (1, 1, 1), 0.0, (LOSS, LOSS, LOSS), 0.0, "loss", True),
        ("unanimous", (1, 1), 0.0, (WIN, LOSS), None, None, None),
    ],
)
def test_preferences_become_one_by_the_rule_seen_from_both_sides(
    writers: Writers,
    make_sample: MakeSample,
    vote: str,
    weights: tuple[float, ...],
    band: float,
    members: tuple[tuple[Reply, Reply], ...],
    value: float | None,
    label: str | None,
    agreed: bool | None,
) -> None:
    judge = bound(writers, weights, vote=vote, tie_band=band, **PAIRWISE)
    samples = [make_sample("ta"), make_sample("tb", variant="B", output="No idea.")]
    [unit] = judge.units(samples, lambda row: True)
    a, b = judge.conclude(unit.after([reply for member in members for reply in member]))
    if value is None:
        assert [(o.status, o.value, o.label) for o in (a, b)] == [(Status.REFUSED, None, None)] * 2
    else:
        assert [a.value, b.value] == pytest.approx([value, 1 - value], abs=1e-5)
        assert (a.label, b.label) == (label, {"win": "loss", "loss": "win", "tie": "tie"}[label or ""])
        assert [(o.first, len(o.probabilities)) for o in a.orders] == [("ta", 3), ("tb", 3)]
    assert (a.order_consistent, b.order_consistent) == (agreed, agreed)
    assert (a.other_trace_id, b.other_trace_id) == ("tb", "ta")
    assert a.pair_id == b.pair_id == unit.rows[0].pair_id


def test_a_pair_without_its_partner_is_not_applicable(writers: Writers, make_sample: MakeSample) -> None:
    judge = bound(writers, **PAIRWISE)
    [unit] = judge.units([make_sample("ta")], lambda row: True)
    [outcome] = judge.conclude(unit)
    assert outcome.status is Status.NOT_APPLICABLE
    assert (outcome.reason or "").startswith("no sampled trace of the other variant")


def test_half_of_a_pair_in_the_store_asks_all_members_again(writers: Writers, make_sample: MakeSample) -> None:
    samples = [make_sample("ta"), make_sample("tb", variant="B")]
    [unit] = bound(writers, **PAIRWISE).units(samples, lambda row: row.sample.trace.trace_id == "tb")
    assert (unit.wanted, len(unit.prompts)) == ((False, True), 6)


@pytest.mark.parametrize("rule", RULES[:3])
def test_mirrored_votes_give_mirrored_verdicts(rule: Rule) -> None:
    ballot, mirror = Preferences(tie_band=0.05), {"win": "loss", "loss": "win", "tie": "tie"}
    for positions in product([-0.5, -0.31, -0.05, 0.0, 0.02, 0.3], repeat=3):
        for weights in ((1, 1, 1), (0.1, 0.2, 0.3), (2, 1, 1)):
            votes = [Vote(label=ballot.label(p), position=p, weight=w) for p, w in zip(positions, weights, strict=True)]
            swapped = [replace(v, label=mirror[v.label], position=-v.position) for v in votes]
            (position, label), (other, mirrored) = (elect(v, rule, ballot) for v in (votes, swapped))
            assert other == pytest.approx(-position, abs=1e-12)
            assert mirrored == mirror[label]


@pytest.mark.parametrize("rule", RULES)
def test_the_order_of_members_changes_nothing(rule: Rule) -> None:
    grades = Grades(positions={"1": 1.0, "2": 2.0, "3": 3.0})
    votes = [Vote(label="2", position=p, weight=w) for p, w in ((1.2, 0.3), (2.1, 0.2), (2.9, 0.5))]
    forward, backward = elect(votes, rule, grades), elect(votes[::-1], rule, grades)
    assert forward == backward


def test_the_fingerprint_covers_every_member_and_the_rule(writers: Writers, judge_model: JudgeModel) -> None:
    judges = [
        bound(writers),
        bound(writers, vote="median"),
        bound(writers, quorum=2),
        bound(writers, (1, 1, 2)),
        bound(writers, (1, 1)),
        bound(writers, rubric="clarity"),
        bound(writers, unit="trace"),
        bound({**writers, "c": TokenWriter(replace(judge_model, dtype="float32"), "c")}),
        bound(writers, **PAIRWISE),
        bound(writers, tie_band=0.1, **PAIRWISE),
    ]
    assert len({judge.info.fingerprint for judge in judges}) == len(judges)
    assert bound(writers).info.fingerprint == bound(writers).info.fingerprint


def test_a_panel_keeps_together_what_its_members_must_see_together() -> None:
    assert PanelJudge("p", options()).together is None
    assert PanelJudge("p", options(unit="conversation")).together == CONVERSATION
    assert PanelJudge("p", options(**PAIRWISE)).together == "judgefleet.item_id"
    assert PanelJudge("p", options((1, 1))).engines == {"a", "b"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"members": [{"engine": "a"}]}, "at least 2 items"),
        ({"members": [{"engine": "a"}, {"engine": "a"}]}, "each engine has one vote"),
        ({"members": [{"engine": "a", "weight": 0}, {"engine": "b"}]}, "greater than 0"),
        ({"members": [{"engine": "a", "name": "x"}, {"engine": "b"}]}, "name"),
        ({"quorum": 4}, "a quorum of 4 is more than the 3 members"),
        ({"quorum": 0}, "greater than or equal to 1"),
        ({"vote": "loudest"}, "'mean', 'median', 'majority' or 'unanimous'"),
        ({"mode": "pairwise"}, "give variants"),
        ({"tie_band": 0.1}, "mean nothing in mode 'pointwise'"),
        ({**PAIRWISE, "unit": "trace"}, "mean nothing in mode 'pairwise'"),
        ({**PAIRWISE, "variants": ["A", "A"]}, "variants must differ"),
        ({"engine": "a"}, "engine"),
    ],
)
def test_wrong_options_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as raised:
        options(**given)
    assert said in str(raised.value)


def test_an_engine_that_is_not_there_is_refused(writers: Writers) -> None:
    with pytest.raises(ConfigError, match="asks the engine 'c'"):
        bound({name: writer for name, writer in writers.items() if name != "c"})
