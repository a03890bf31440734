"""Judge: a scorer that asks a model. It writes prompts, someone else runs them, it reads the replies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from judgefleet.sample import Sample
from judgefleet.score import Outcome, score_id
from judgefleet.scorer import ScorerInfo
from judges.prompt import LAYOUT_VERSION, Prompt, PromptWriter
from judges.verdict import Reply

if TYPE_CHECKING:
    from judges.judge_model import JudgeModel

RUBRICS = Path(__file__).parent / "rubrics"


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One score to come: which sample, which axis."""

    sample: Sample
    axis: str
    pair_id: str | None = None

    def score_id(self, info: ScorerInfo) -> str:
        """The id that the score will have."""
        return score_id(
            trace_id=self.sample.trace.trace_id,
            span_id=self.sample.trace.span_id,
            pair_id=self.pair_id,
            scorer=info.name,
            axis=self.axis,
            fingerprint=info.fingerprint,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """The smallest piece of judging: prompts that are asked together and the rows they answer.

    ``settled`` holds the outcomes of a unit that needs no engine (not applicable, too long), one per row.
    ``note`` says what a reader of the rows must know, such as what was cut. ``wanted`` is false for a row that is
    in the store already although its pair has to be asked again; empty means that all are wanted.
    """

    rows: tuple[Row, ...]
    wanted: tuple[bool, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    settled: tuple[Outcome, ...] = ()
    note: str | None = None

    def without_text(self) -> Unit:
        """The unit as it travels past the engine: its rows, without prompts and without the texts of the traces."""
        return replace(self, prompts=(), rows=tuple(replace(r, sample=_bare(r.sample)) for r in self.rows))


def _bare(sample: Sample) -> Sample:
    trace = replace(sample.trace, messages=(), output=None, contexts=(), tool_calls=(), reference=None)
    return replace(sample, trace=trace)


Keep = Callable[[Row], bool]


class Judge(Protocol):
    """A judge bound to a model."""

    @property
    def info(self) -> ScorerInfo:
        """What this judge is; its fingerprint covers model, rubric, prompt layout and parser."""
        ...

    def rows(self, samples: Sequence[Sample]) -> Iterator[Row]:
        """Every row that judging ``samples`` will give; needs no texts, only ids, variants and attributes."""
        ...

    def units(self, samples: Sequence[Sample], keep: Keep) -> Iterator[Unit]:
        """Everything to ask about ``samples``; rows for which ``keep`` is false are left out.

        Samples that belong together (both answers to one question) come in one call. Units that share a prefix
        are neighbours.
        """
        ...

    def conclude(self, unit: Unit, replies: Sequence[Reply]) -> list[Outcome]:
        """One outcome for each row of ``unit``; ``replies`` in the order of its prompts."""
        ...


class UnboundJudge(Protocol):
    """A judge as configured; ``bind`` checks that the model can express its verdicts (ConfigError otherwise)."""

    def bind(self, model: JudgeModel, writer: PromptWriter) -> Judge:
        """The judge for one model."""
        ...


def judge_config(model: JudgeModel, rubric_hash: str, **more: object) -> dict[str, object]:
    """The configuration every judge has: model, rubric, prompt layout, and how the verdict is asked."""
    return {
        **model.config,
        "rubric": rubric_hash,
        "layout": LAYOUT_VERSION,
        "sampling": {"temperature": 0.0, "max_tokens": 1, "guided": "allowed_token_ids"},
        **more,
    }
