"""The gate: what opens it, what closes it, what leaves it undecided, and when a decision goes stale."""

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from calibration.audit import AuditInfo, AuditItem
from calibration.consensus import Consensus
from calibration.decide import decide
from calibration.decisions import current_decision, read_decisions, write_decision
from calibration.gate import GateDecision, GateState
from calibration.judgements import Judgement, JudgeRun
from calibration.matched import FIRST_ORDER, Matched, match
from calibration.policy import Policy, Requirement, load_policy
from judgefleet.errors import ConfigError

INFO = AuditInfo(audit_id="a", kind="rating", labels=["bad", "good"])
NOW = datetime(2026, 5, 1, tzinfo=UTC)
SAID = {"g": "good", "b": "bad"}


def found(hits: int, misses: int, start: int = 0, **item: Any) -> Matched:
    """So many items on which judge and people agree, and so many on which they do not; people find every other good."""
    rows = [("gb"[n % 2], "gbg"[n % 2 + (n >= hits)]) for n in range(hits + misses)]
    ids = [str(start + n) for n in range(len(rows))]
    items = {i: AuditItem(item_id=i, **item) for i in ids}
    people = {i: Consensus(item_id=i, label=SAID[h]) for i, (h, _) in zip(ids, rows, strict=True)}
    judged = {i: Judgement(item_id=i, first=SAID[j]) for i, (_, j) in zip(ids, rows, strict=True)}
    run = JudgeRun(judge="q", prompt="x", source="", fingerprint="f", judgements=judged)
    return match(INFO, items, people, run, FIRST_ORDER)


def policy(**requirement: Any) -> Policy:
    return Policy(requirements=(Requirement(**({"threshold": 0.8} | requirement)),), audits_per_year=1)


def decided(data: Matched, rule: Policy, now: datetime = NOW, history: tuple[GateDecision, ...] = ()) -> GateDecision:
    return decide(INFO, data, rule, fingerprint="f", now=now, history=history, scorer="q", axis="x")


def test_the_worked_example_six_of_eight_with_the_point_rule_says_recalibrate_judge() -> None:
    decision = decided(found(6, 2), policy(rule="point"))
    assert decision.state is GateState.CLOSED
    assert decision.action == "recalibrate judge"
    assert decision.exit_code == 1
    assert "0.750" in decision.reason
    assert decision.checks[0].weak


@pytest.mark.parametrize(
    ("hits", "misses", "state", "code"),
    [(96, 4, GateState.OPEN, 0), (60, 40, GateState.CLOSED, 1), (85, 15, GateState.INSUFFICIENT, 3)],
)
def test_the_bound_decides_and_not_the_figure(hits: int, misses: int, state: GateState, code: int) -> None:
    decision = decided(found(hits, misses), policy())
    assert (decision.state, decision.exit_code) == (state, code)
    assert (decision.labels_needed is not None) == (state is GateState.INSUFFICIENT)
    assert (decision.expires_at is not None) == (state is GateState.OPEN)


def test_below_the_least_number_of_items_nothing_opens_however_well_they_agree() -> None:
    decision = decided(found(25, 0), policy(min_n=30, threshold=0.5))
    assert decision.state is GateState.INSUFFICIENT
    assert decision.labels_needed == 5


def test_a_figure_that_is_undefined_never_passes() -> None:
    items = {str(n): AuditItem(item_id=str(n)) for n in range(50)}
    people = {i: Consensus(item_id=i, label="good") for i in items}
    judged = {i: Judgement(item_id=i, first="good") for i in items}
    run = JudgeRun(judge="q", prompt="x", source="", fingerprint="f", judgements=judged)
    decision = decided(match(INFO, items, people, run, FIRST_ORDER), policy(metric="kappa", threshold=0.4))
    assert decision.state is GateState.INSUFFICIENT
    assert "undefined" in decision.reason


def test_no_item_at_all_is_not_enough_evidence() -> None:
    assert decided(found(0, 0), policy()).state is GateState.INSUFFICIENT


def test_every_requirement_must_pass_and_every_value_of_a_segment() -> None:
    data = found(100, 2)
    halves = tuple(
        AuditItem(item_id=i.item_id, segments={"lang": "de" if n < 90 else "en"}) for n, i in enumerate(data.items)
    )
    mixed = Matched(
        classes=data.classes, items=halves, human=data.human, judge=data.judge, weights=data.weights,
        labelled=102, unparsed=0, disputed=0,
    )  # fmt: skip
    rule = Policy(
        requirements=(Requirement(threshold=0.8), Requirement(threshold=0.8, segment="lang", min_n=10)),
        audits_per_year=1,
    )
    decision = decided(mixed, rule)
    assert decision.state is GateState.INSUFFICIENT
    assert [(c.segment, c.passed) for c in decision.checks] == [(None, True), ("de", True), ("en", None)]


