"""Claim check: an answer's claims are found, then each is checked against the contexts, with one model."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from judgefleet.rubric import Axis, Rubric
from judgefleet.sample import Sample
from judgefleet.score import Outcome, Status, failure
from judgefleet.scorer import ScorerInfo, ScorerKind, missing_need
from judges.asking import Asking, Question, ask
from judges.claims import parse_claims, sentences
from judges.judge import Keep, Row, Unit, judge_config
from judges.material import Part, answer_part, question_part, shared_parts
from judges.prompt import Draft, Writer
from judges.support import ClaimsUnit, Counted, shown, support
from judges.verdict import Reply, usage

_LIST = (
    "List what the answer claims: one claim on each line, short, and worded so that it is understood by itself. "
    "Write nothing else. If the answer claims nothing, write: none"
)


class BoundFaithfulness:
    """Finds and checks claims. ``claim_tokens``: how long the judge's list may be; None takes the sentences instead."""

    def __init__(
        self,
        name: str,
        rubric: Rubric,
        writer: Writer,
        *,
        claim_tokens: int | None,
        max_claims: int,
        counted: Counted,
        language: str,
    ) -> None:
        self._rubric, self._writer, self._max, self._counted = rubric, writer, max_claims, counted
        self._language = language
        self._axis: Axis = rubric.axes[0]
        self._list = Question(text=_LIST, choice=None, reason=Draft(max_tokens=claim_tokens)) if claim_tokens else None
        text = f"{self._axis.question} {self._axis.scale.sentence}"
        self._check = Question(text=text, choice=writer.choice(list(self._axis.scale.values)))
        splitter = f"sentences, pysbd {version('pysbd')}, {language}"
        self.info = ScorerInfo(
            name=name,
            version="1",
            kind=ScorerKind.LLM,
            axes=(self._axis.name,),
            direction=self._axis.direction,
            needs=rubric.needs,
            config=judge_config(
                writer,
                rubric,
                mode="faithfulness",
                question=text,
                claims={"asked": _LIST, "claim_tokens": claim_tokens} if claim_tokens else splitter,
                max_claims=max_claims,
                value=f"mean over claims, each counted by its {counted}",
            ),
        )

    def rows(self, samples: Sequence[Sample]) -> Iterator[Row]:
        """One row a sample."""
        return (Row(sample=sample, axis=self._axis.name) for sample in samples)

    def units(self, samples: Sequence[Sample], keep: Keep) -> Iterator[Unit]:
        """One unit a sample: the list of its claims is asked for, or its sentences are checked."""
        return (self._begin(row) for row in self.rows(samples) if keep(row))

    def conclude(self, unit: Unit) -> list[Outcome] | Unit:
        """The claims to check once they are listed; the share that is supported once they are checked."""
        if isinstance(unit, ClaimsUnit):
            return [support(unit, self._axis.scale.values, self._counted)]
        [row], [asking] = unit.rows, unit.askings
        return self._listed(row, asking)

    def _begin(self, row: Row) -> Unit:
        if missing := missing_need(self.info, row.sample):
            return _settled(row, Status.NOT_APPLICABLE, missing)
        if self._list is None:
            found = sentences(row.sample.trace.output or "", self._language)
            nothing = _settled(row, Status.NOT_APPLICABLE, "the answer has no sentence with a letter or digit")
            return self._to_check(row, found) if found else nothing
        # Whoever lists claims does not see the contexts: their words would find their way into the list.
        answer = answer_part(row.sample, self._rubric.titles.answer)
        return self._asked(row, [question_part(row.sample, self._rubric), answer], self._list)

    def _asked(self, row: Row, parts: Sequence[Part], question: Question) -> Unit:
        """One question after ``parts``, none of which is cut: what was not read cannot be called unsupported."""
        whole = [replace(part, keep=1.0) for part in parts if part.text]
        body = self._writer.body(self._rubric.text, whole, question.room(self._writer))
        if body.script is None:
            return _settled(row, Status.CONTEXT_OVERFLOW, f"the prompt is too long: {body.cut}")
        return Unit(rows=(row,), askings=(ask(self._writer, body.script, question),))

    def _listed(self, row: Row, asking: Asking) -> Unit:
        """What follows from the judge's list: the claims to check, or why there is nothing to check."""
        said, spent = asking.reason or "", asking.spent
        if asking.verdict and (failed := asking.verdict.failure):
            return _settled(row, failed.status, failed.reason or "", spent)
        if not spent[-1].finished:
            return _settled(row, Status.TRUNCATED, "the list of claims was ended by its limit, claim_tokens", spent)
        claims = parse_claims(said)
        if claims is None:
            return _settled(row, Status.NOT_APPLICABLE, "the judge found no claim in the answer", spent)
        if not claims:
            return _settled(row, Status.UNPARSED, f"no claims in what the judge wrote: {shown(said)!r}", spent)
        return self._to_check(row, claims, spent)

    def _to_check(self, row: Row, found: Sequence[str], before: tuple[Reply, ...] = ()) -> Unit:
        """A question for each claim; all share everything before the claim."""
        claims, total = tuple(found[: self._max]), len(found)
        if 2 * len(claims) < total:
            why = f"found {total} claims, of which max_claims has {len(claims)} checked, fewer than half"
            return _settled(row, Status.CONTEXT_OVERFLOW, why, before)
        shared = shared_parts(row.sample, self._rubric)
        parts = [Part(title="Claim", text=claim, yields=2, keep=1.0) for claim in claims]
        asked = [self._asked(row, [*shared, part], self._check) for part in parts]
        if too_long := next((unit.settled[0] for unit in asked if unit.settled), None):
            return _settled(row, too_long.status, too_long.reason or "", before)
        note = f"the first {len(claims)} of {total} claims were checked" if len(claims) < total else None
        askings = tuple(asking for unit in asked for asking in unit.askings)
        return ClaimsUnit(rows=(row,), askings=askings, note=note, claims=claims, before=before)


def _settled(row: Row, status: Status, reason: str, spent: Sequence[Reply] = ()) -> Unit:
    known: dict[str, Any] = usage(spent) if spent else {}
    return Unit(rows=(row,), settled=(failure(status, reason, **known),))
