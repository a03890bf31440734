"""Scoring without an engine: checks and similarity, a block of samples at a time."""

import pickle
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import pyarrow as pa

from jobs.config import ScorerConfig
from judgefleet.sample import Sample
from judgefleet.score import SCORE_SCHEMA, Outcome, RunContext, Status, failure, score_id, score_row
from judgefleet.scorer import Scorer, ScorerInfo, missing_need, with_data
from judges.catalogue import create_scorer


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalSetup:
    """The scorers of a run that need no engine, as plain data that travels to any worker."""

    scorers: tuple[ScorerConfig, ...]
    run_id: str
    job: str
    data: str | None = None

    def made(self) -> tuple[tuple[Scorer, ScorerInfo], ...]:
        """The scorers, made once a process: a model is loaded once however many chunks come."""
        return _made(pickle.dumps(self))


@lru_cache(maxsize=4)
def _made(setup: bytes) -> tuple[tuple[Scorer, ScorerInfo], ...]:
    configured: LocalSetup = pickle.loads(setup)  # noqa: S301 - our own bytes, from the caller above
    scorers = [create_scorer(c.use, c.name, c.options) for c in configured.scorers]
    return tuple((scorer, with_data(scorer.info, configured.data)) for scorer in scorers)


def score_local(samples: Sequence[Sample], setup: LocalSetup, done: Container[str]) -> pa.Table:
    """Score rows of ``samples``, less those whose id is ``done``."""
    run = RunContext(run_id=setup.run_id, job=setup.job, scored_at=datetime.now(UTC))
    rows = [
        row for scorer, info in setup.made() for row in local_rows(samples, scorer, info, run, lambda i: i not in done)
    ]
    return pa.Table.from_pylist(rows, schema=SCORE_SCHEMA)


def local_rows(
    samples: Sequence[Sample], scorer: Scorer, info: ScorerInfo, run: RunContext, keep: Callable[[str], bool]
) -> Iterator[dict[str, Any]]:
    """A row for each sample and axis whose score id is to be kept; a failure is a row with its reason."""
    wanted = {i: [axis for axis in info.axes if keep(local_id(s, info, axis))] for i, s in enumerate(samples)}
    asked = [i for i, axes in wanted.items() if axes]
    missing = {i: missing_need(info, samples[i]) for i in asked}
    able = [i for i in asked if missing[i] is None]
    found = dict(zip(able, score_safely(scorer, [samples[i] for i in able]), strict=True))
    for i in asked:
        why = failure(Status.NOT_APPLICABLE, missing[i] or "")
        outcomes = found.get(i) or dict.fromkeys(info.axes, why)
        yield from (score_row(run, samples[i], info, axis, outcomes[axis]) for axis in wanted[i])


def local_id(sample: Sample, info: ScorerInfo, axis: str) -> str:
    """The id of the score of one sample on one axis."""
    return score_id(
        trace_id=sample.trace.trace_id,
        span_id=sample.trace.span_id,
        pair_id=None,
        scorer=info.name,
        axis=axis,
        fingerprint=info.fingerprint,
    )


def score_safely(scorer: Scorer, samples: Sequence[Sample]) -> Sequence[Mapping[str, Outcome]]:
    """What ``scorer`` says; where it raises, each sample is tried alone, so that one cannot take others with it."""
    try:
        return scorer.score(samples) if samples else []
    except Exception as error:  # noqa: BLE001 - whatever a scorer raises becomes a row with the reason
        if len(samples) > 1:
            return [score_safely(scorer, [sample])[0] for sample in samples]
        reason = f"{type(error).__name__}: {error}"
        return [dict.fromkeys(scorer.info.axes, failure(Status.ENGINE_ERROR, reason))]
