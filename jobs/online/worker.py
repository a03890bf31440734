"""Scores samples in a process of its own: checks and similarity here, judges by asking the engines."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

import pyarrow as pa

from jobs.engines.base import Engine, ask_by_engine
from jobs.judging import JudgeSetup, judge_samples, open_units, samples_of
from jobs.local import LocalSetup, score_local
from judgefleet.sample import Sample
from judgefleet.score import SCORE_SCHEMA, RunContext
from judgefleet.trace import Message, Trace

_NOTHING: frozenset[str] = frozenset()
_ASKED = Trace(
    trace_id="warm-up",
    messages=(Message(role="user", content="Is anyone there?"),),
    output="Yes.",
    contexts=("Someone is.",),
    reference="Yes.",
)


class ScoreWorker:
    """Holds scorers and judges; several batches at a time, of which one is in the scorers without an engine."""

    def __init__(self, local: LocalSetup, setup: JudgeSetup | None, engines: Mapping[str, Engine]) -> None:
        self._local, self._setup, self._engines = local, setup, engines
        self._lock = threading.Lock()
        self._judges = setup.judges() if setup else {}

    def ready(self) -> str | None:
        """None when every engine has answered; else what it said."""
        sample = Sample(trace=_ASKED, stratum="", inclusion_probability=1.0, plan_hash="")
        units = open_units([sample], self._judges, _NOTHING)
        prompts = [prompt for _, unit in units for prompt in unit.prompts]
        replies = ask_by_engine(self._engines, prompts) if prompts else []
        return next((reply.error for reply in replies if reply.error), None)

    def score(self, samples: pa.Table) -> pa.Table:
        """All rows (SCORE_SCHEMA) of ``samples`` (SAMPLE_SCHEMA); whether they are scored, was asked before."""
        found = samples_of(samples)
        with self._lock:
            rows = score_local(found, self._local, _NOTHING)
        return pa.concat_tables([rows, self._judge(found)])

    def _judge(self, samples: Sequence[Sample]) -> pa.Table:
        if self._setup is None:
            return SCORE_SCHEMA.empty_table()
        run = RunContext(run_id=self._setup.run_id, job=self._setup.job, scored_at=datetime.now(UTC))
        ask = partial(ask_by_engine, self._engines)
        rows = judge_samples(samples, self._judges, _NOTHING, ask, run)
        return pa.Table.from_pylist(rows, schema=SCORE_SCHEMA)
