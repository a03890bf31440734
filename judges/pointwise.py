"""Pointwise judge: grades one answer on each axis of a rubric, one guided verdict an axis."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import Field

from judgefleet.errors import ConfigError, did_you_mean
from judgefleet.rubric import Axis, Rubric, load_rubric
from judgefleet.sample import Sample
from judgefleet.score import Outcome, Status, failure
from judgefleet.scorer import ScorerInfo, ScorerKind, missing_need
from judges.asking import Question, ask
from judges.examples import example_parts
from judges.judge import CONVERSATION, RUBRICS, JudgeOptions, Keep, Row, Unit, judge_config, remarks, writer_of
from judges.prompt import Writer
from judges.recalibration import ValueMap, mapped, nearest_label
from judges.transcript import UnitOfJudgement, conversations, material, whole
from judges.verdict import usage

# How a value comes about, for the configuration on the row.
_WEIGHTED, _WRITTEN = "mean of the scale by label probability", "that of the label that is written"


class PointwiseOptions(JudgeOptions):
    """``unit``: what is graded: the last question and answer (``turn``), the answer with all that was said before it
    (``trace``), or all sampled traces of one conversation as one (``conversation``). ``value_map``: for an axis, points
    [grade, corrected grade] that ``judgefleet audit recalibrate`` fitted to labels; the row has the corrected grade.
    """

    unit: UnitOfJudgement = "turn"
    value_map: dict[str, ValueMap] = Field(default_factory=dict)


class PointwiseJudge:
    """Grades an answer on each axis of a rubric: the mean of the grades, weighted by their probabilities.

    That is the score of G-Eval (Liu et al. 2023, section 2.2). With ``unit: conversation`` the row of the last trace
    of a conversation has the grade, and the rows of the others say where it is.

    >>> judge = PointwiseJudge("quality", PointwiseOptions(rubric="support_quality"))
    >>> [axis.name for axis in judge.rubric.axes][:2]
    ['clarity', 'accuracy']
    """

    EXAMPLE = "rubric: support_quality"
    AXES = "those of the rubric"
    VALUE = "probability-weighted grade on the scale of the rubric"

    Options = PointwiseOptions

    def __init__(self, name: str, options: PointwiseOptions) -> None:
        self.name, self.options = name, options
        self.rubric = load_rubric(options.rubric, RUBRICS)
        if not self.rubric.axes:
            raise ConfigError(f"rubric {self.rubric.name!r} has no axes; a pointwise judge grades at least one")

    @property
    def engines(self) -> frozenset[str]:
        """The one engine it asks."""
        return frozenset({self.options.engine})

    @property
    def together(self) -> str | None:
        """All traces of a conversation come in one call where it is judged as one."""
        return CONVERSATION if self.options.unit == "conversation" else None

    def bind(self, writers: Mapping[str, Writer]) -> "BoundPointwise":
        """The judge for one model. Raises ConfigError when its tokenizer does not tell the labels of a scale apart."""
        return BoundPointwise(self.name, self.options, self.rubric, writer_of(writers, self.options.engine, self.name))


class BoundPointwise:
    """Grades with one model."""

    def __init__(self, name: str, options: PointwiseOptions, rubric: Rubric, writer: Writer) -> None:
        self._rubric, self._writer, self._unit, self._maps = rubric, writer, options.unit, options.value_map
        self._axes = {axis.name: axis for axis in rubric.axes}
        self._questions = {
            name: Question(
                text=_question(axis, options),
                choice=writer.choice(list(axis.scale.values)),
                reason=options.reason,
            )
            for name, axis in self._axes.items()
        }
        if unknown := sorted(set(options.value_map) - set(self._axes)):
            raise ConfigError(f"value_map: no axis {unknown[0]!r}; {did_you_mean(unknown[0], self._axes)}")
        directions = {axis.direction for axis in rubric.axes}
        if len(directions) > 1:
            raise ConfigError(f"rubric {rubric.name!r} mixes directions; put them into two rubrics")
        self.info = ScorerInfo(
            name=name,
            version="1",
            kind=ScorerKind.LLM,
            axes=tuple(self._axes),
            direction=directions.pop(),
            needs=rubric.needs,
            config=judge_config(
                writer,
                rubric,
                mode="pointwise",
                unit=options.unit,
                reason_tokens=options.reason_tokens,
                value=_WEIGHTED if writer.model.logprobs else _WRITTEN,
                **({"value_map": options.model_dump(mode="json")["value_map"]} if options.value_map else {}),
            ),
        )

    def rows(self, samples: Sequence[Sample]) -> Iterator[Row]:
        """One row a sample and axis."""
        return (Row(sample=sample, axis=axis) for sample in samples for axis in self._axes)

    def units(self, samples: Sequence[Sample], keep: Keep) -> Iterator[Unit]:
        """One unit a sample and axis; the axes of a sample share everything but the last question."""
        together = self._unit == "conversation"
        for *others, last in conversations(samples) if together else ((sample,) for sample in samples):
            yield from (_elsewhere(row, last) for row in self.rows(others) if keep(row))
            if rows := [row for row in self.rows([last]) if keep(row)]:
                one = whole([*others, last]) if together else last
                yield from self._ask(one, rows, f"a conversation of {len(others) + 1} traces" if together else None)

    def _ask(self, sample: Sample, rows: Sequence[Row], note: str | None) -> Iterator[Unit]:
        if missing := missing_need(self.info, sample):
            yield from (Unit(rows=(row,), settled=(failure(Status.NOT_APPLICABLE, missing),)) for row in rows)
            return
        parts = [*example_parts(self._rubric), *material(self._unit, sample, self._rubric)]
        room = max(question.room(self._writer) for question in self._questions.values())
        body = self._writer.body(self._rubric.text, parts, room)
        if body.script is None:
            overflow = failure(Status.CONTEXT_OVERFLOW, f"the prompt is too long: {body.cut}")
            yield from (Unit(rows=(row,), settled=(overflow,)) for row in rows)
            return
        for row in rows:
            asking = ask(self._writer, body.script, self._questions[row.axis])
            yield Unit(rows=(row,), askings=(asking,), note="; ".join(filter(None, [note, body.cut])) or None)

    def conclude(self, unit: Unit) -> list[Outcome]:
        """The weighted score of the one row in ``unit``."""
        axis = unit.rows[0].axis
        values, knots = self._axes[axis].scale.values, self._maps.get(axis, ())
        [asking] = unit.askings
        spent: dict[str, Any] = usage(unit.spent)
        verdict = asking.verdict
        if verdict is None or verdict.failure:
            failed = verdict.failure if verdict and verdict.failure else failure(Status.UNPARSED, "no verdict")
            return [failure(failed.status, failed.reason or "", **spent)]
        value = sum(probability * values[label] for label, probability in verdict.probabilities.items())
        value = mapped(round(value, 6), knots)
        return [
            Outcome(
                value=value,
                label=nearest_label(value, values) if knots else verdict.label,
                probabilities=verdict.shown,
                reason=remarks(unit),
                **spent,
            )
        ]


def _question(axis: Axis, options: PointwiseOptions) -> str:
    graded = "conversation" if options.unit == "conversation" else "answer"
    return f"{options.lead}Grade the {graded} on {axis.name.replace('_', ' ')}: {axis.question} {axis.scale.sentence}"


def _elsewhere(row: Row, last: Sample) -> Unit:
    """The row of a trace whose conversation is judged on the row of its last trace."""
    why = (
        f"judged as part of the conversation {last.trace.conversation_id!r}, see its last trace, {last.trace.trace_id}"
    )
    return Unit(rows=(row,), settled=(failure(Status.NOT_APPLICABLE, why),))
