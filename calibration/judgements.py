"""What one judge said about the items of an audit, in one form, wherever it was recorded."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from calibration.audit import TIE, Recorded
from judgefleet.hashing import stable_hash


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """One verdict. Pairs: ``first`` with answer A shown first, ``second`` with B first, both in terms of A, B, TIE, and
    ``combined`` over both orders. Ratings: ``first`` is the label, ``score`` the number. None: no verdict.

    ``probabilities``: of the labels, as the judge gave them, averaged over both orders. ``odds``: of a pair, the
    log-odds of the slot shown first, in the order A, B and in the order B, A; empty where they are not known.
    """

    item_id: str
    first: str | None = None
    second: str | None = None
    combined: str | None = None
    order_consistent: bool | None = None
    score: float | None = None
    probabilities: Mapping[str, float] = field(default_factory=dict)
    odds: tuple[float, ...] = ()

    @property
    def may_tie(self) -> bool:
        """Whether the judge itself can call a tie."""
        return self.probabilities.get(TIE, 0.0) > 0


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgeRun:
    """All verdicts of one judge, by item. ``fingerprint`` names its configuration. ``examples``: the items of audits
    that its rubric shows as worked examples."""

    judge: str
    prompt: str
    source: str
    fingerprint: str
    judgements: Mapping[str, Judgement]
    examples: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """Judge and prompt, as figures are headed."""
        return f"{self.judge}, {self.prompt}" if self.prompt else self.judge


def reconciled(first: str | None, second: str | None) -> str | None:
    """The verdict over both orders: what both say, TIE where they disagree, None where one is missing.

    >>> reconciled("A", "A"), reconciled("A", "B"), reconciled("A", None)
    ('A', 'TIE', None)
    """
    if first is None or second is None:
        return None
    return first if first == second else TIE


def recorded_runs(verdicts: Iterable[Recorded]) -> list[JudgeRun]:
    """Recorded verdicts by judge, prompt and source, in the order of first appearance."""
    grouped: dict[tuple[str, str, str], dict[str, Judgement]] = {}
    for said in verdicts:
        grouped.setdefault((said.judge, said.prompt, said.source), {})[said.item_id] = _judgement(said)
    return [
        JudgeRun(
            judge=judge,
            prompt=prompt,
            source=source,
            fingerprint=stable_hash(["recorded", judge, prompt], 16),
            judgements=judgements,
        )
        for (judge, prompt, source), judgements in grouped.items()
    ]


def _judgement(said: Recorded) -> Judgement:
    both = said.verdict_ab is not None and said.verdict_ba is not None
    consistent = said.verdict_ab == said.verdict_ba if both else None
    if consistent is None and said.order_inconsistent is not None:
        consistent = not said.order_inconsistent
    return Judgement(
        item_id=said.item_id,
        first=said.verdict_ab,
        second=said.verdict_ba,
        combined=said.combined or reconciled(said.verdict_ab, said.verdict_ba),
        order_consistent=consistent,
        score=said.score,
    )
