"""Pointwise judge: grades one answer on each axis of a rubric, one guided verdict an axis."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from judgefleet.errors import ConfigError
from judgefleet.rubric import Axis, Rubric, load_rubric
from judgefleet.sample import Sample
from judgefleet.score import Outcome, Status, failure
from judgefleet.scorer import ScorerInfo, ScorerKind, missing_need
from judges.asking import Question, ask
from judges.judge import RUBRICS, JudgeOptions, Keep, Row, Unit, judge_config, remarks, writer_of
from judges.material import answer_part, shared_parts
from judges.prompt import Writer
from judges.verdict import usage


class PointwiseJudge:
    """Grades an answer on each axis of a rubric: the mean of the grades, weighted by their probabilities.

    That is the score of G-Eval (Liu et al. 2023, section 2.2).

    >>> judge = PointwiseJudge("quality", JudgeOptions(rubric="support_quality"))
    >>> [axis.name for axis in judge.rubric.axes][:2]
    ['clarity', 'accuracy']
    """

    EXAMPLE = "rubric: support_quality"
    AXES = "those of the rubric"
    VALUE = "probability-weighted grade on the scale of the rubric"

    Options = JudgeOptions

    def __init__(self, name: str, options: JudgeOptions) -> None:
        self.name, self.options = name, options
        self.rubric = load_rubric(options.rubric, RUBRICS)
        if not self.rubric.axes:
            raise ConfigError(f"rubric {self.rubric.name!r} has no axes; a pointwise judge grades at least one")

    @property
    def engines(self) -> frozenset[str]:
        """The one engine it asks."""
        return frozenset({self.options.engine})

    def bind(self, writers: Mapping[str, Writer]) -> "BoundPointwise":
        """The judge for one model. Raises ConfigError when its tokenizer does not tell the labels of a scale apart."""
        return BoundPointwise(self.name, self.options, self.rubric, writer_of(writers, self.options.engine, self.name))


class BoundPointwise:
    """Grades with one model."""

    def __init__(self, name: str, options: JudgeOptions, rubric: Rubric, writer: Writer) -> None:
        self._rubric, self._writer = rubric, writer
        self._axes = {axis.name: axis for axis in rubric.axes}
        self._questions = {
            name: Question(
                text=_question(axis, options.lead),
                choice=writer.choice(list(axis.scale.values)),
                reason=options.reason,
            )
            for name, axis in self._axes.items()
        }
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
                rubric.content_hash,
                options,
                mode="pointwise",
                rubric_text=rubric.text,
                value="mean of the scale by label probability",
            ),
        )

    def rows(self, samples: Sequence[Sample]) -> Iterator[Row]:
        """One row a sample and axis."""
        return (Row(sample=sample, axis=axis) for sample in samples for axis in self._axes)

    def units(self, samples: Sequence[Sample], keep: Keep) -> Iterator[Unit]:
        """One unit a sample and axis; the axes of a sample share everything but the last question."""
        for sample in samples:
            if rows := [row for row in self.rows([sample]) if keep(row)]:
                yield from self._ask(sample, rows)

    def _ask(self, sample: Sample, rows: Sequence[Row]) -> Iterator[Unit]:
        if missing := missing_need(self.info, sample):
            yield Unit(rows=tuple(rows), settled=(failure(Status.NOT_APPLICABLE, missing),) * len(rows))
            return
        parts = [*shared_parts(sample, self._rubric), answer_part(sample, self._rubric.titles.answer)]
        room = max(question.room(self._writer) for question in self._questions.values())
        body = self._writer.body(self._rubric.text, parts, room)
        if body.script is None:
            overflow = failure(Status.CONTEXT_OVERFLOW, f"the prompt is too long: {body.cut}")
            yield Unit(rows=tuple(rows), settled=(overflow,) * len(rows))
            return
        for row in rows:
            asking = ask(self._writer, body.script, self._questions[row.axis])
            yield Unit(rows=(row,), askings=(asking,), note=body.cut)

    def conclude(self, unit: Unit) -> list[Outcome]:
        """The weighted score of the one row in ``unit``."""
        values = self._axes[unit.rows[0].axis].scale.values
        [asking] = unit.askings
        spent: dict[str, Any] = usage(unit.spent)
        verdict = asking.verdict
        if verdict is None or verdict.failure:
            failed = verdict.failure if verdict and verdict.failure else failure(Status.UNPARSED, "no verdict")
            return [failure(failed.status, failed.reason or "", **spent)]
        value = sum(probability * values[label] for label, probability in verdict.probabilities.items())
        return [
            Outcome(
                value=round(value, 6),
                label=verdict.label,
                probabilities=verdict.probabilities if verdict.weighted else {},
                reason=remarks(unit),
                **spent,
            )
        ]


def _question(axis: Axis, lead: str) -> str:
    return f"{lead}Grade the answer on {axis.name.replace('_', ' ')}: {axis.question} {axis.scale.sentence}"
