"""Judging in the pipeline: samples become prompt rows, rows with replies become score rows."""

import pickle
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import pyarrow as pa

from jobs.config import ScorerConfig
from jobs.engine import read_reply, sampling_params
from jobs.scripted import ERROR
from judgefleet.errors import RunError
from judgefleet.sample import Sample, sample_from_row
from judgefleet.score import SCORE_SCHEMA, Outcome, RunContext, score_row
from judgefleet.scorer import with_data
from judges.catalogue import create
from judges.judge import Judge, Unit
from judges.judge_model import JudgeModel
from judges.prompt import PromptWriter

# Set on rows that need no engine: its stage passes on untouched whatever has an error.
_SETTLED = "settled before the engine"
PROMPT_SCHEMA = pa.schema(
    [
        ("judge", pa.string()),
        ("unit", pa.binary()),
        ("unit_key", pa.string()),
        ("position", pa.int32()),
        ("prompts", pa.int32()),
        ("tokenized_prompt", pa.list_(pa.int32())),
        (
            "sampling_params",
            pa.struct(
                [
                    ("max_tokens", pa.int64()),
                    ("temperature", pa.float64()),
                    ("logprobs", pa.int64()),
                    ("allowed_token_ids", pa.list_(pa.int64())),
                ]
            ),
        ),
        (ERROR, pa.string()),
    ]
)


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgeSetup:
    """Everything a worker needs to write prompts and read verdicts: plain data, so it travels to any node."""

    scorers: tuple[ScorerConfig, ...]
    model: JudgeModel
    run_id: str
    job: str
    data: str | None = None

    def judges(self) -> Mapping[str, Judge]:
        """The judges by name, bound to the model; made once a process."""
        return _bound(pickle.dumps(self))


@lru_cache(maxsize=4)
def _bound(setup: bytes) -> dict[str, Judge]:
    made: JudgeSetup = pickle.loads(setup)  # noqa: S301 - our own bytes, from the line above
    writer = PromptWriter(made.model)
    bound = [create(c.use, c.name, c.options).bind(made.model, writer) for c in made.scorers]
    for judge in bound:
        judge.info = with_data(judge.info, made.data)
    return {judge.info.name: judge for judge in bound}


def samples_of(table: pa.Table) -> list[Sample]:
    """The samples in a table of SAMPLE_SCHEMA."""
    return [sample_from_row(row) for row in table.to_pylist()]


def prompt_rows(
    samples: Sequence[Sample], judges: Mapping[str, Judge], done: Container[str]
) -> Iterator[dict[str, Any]]:
    """A row for every prompt that ``samples`` need; units that share a prefix are neighbours."""
    for name, judge in judges.items():
        for unit in judge.units(samples, lambda row, info=judge.info: row.score_id(info) not in done):  # type: ignore[misc]
            yield from _unit_rows(name, judge, unit)


def _unit_rows(name: str, judge: Judge, unit: Unit) -> Iterator[dict[str, Any]]:
    key = unit.rows[0].score_id(judge.info)
    base = {"judge": name, "unit_key": key, "prompts": max(len(unit.prompts), 1)}
    # The unit travels once, with its first prompt.
    travelling = pickle.dumps(unit.without_text())
    if unit.settled:
        idle = {"tokenized_prompt": [0], "sampling_params": sampling_params((0,)), ERROR: _SETTLED}
        yield {**base, "unit": travelling, "position": 0, **idle}
    for position, prompt in enumerate(unit.prompts):
        yield {
            **base,
            "unit": b"" if position else travelling,
            "position": position,
            "tokenized_prompt": list(prompt.token_ids),
            "sampling_params": sampling_params(prompt.allowed),
            ERROR: "",
        }


def verdict_rows(
    rows: Iterable[Mapping[str, Any]], judges: Mapping[str, Judge], run: RunContext
) -> list[dict[str, Any]]:
    """Score rows of all units in ``rows``. Raises RunError when a unit came out of the engine in pieces."""
    units: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        units[row["unit_key"]].append(row)
    return [scored for pieces in units.values() for scored in _conclude(pieces, judges, run)]


def _conclude(
    pieces: list[Mapping[str, Any]], judges: Mapping[str, Judge], run: RunContext
) -> Iterator[dict[str, Any]]:
    pieces.sort(key=lambda row: row["position"])
    if len(pieces) != pieces[0]["prompts"]:
        raise RunError(f"{len(pieces)} of {pieces[0]['prompts']} prompts of a unit came back together; report this")
    unit: Unit = pickle.loads(pieces[0]["unit"])  # noqa: S301 - written by prompt_rows in this run
    judge = judges[pieces[0]["judge"]]
    outcomes: Sequence[Outcome] = unit.settled or judge.conclude(unit, [read_reply(row) for row in pieces])
    wanted = unit.wanted or (True,) * len(unit.rows)
    for row, outcome, want in zip(unit.rows, outcomes, wanted, strict=True):
        if want:
            yield score_row(run, row.sample, judge.info, row.axis, outcome)


def expand(table: pa.Table, setup: JudgeSetup, done: Any) -> pa.Table:
    """One block of samples as prompt rows."""
    rows = prompt_rows(samples_of(table), setup.judges(), done.get())
    return pa.Table.from_pylist(list(rows), schema=PROMPT_SCHEMA)


def collapse(batch: Any, setup: JudgeSetup) -> pa.Table:
    """One block of rows with replies as score rows."""
    run = RunContext(run_id=setup.run_id, job=setup.job, scored_at=datetime.now(UTC))
    rows = verdict_rows(batch.to_dict("records"), setup.judges(), run)
    return pa.Table.from_pylist(rows, schema=SCORE_SCHEMA)
