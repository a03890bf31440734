"""Judging: samples become questions, questions become replies, replies become score rows."""

import pickle
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyarrow as pa

from jobs.config import ScorerConfig
from judgefleet.sample import Sample, sample_from_row
from judgefleet.score import RunContext, score_row
from judgefleet.scorer import with_data
from judges.catalogue import create
from judges.judge import Judge, Unit
from judges.judge_model import JudgeModel
from judges.message_writer import MessageWriter
from judges.prompt import Prompt, Writer
from judges.token_writer import TokenWriter
from judges.verdict import Reply

Ask = Callable[[Sequence[Prompt]], Sequence[Reply]]


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgeSetup:
    """Everything a worker needs to write prompts and read verdicts: plain data, so it travels to any node.

    ``models``: the judge model behind each engine of the configuration, by the engine's name.
    """

    scorers: tuple[ScorerConfig, ...]
    models: Mapping[str, JudgeModel]
    run_id: str
    job: str
    data: str | None = None

    def judges(self) -> Mapping[str, Judge]:
        """The judges by name, bound to their models; made once a process."""
        return _bound(pickle.dumps(self))


@lru_cache(maxsize=4)
def _bound(setup: bytes) -> dict[str, Judge]:
    made: JudgeSetup = pickle.loads(setup)  # noqa: S301 - our own bytes, from the line above
    writers: dict[str, Writer] = {name: writer(model, name) for name, model in made.models.items()}
    bound = [create(c.use, c.name, c.options).bind(writers) for c in made.scorers]
    for judge in bound:
        judge.info = with_data(judge.info, made.data)
    return {judge.info.name: judge for judge in bound}


def writer(model: JudgeModel, engine: str) -> Writer:
    """Who writes prompts for ``model``: token ids where its tokenizer is ours to use, else messages."""
    return (MessageWriter if model.prompts == "messages" else TokenWriter)(model, engine)


def samples_of(table: pa.Table) -> list[Sample]:
    """The samples in a table of SAMPLE_SCHEMA."""
    return [sample_from_row(row) for row in table.to_pylist()]


def open_units(
    samples: Sequence[Sample], judges: Mapping[str, Judge], done: Container[str]
) -> list[tuple[Judge, Unit]]:
    """What is to be judged about ``samples``; units that share a prefix are neighbours."""
    return [
        (judge, unit)
        for judge in judges.values()
        for unit in judge.units(samples, lambda row, info=judge.info: row.score_id(info) not in done)  # type: ignore[misc]
    ]


def judge_samples(
    samples: Sequence[Sample], judges: Mapping[str, Judge], done: Container[str], ask: Ask, run: RunContext
) -> list[dict[str, Any]]:
    """Score rows of all judges for ``samples``, less those whose id is ``done``.

    Everything that can be asked is asked in one call, so both orders and all axes of a question meet in one batch;
    then what follows from the replies, until nothing is open.
    """
    rows: list[dict[str, Any]] = []
    units = open_units(samples, judges, done)
    while units:
        units = [
            (judge, following)
            for judge, unit in _next_round(units, ask)
            if (following := _concluded(judge, unit, run, rows)) is not None
        ]
    return rows


def _next_round(units: Sequence[tuple[Judge, Unit]], ask: Ask) -> Iterator[tuple[Judge, Unit]]:
    prompts = [unit.prompts for _, unit in units]
    flat = [prompt for of_unit in prompts for prompt in of_unit]
    replies = iter(ask(flat) if flat else ())
    for (judge, unit), of_unit in zip(units, prompts, strict=True):
        yield judge, unit.after([next(replies) for _ in of_unit])


def _concluded(judge: Judge, unit: Unit, run: RunContext, rows: list[dict[str, Any]]) -> Unit | None:
    """What is left of ``unit`` to ask, or None once its rows are added to ``rows``."""
    if not unit.done:
        return unit
    outcomes = unit.settled or judge.conclude(unit)
    if isinstance(outcomes, Unit):
        return outcomes
    wanted = unit.wanted or (True,) * len(unit.rows)
    rows += [
        score_row(run, row.sample, judge.info, row.axis, outcome)
        for row, outcome, want in zip(unit.rows, outcomes, wanted, strict=True)
        if want
    ]
    return None
