"""Pointwise judge: grades one answer on each axis of a rubric, one guided token an axis."""

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from judgefleet.errors import ConfigError
from judgefleet.rubric import Axis, Rubric, load_rubric
from judgefleet.sample import Sample
from judgefleet.score import Outcome, Status, failure
from judgefleet.scorer import ScorerInfo, ScorerKind, missing_need
from judges.judge import RUBRICS, Keep, Row, Unit, judge_config
from judges.judge_model import JudgeModel
from judges.material import answer_part, shared_parts
from judges.prompt import Prompt, PromptWriter
from judges.verdict import Reply, read_verdict, usage


class PointwiseOptions(BaseModel):
    """``rubric``: a name in judges/rubrics, or the path of a YAML file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    rubric: str


class PointwiseJudge:
    """As configured; the value of a row is the probability-weighted score (G-Eval, Liu et al. 2023, section 2.2)."""

    Options = PointwiseOptions

    def __init__(self, name: str, options: PointwiseOptions) -> None:
        self.name = name
        self.rubric = load_rubric(options.rubric, RUBRICS)
        if not self.rubric.axes:
            raise ConfigError(f"rubric {self.rubric.name!r} has no axes; a pointwise judge grades at least one")

    def bind(self, model: JudgeModel, writer: PromptWriter) -> "BoundPointwise":
        """The judge for one model. Raises ConfigError when a label of a scale is not a single token."""
        return BoundPointwise(self.name, self.rubric, model, writer)


class BoundPointwise:
    """Grades with one model."""

    def __init__(self, name: str, rubric: Rubric, model: JudgeModel, writer: PromptWriter) -> None:
        self._rubric, self._writer = rubric, writer
        self._axes = {axis.name: axis for axis in rubric.axes}
        self._allowed = {n: writer.label_ids(list(axis.scale.values)) for n, axis in self._axes.items()}
        self._questions = {n: writer.question(_question(axis)) for n, axis in self._axes.items()}
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
            config=judge_config(model, rubric.content_hash, mode="pointwise", rubric_text=rubric.text),
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
        parts = [*shared_parts(sample), answer_part(sample, "Answer")]
        body = self._writer.body(self._rubric.text, parts, max(map(len, self._questions.values())))
        if body.token_ids is None:
            overflow = failure(Status.CONTEXT_OVERFLOW, f"the prompt is too long: {body.cut}")
            yield Unit(rows=tuple(rows), settled=(overflow,) * len(rows))
            return
        for row in rows:
            ids = (*body.token_ids, *self._questions[row.axis])
            yield Unit(rows=(row,), prompts=(Prompt(token_ids=ids, allowed=self._allowed[row.axis]),), note=body.cut)

    def conclude(self, unit: Unit, replies: Sequence[Reply]) -> list[Outcome]:
        """The weighted score of the one row in ``unit``."""
        axis = unit.rows[0].axis
        values = self._axes[axis].scale.values
        verdict = read_verdict(replies[0], list(values), self._allowed[axis])
        spent: dict[str, Any] = usage(replies)
        if verdict.failure:
            return [failure(verdict.failure.status, verdict.failure.reason or "", **spent)]
        value = sum(probability * values[label] for label, probability in verdict.probabilities.items())
        return [
            Outcome(
                value=round(value, 6),
                label=verdict.label,
                probabilities=verdict.probabilities,
                reason=unit.note,
                **spent,
            )
        ]


def _question(axis: Axis) -> str:
    return f"Grade the answer on {axis.name.replace('_', ' ')}: {axis.question} {axis.scale.sentence}"