def test_an_audit_on_new_evidence_spends_and_a_second_look_at_the_same_does_not() -> None:
    rule = Policy(requirements=(Requirement(threshold=0.8),), audits_per_year=2)
    one = decided(found(96, 4), rule)
    again = decided(found(96, 4), rule, history=(one,))
    two = decided(found(96, 4, start=1000), rule, history=(one, again))
    three = decided(found(96, 4, start=2000), rule, history=(one, again, two))
    assert [d.audit_number for d in (one, again, two, three)] == [1, 1, 2, 3]
    assert [d.state.value for d in (one, again, two, three)] == ["OPEN", "OPEN", "OPEN", "INSUFFICIENT"]
    assert "2 audits of this year are used up" in three.reason
    later = decided(found(96, 4, start=2000), rule, now=NOW + timedelta(days=400), history=(one, again, two))
    assert later.state is GateState.OPEN


def test_decisions_are_kept_with_their_evidence_and_read_back_as_they_were(tmp_path: Path) -> None:
    first, second = decided(found(60, 40), policy()), decided(found(96, 4), policy(), now=NOW + timedelta(days=1))
    for decision in (second, first):
        write_decision(str(tmp_path), decision)
    assert read_decisions(str(tmp_path)) == [first, second]
    assert len(list(tmp_path.rglob("*.json"))) == 2
    assert read_decisions(str(tmp_path / "new")) == []


def test_an_open_gate_goes_stale_with_age_and_with_another_fingerprint() -> None:
    decision = decided(found(96, 4), policy())
    at = {"scorer": "q", "axis": "x"}
    assert current_decision([decision], fingerprint="f", now=NOW + timedelta(days=89), **at).state is GateState.OPEN
    aged = current_decision([decision], fingerprint="f", now=NOW + timedelta(days=91), **at)
    assert (aged.state, aged.exit_code) == (GateState.STALE, 3)
    changed = current_decision([decision], fingerprint="g", now=NOW, **at)
    assert changed.state is GateState.STALE
    assert "the judge changed" in changed.reason
    assert current_decision([decision], fingerprint="f", scorer="q", axis="y", now=NOW).state is GateState.INSUFFICIENT


def test_a_closed_decision_stays_closed_until_there_is_a_newer_one() -> None:
    closed = decided(found(60, 40), policy())
    late = NOW + timedelta(days=4000)
    assert current_decision([closed], fingerprint="f", scorer="q", axis="x", now=late).state is GateState.CLOSED


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("requirements: []", "requirements"),
        ("requirements: [{threshold: 0.8, rule: lowerbound}]", "allowed"),
        ("requirements: [{threshold: 1.2}]", "threshold"),
        ("requirement: []", "unknown key"),
    ],
)
def test_a_policy_with_a_mistake_is_an_error_with_its_line(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=why):
        load_policy(path)


def test_a_judge_that_has_drifted_on_the_anchors_is_stale_though_its_fingerprint_is_the_same() -> None:
    """The served model changed under its name: it still agrees often enough, and not as it did."""
    rule = policy(threshold=0.6)
    first = decided(found(100, 0, anchor=True), rule)
    assert first.state is GateState.OPEN
    assert len(first.anchors) == 100
    steady = decided(found(99, 1, anchor=True), rule, history=(first,))
    assert steady.state is not GateState.STALE
    drifted = decided(found(80, 20, anchor=True), rule, history=(first,))
    assert drifted.state is GateState.STALE
    assert "lost 20 and gained 0" in drifted.reason
    assert decided(found(80, 20), rule, history=(first,)).state is not GateState.STALE  # no anchors, no alarm


def test_a_segment_that_no_item_names_and_one_without_a_verdict_are_not_passed_over() -> None:
    rule = policy(segment="langauge", min_n=10)
    assert decided(found(200, 2), rule).state is GateState.INSUFFICIENT
    data = found(200, 2, segments={"language": "en"})
    silent = tuple(AuditItem(item_id=f"s{n}", segments={"language": "de"}) for n in range(10))
    part = dataclasses.replace(data, silent=silent, labelled=212, unparsed=10)
    decision = decided(part, policy(segment="language", min_n=10))
    assert decision.state is GateState.INSUFFICIENT
    assert [(c.segment, c.passed) for c in decision.checks] == [("de", None), ("en", True)]


def test_agreement_over_the_few_items_with_a_verdict_opens_nothing() -> None:
    data = dataclasses.replace(found(250, 4), labelled=1000, unparsed=746)
    decision = decided(data, policy())
    assert decision.state is GateState.INSUFFICIENT
    assert "746 of 1,000" in decision.reason
