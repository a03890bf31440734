"""Where a judge and people part, the worst first, and which of it may become worked examples."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from calibration.audit import PAIR, AuditInfo, AuditItem, Label
from calibration.consensus import Consensus, said_by
from calibration.judgements import Judgement, JudgeRun
from calibration.matched import class_of
from calibration.recalibrate import is_train

_WRONG_WINNER, _TIE_OR_WINNER = 1.0, 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Disagreement:
    """An item on which the judge is away from people. ``distance``: on the audit's scale, 1 for a wrong winner, half of
    it for a tie. ``said``: people's answer as one of the classes that examples are balanced over."""

    item_id: str
    trace_ids: tuple[str, ...]
    human: str
    judge: str
    distance: float
    question: str | None
    said: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """What a rater wrote about an item on which the judge disagrees."""

    item_id: str
    rater: str
    human: str
    judge: str
    note: str


def training_disagreements(
    info: AuditInfo, items: Mapping[str, AuditItem], people: Mapping[str, Consensus], run: JudgeRun
) -> list[Disagreement]:
    """Those of the half of the audit that is fitted on, the worst first. Whoever reads them has not seen the other
    half, which is left to measure what comes of it."""
    asked = ((items[i], people[i], judged) for i, judged in run.judgements.items() if i in items and i in people)
    found = [d for item, said, judged in asked if is_train(item) and (d := _disagreement(info, item, said, judged))]
    return sorted(found, key=lambda d: (-d.distance, d.item_id))


def balanced(found: Sequence[Disagreement], most: int) -> list[Disagreement]:
    """At most ``most`` of ``found``, which has the worst first: one of each class of people's answers in turn, so that
    no class is shown as the usual one.

    >>> made = [Disagreement(item_id=str(n), trace_ids=(), human=c, judge="", distance=9.0 - n, question=None, said=c)
    ...         for n, c in enumerate("AAAB")]
    >>> [d.item_id for d in balanced(made, 3)]
    ['0', '3', '1']
    """
    classes: dict[str, list[Disagreement]] = {}
    for one in found:
        classes.setdefault(one.said, []).append(one)
    rounds = max(map(len, classes.values()), default=0)
    turns = [members[n] for n in range(rounds) for members in classes.values() if n < len(members)]
    return turns[:most]


def notes_of(found: Iterable[Disagreement], labels: Iterable[Label]) -> Iterator[Note]:
    """The notes that raters gave with their labels about these items, in the order of ``found``."""
    written: dict[str, list[Label]] = {}
    for label in labels:
        if label.note and label.note.strip():
            written.setdefault(label.item_id, []).append(label)
    for one in found:
        for label in written.get(one.item_id, ()):
            said = "nothing" if label.label is None and label.score is None else said_by(label)
            yield Note(
                item_id=one.item_id, rater=label.rater, human=said, judge=one.judge, note=str(label.note).strip()
            )


def _disagreement(info: AuditInfo, item: AuditItem, said: Consensus, judged: Judgement) -> Disagreement | None:
    measured = _pair(said, judged) if info.kind == PAIR else _rating(said, judged)
    if measured is None or measured[0] <= 0:
        return None
    distance, human, judge = measured
    return Disagreement(
        item_id=item.item_id,
        trace_ids=item.trace_ids,
        human=human,
        judge=judge,
        distance=distance,
        question=item.question,
        said=class_of(info, said.label, said.score) or human,
    )


def _pair(said: Consensus, judged: Judgement) -> tuple[float, str, str] | None:
    verdict = judged.combined or judged.first
    if said.label is None or verdict is None:
        return None
    if said.label == verdict:
        return 0.0, said.label, verdict
    return _WRONG_WINNER if {said.label, verdict} == {"A", "B"} else _TIE_OR_WINNER, said.label, verdict


def _rating(said: Consensus, judged: Judgement) -> tuple[float, str, str] | None:
    if said.score is not None and judged.score is not None:
        return abs(said.score - judged.score), f"{said.score:g}", f"{judged.score:.2f}"
    if said.label is None or judged.first is None:
        return None
    return 0.5 * (said.label != judged.first), said.label, judged.first
