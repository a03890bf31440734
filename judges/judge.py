"""Judge: a scorer that asks a model. It writes prompts, someone else runs them, it reads the replies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

from judgefleet.errors import ConfigError, did_you_mean
from judgefleet.rubric import Rubric
from judgefleet.sample import Sample
from judgefleet.score import Outcome, score_id
from judgefleet.scorer import ScorerInfo
from judges.asking import Asking
from judges.prompt import DEFAULT_ENGINE, LAYOUT_VERSION, Draft, Prompt, Writer
from judges.verdict import Reply

RUBRICS = Path(__file__).parent / "rubrics"
# What ``UnboundJudge.together`` says for the traces of one conversation; no attribute is called that.
CONVERSATION = "<conversation>"


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
    """The smallest piece of judging: questions that are asked together and the rows they answer.

    ``settled`` holds the outcomes of a unit that needs no engine (not applicable, too long), one per row.
    ``note`` says what a reader of the rows must know, such as what was cut. ``wanted`` is false for a row that is
    in the store already although its pair has to be asked again; empty means that all are wanted.
    """

    rows: tuple[Row, ...]
    wanted: tuple[bool, ...] = ()
    askings: tuple[Asking, ...] = ()
    settled: tuple[Outcome, ...] = ()
    note: str | None = None

    @property
    def done(self) -> bool:
        """Whether no question is open."""
        return all(asking.done for asking in self.askings)

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """What to ask an engine now."""
        return tuple(prompt for asking in self.askings for prompt in asking.prompts())

    def after(self, replies: Sequence[Reply]) -> Unit:
        """The unit one round on; ``replies`` in the order of ``prompts``."""
        left, stepped = iter(replies), []
        for asking in self.askings:
            mine = list(islice(left, len(asking.prompts())))
            stepped.append(asking.after(mine) if mine else asking)
        return replace(self, askings=tuple(stepped))

    @property
    def spent(self) -> list[Reply]:
        """Every reply so far."""
        return [reply for asking in self.askings for reply in asking.spent]


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

    def conclude(self, unit: Unit) -> list[Outcome] | Unit:
        """One outcome for each row of ``unit``, whose questions are all answered; or what to ask next."""
        ...


class UnboundJudge(Protocol):
    """A judge as configured; ``bind`` checks that its model can express its verdicts (ConfigError otherwise)."""

    @property
    def engines(self) -> frozenset[str]:
        """The engines it asks, by name."""
        ...

    @property
    def together(self) -> str | None:
        """Which samples it must see in one call: the attribute that they share, CONVERSATION, or None for any."""
        ...

    def bind(self, writers: Mapping[str, Writer]) -> Judge:
        """The judge with the writer of its engine, by the engine's name in the configuration."""
        ...


class RubricOptions(BaseModel):
    """What every judge is configured with. ``rubric``: a name in judges/rubrics, or the path of a YAML file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    rubric: str


class JudgeOptions(RubricOptions):
    """What a judge that asks one engine is configured with.

    ``engine``: the name of the engine that is asked.
    ``reason_tokens``: how long a reason the judge may write before its verdict; 0 asks for none, and is far faster.
    """

    engine: str = DEFAULT_ENGINE
    reason_tokens: int = Field(default=0, ge=0, le=4096)

    @property
    def reason(self) -> Draft | None:
        """The reason as a draft."""
        return Draft(max_tokens=self.reason_tokens) if self.reason_tokens else None

    @property
    def lead(self) -> str:
        """What is asked for beside the verdict."""
        return REASON_LEAD if self.reason_tokens else ""


REASON_LEAD = "First give your reason in a few short sentences; the verdict comes after it. "


def writer_of(writers: Mapping[str, Writer], engine: str, judge: str) -> Writer:
    """The writer for ``engine``. Raises ConfigError when there is no engine of that name."""
    if engine not in writers:
        raise ConfigError(f"judge {judge!r} asks the engine {engine!r}; {did_you_mean(engine, writers)}")
    return writers[engine]


def judge_config(writer: Writer, rubric: Rubric, **more: object) -> dict[str, object]:
    """The configuration every judge has: model, rubric, prompt layout, and how the verdict is asked and weighted."""
    return {
        **writer.model.config,
        "rubric": rubric.content_hash,
        "rubric_text": rubric.text,
        **({"examples": [e.model_dump(mode="json") for e in rubric.examples]} if rubric.examples else {}),
        "layout": LAYOUT_VERSION,
        "sampling": writer.model.sampling,
        **more,
    }


def remarks(unit: Unit) -> str | None:
    """What a reader of the row should know: the judge's reasons, what was cut, and how the value came about.

    The reasons of both orders of a pair stand one after the other.
    """
    reasons = [asking.reason for asking in unit.askings if asking.reason]
    cut = ["a draft was ended by its limit"] if any(asking.cut for asking in unit.askings) else []
    weighted = [asking.verdict.weighted for asking in unit.askings if asking.verdict]
    bare = weighted.count(False)
    which = f"the engine gave no probabilities for {bare} of {len(weighted)} verdicts: each is worth"
    every = "the engine gave no probabilities: the value is that of"
    plain = [f"{every if bare == len(weighted) else which} the label"] if bare else []
    return " | ".join([*reasons, *([unit.note] if unit.note else []), *cut, *plain]) or None
