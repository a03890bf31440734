"""Pairwise judge: which of two answers is better, always asked in both orders."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Self

from pydantic import Field, model_validator

from judgefleet.rubric import Rubric, load_rubric
from judgefleet.sample import Sample
from judgefleet.score import OrderVerdict, Outcome, Status, failure
from judgefleet.scorer import ScorerInfo, ScorerKind, missing_need
from judges.asking import Question, ask
from judges.examples import example_parts
from judges.judge import RUBRICS, JudgeOptions, Keep, Row, Unit, judge_config, remarks, writer_of
from judges.material import answer_part, shared_parts, tool_parts
from judges.pairs import Pair, match_pairs
from judges.prompt import Body, Writer
from judges.recalibration import without_slot_bias
from judges.reconcile import likeliest, reconcile
from judges.verdict import Verdict, usage

AXIS = "preference"
# Shown to the judge, and what each means for the answer that stood first.
_LABELS = {"A": "first", "B": "second"}
_TIE = {"C": "tie"}
_VALUE = "mean over both orders of the probability of being preferred, a tie as half"
_QUESTION = "Which answer is better? Reply with A for answer A or B for answer B."
_QUESTION_WITH_TIE = "Which answer is better? Reply with A for answer A, B for answer B, or C if they are equally good."


class PairwiseOptions(JudgeOptions):
    """``variants``: the two arms. ``pair_by``: the attribute that both answers share.

    ``allow_tie``: whether the judge may call a tie; the two orders disagreeing is one in any case.
    ``tie_band``: a value no further from 0.5 than this is labelled a tie; the value itself stays as it is.
    ``order_bias`` and ``temperature``: what ``judgefleet audit recalibrate`` found; see ``judges.recalibration``.
    """

    variants: tuple[str, str]
    pair_by: str = "judgefleet.item_id"
    allow_tie: bool = False
    tie_band: float = Field(default=0.0, ge=0, lt=0.5)
    order_bias: float = Field(default=0.0, ge=-20, le=20)
    temperature: float = Field(default=1.0, gt=0, le=100)

    @model_validator(mode="after")
    def _two(self) -> Self:
        if self.variants[0] == self.variants[1]:
            raise ValueError(f"variants must differ, found {list(self.variants)}")
        return self


class PairwiseJudge:
    """Which of two answers is better, asked in both orders; if they disagree it is a tie, never a coin flip.

    Each of the two traces gets a row. Where the orders disagree its ``order_consistent`` is false.

    >>> judge = PairwiseJudge("preference", PairwiseOptions(rubric="support_preference", variants=("A", "B")))
    >>> judge.rubric.name, judge.options.allow_tie
    ('support_preference', False)
    """

    EXAMPLE = "rubric: support_preference, variants: [A, B]"
    AXES = "`preference`"
    VALUE = "probability that this answer is preferred, both orders averaged, 0 to 1"

    Options = PairwiseOptions

    def __init__(self, name: str, options: PairwiseOptions) -> None:
        self.name, self.options = name, options
        self.rubric = load_rubric(options.rubric, RUBRICS)

    @property
    def engines(self) -> frozenset[str]:
        """The one engine it asks."""
        return frozenset({self.options.engine})

    @property
    def together(self) -> str | None:
        """Both answers to a question come in one call."""
        return self.options.pair_by

    def bind(self, writers: Mapping[str, Writer]) -> "BoundPairwise":
        """The judge for one model. Raises ConfigError when its tokenizer does not tell A, B and C apart."""
        return BoundPairwise(self.name, self.options, self.rubric, writer_of(writers, self.options.engine, self.name))


class BoundPairwise:
    """Compares with one model. Both traces of a pair get a row, each seen from its own side."""

    def __init__(self, name: str, options: PairwiseOptions, rubric: Rubric, writer: Writer) -> None:
        self._options, self._rubric, self._writer = options, rubric, writer
        self._labels = _LABELS | (_TIE if options.allow_tie else {})
        text = options.lead + (_QUESTION_WITH_TIE if options.allow_tie else _QUESTION)
        self._question = Question(text=text, choice=writer.choice(list(self._labels)), reason=options.reason)
        asked = options.model_dump(include={"pair_by", "reason_tokens", "tie_band"})
        # Named only where they are used: a judge that was not recalibrated keeps its fingerprint.
        asked |= options.model_dump(include={"order_bias", "temperature"}, exclude_defaults=True)
        self.info = ScorerInfo(
            name=name,
            version="1",
            kind=ScorerKind.LLM,
            axes=(AXIS,),
            needs=rubric.needs,
            config=judge_config(writer, rubric, mode="pairwise", question=text, value=_VALUE, **asked),
        )

    def rows(self, samples: Sequence[Sample]) -> Iterator[Row]:
        """Two rows a pair, one for each sample without a partner."""
        for found in match_pairs(samples, self._options.variants, self._options.pair_by):
            yield from _pair_rows(found) if isinstance(found, Pair) else (Row(sample=found[0], axis=AXIS),)

    def units(self, samples: Sequence[Sample], keep: Keep) -> Iterator[Unit]:
        """One unit a pair, with its two prompts; a settled one for every sample that has no partner."""
        for found in match_pairs(samples, self._options.variants, self._options.pair_by):
            if isinstance(found, Pair):
                yield from self._ask(found, keep)
            elif keep(row := Row(sample=found[0], axis=AXIS)):
                yield Unit(rows=(row,), settled=(failure(Status.NOT_APPLICABLE, found[1]),))

    def _ask(self, pair: Pair, keep: Keep) -> Iterator[Unit]:
        rows = _pair_rows(pair)
        wanted = tuple(keep(row) for row in rows)
        if not any(wanted):
            return
        missing = pair.mismatch(self._rubric.needs) or next(
            (m for s in pair.samples if (m := missing_need(self.info, s))), None
        )
        if missing:
            yield self._settled(rows, wanted, failure(Status.NOT_APPLICABLE, f"in this pair: {missing}"))
            return
        first, second = self._body(pair), self._body(pair.swapped)
        if first.script is None or second.script is None:
            why = f"the prompt is too long: {first.cut}"
            yield self._settled(rows, wanted, failure(Status.CONTEXT_OVERFLOW, why))
            return
        askings = tuple(ask(self._writer, script, self._question) for script in (first.script, second.script))
        yield Unit(rows=rows, wanted=wanted, askings=askings, note=first.cut)

    def _settled(self, rows: tuple[Row, ...], wanted: tuple[bool, ...], why: Outcome) -> Unit:
        outcomes = tuple(failure(why.status, why.reason or "", **link) for link in _links(rows))
        return Unit(rows=rows, wanted=wanted, settled=outcomes)

    def _body(self, pair: Pair) -> Body:
        parts = [*example_parts(self._rubric), *shared_parts(pair.shared, self._rubric)]
        for sample, letter in zip(pair.samples, "AB", strict=True):
            tools = tool_parts(sample, self._rubric, f"{self._rubric.titles.tool_calls}, answer {letter}")
            parts += [*tools, answer_part(sample, f"Answer {letter}")]
        return self._writer.body(self._rubric.text, parts, self._question.room(self._writer))

    def conclude(self, unit: Unit) -> list[Outcome]:
        """The reconciled verdict, once from each side; a failure of either order fails both rows."""
        verdicts = [asking.verdict for asking in unit.askings if asking.verdict]
        spent: dict[str, Any] = usage(unit.spent)
        if failed := next((v.failure for v in verdicts if v.failure), None):
            return [failure(failed.status, failed.reason or "", **link, **spent) for link in _links(unit.rows)]
        places = [self._places(verdict) for verdict in verdicts]
        if (self._options.order_bias, self._options.temperature) != (0.0, 1.0):
            bias, temperature = self._options.order_bias, self._options.temperature
            places = [without_slot_bias(place, bias, temperature) for place in places]
        orders = tuple(
            OrderVerdict(
                first=row.sample.trace.trace_id,
                label=likeliest(place),
                probabilities=place if verdict.weighted else {},
            )
            for row, place, verdict in zip(unit.rows, places, verdicts, strict=True)
        )
        # A label that was written is no probability of it: what reads them would take the judge for certain.
        hidden: dict[str, Any] = {} if all(verdict.weighted for verdict in verdicts) else {"probabilities": {}}
        return [
            Outcome(**asdict(side) | hidden, orders=orders, reason=remarks(unit), **link, **spent)
            for side, link in zip(reconcile(places, self._options.tie_band), _links(unit.rows), strict=True)
        ]

    def _places(self, verdict: Verdict) -> dict[str, float]:
        said = verdict.probabilities.items()
        return {"tie": 0.0} | {self._labels[label]: round(mass, 6) for label, mass in said}


def _pair_rows(pair: Pair) -> tuple[Row, ...]:
    return tuple(Row(sample=sample, axis=AXIS, pair_id=pair.pair_id) for sample in pair.samples)


def _links(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """What each row of a pair says about the other."""
    return [
        {"pair_id": row.pair_id, "other_trace_id": other.sample.trace.trace_id}
        for row, other in zip(rows, reversed(rows), strict=True)
    ]
