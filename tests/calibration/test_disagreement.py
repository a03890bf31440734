"""Where judge and people part: only of the half that may be looked at, the worst first, and balanced."""

from datetime import UTC, datetime

from calibration.audit import AuditInfo, AuditItem, Label
from calibration.audit_report import Auditor
from calibration.consensus import Consensus
from calibration.disagreement import balanced, notes_of, training_disagreements
from calibration.judgements import Judgement, JudgeRun
from calibration.policy import DEFAULT_POLICY
from calibration.recalibrate import is_train, unseen

RATING = AuditInfo(audit_id="a", kind="rating", scale=(1.0, 5.0), cut=3.0)
PAIR = AuditInfo(audit_id="a", kind="pair", labels=["A", "B", "TIE"])
ITEMS = {str(n): AuditItem(item_id=str(n), group_id=f"g{n // 2}") for n in range(200)}
TRAIN = [i for i, item in ITEMS.items() if is_train(item)]


def run_of(judgements: dict[str, Judgement], examples: tuple[str, ...] = ()) -> JudgeRun:
    return JudgeRun(
        judge="j", prompt="truth", source="store", fingerprint="f", judgements=judgements, examples=frozenset(examples)
    )


def test_only_the_half_that_is_fitted_on_is_looked_at_the_worst_first() -> None:
    people = {i: Consensus(item_id=i, score=1.0 + int(i) % 5) for i in ITEMS}
    run = run_of({i: Judgement(item_id=i, score=1.0) for i in ITEMS})
    found = training_disagreements(RATING, ITEMS, people, run)
    assert {d.item_id for d in found} == {i for i in TRAIN if int(i) % 5}
    distances = [d.distance for d in found]
    assert distances == sorted(distances, reverse=True)
    assert (distances[0], found[0].human, found[0].judge, found[0].said) == (4.0, "5", "1.00", "pass")
    assert {d.said for d in found} == {"pass", "fail"}


def test_a_wrong_winner_is_worse_than_a_tie_and_silence_is_no_disagreement() -> None:
    labels = ("A", "TIE", "B", "A")
    one, two, three, four = TRAIN[:4]
    people = {i: Consensus(item_id=i, label=label) for i, label in zip(TRAIN, labels, strict=False)}
    said = {one: "TIE", two: "TIE", three: "A", four: None}
    run = run_of({i: Judgement(item_id=i, first=v, combined=v) for i, v in said.items()})
    found = training_disagreements(PAIR, ITEMS, people, run)
    assert [(d.item_id, d.distance, d.said) for d in found] == [(three, 1.0, "B"), (one, 0.5, "A")]


def test_examples_take_each_answer_of_people_in_turn() -> None:
    people = {i: Consensus(item_id=i, score=4.5 if n % 10 else 2.0) for n, i in enumerate(TRAIN)}
    run = run_of({i: Judgement(item_id=i, score=1.0) for i in TRAIN})
    found = training_disagreements(RATING, ITEMS, people, run)
    assert [d.said for d in balanced(found, 4)] == ["pass", "fail", "pass", "fail"]
    assert len(balanced(found, 1000)) == len(found)
    assert balanced([], 4) == []


def test_notes_are_those_of_raters_about_disagreements() -> None:
    one, two = TRAIN[:2]
    people = {one: Consensus(item_id=one, score=5.0), two: Consensus(item_id=two, score=1.0)}
    run = run_of({i: Judgement(item_id=i, score=1.0) for i in (one, two)})
    labels = [
        Label(item_id=one, rater="ana", score=5.0, note=" It answers. "),
        Label(item_id=one, rater="ben", score=5.0),
        Label(item_id=two, rater="ana", score=1.0, note="The judge agrees here."),
    ]
    [note] = notes_of(training_disagreements(RATING, ITEMS, people, run), labels)
    assert (note.rater, note.human, note.judge, note.note) == ("ana", "5", "1.00", "It answers.")


def test_a_judge_that_was_shown_items_is_measured_on_what_it_cannot_have_seen() -> None:
    judged = {i: Judgement(item_id=i, score=1.0) for i in ITEMS}
    assert unseen(ITEMS, run_of(judged)).judgements == judged
    assert unseen(ITEMS, run_of(judged, ("of another audit",))).judgements == judged
    kept = unseen(ITEMS, run_of(judged, (TRAIN[0],))).judgements
    assert set(kept) == set(ITEMS) - set(TRAIN)
    held = next(i for i in ITEMS if i not in TRAIN)
    fewer = unseen(ITEMS, run_of(judged, (held,))).judgements
    assert set(kept) - set(fewer) == {i for i, item in ITEMS.items() if item.cluster == ITEMS[held].cluster}


def test_a_report_counts_and_compares_held_out_items_only() -> None:
    """The old judge is right on a third of the items, the new one on all; the new one was shown one of them."""
    labels = [Label(item_id=i, rater="ana", score=5.0) for i in ITEMS]
    old = run_of({i: Judgement(item_id=i, score=5.0 if int(i) % 3 == 0 else 1.0) for i in ITEMS})
    new = JudgeRun(
        judge="j",
        prompt="truth",
        source="store",
        fingerprint="g",
        judgements={i: Judgement(item_id=i, score=5.0) for i in ITEMS},
        examples=frozenset(TRAIN[:1]),
    )
    found = Auditor(RATING, ITEMS, labels).report([old, new], DEFAULT_POLICY, now=datetime(2026, 3, 2, tzinfo=UTC))
    held = len(ITEMS) - len(TRAIN)
    assert [(j.held_out, j.main.n) for j in found.judges] == [(False, 200), (True, held)]
    [compared] = found.comparisons
    assert (compared.first, compared.second) == ("j, truth (f)", "j, truth (g)")
    wrong = sum(int(i) % 3 != 0 for i in ITEMS if i not in TRAIN)
    assert (compared.only_first, compared.only_second) == (0, wrong)
    assert compared.difference.n == held
    assert compared.difference.value == wrong / held
