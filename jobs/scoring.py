"""The two executions of a run, each Ray Data from read to write: scorers that need no engine, then the judges."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.engines.base import Engine, ask_by_engine, start_engine
from jobs.judging import JudgeSetup, judge_samples, samples_of
from jobs.local import score_local
from jobs.priority import stand_back
from judgefleet.ids import IdSet
from judgefleet.sample import SAMPLE_SCHEMA
from judgefleet.score import SCORE_SCHEMA, RunContext
from judgefleet.storage import Location

if TYPE_CHECKING:  # Every worker imports this module: what only names a type would make each of them start later.
    from ray.data import Dataset

    from jobs.plan import Chunk
    from jobs.prepare import Prepared

# Chunks that a worker has in work: while the engine answers one, the prompts of the next are written.
_IN_FLIGHT = 4
_REPLICAS_A_WORKER = 4


class Done:
    """The ids in the store, shared with every worker through Ray's object store."""

    def __init__(self, ids: IdSet) -> None:
        import ray

        self._ref = ray.put(ids)

    def get(self) -> IdSet:
        """The ids."""
        import ray

        found: IdSet = ray.get(self._ref)
        return found


def run_local(prepared: Prepared, chunks: tuple[Chunk, ...], done: Done) -> None:
    """Score ``chunks`` with checks and similarity: one worker, so that an encoder is loaded once."""
    from jobs.sink import ScoreSink

    _chunks(prepared.store, chunks).map_batches(
        partial(_load_and_score, setup=prepared.local, filesystem=prepared.store.fs, done=done),
        batch_size=None,
        batch_format="pyarrow",
        concurrency=1,
    ).write_datasink(ScoreSink(prepared.store.uri))


class JudgeWorker:
    """Reads a chunk, writes its prompts, asks the engines, and gives score rows; several chunks at a time.

    ``behind``: whether an engine may compute on the worker's own cores, and goes first.
    """

    def __init__(
        self, setup: JudgeSetup, engines: Mapping[str, Engine], filesystem: Any, done: Done, behind: bool
    ) -> None:
        self._judges, self._engines, self._fs = setup.judges(), engines, filesystem
        self._setup, self._done, self._behind = setup, done.get(), behind

    def __call__(self, paths: pa.Table) -> pa.Table:
        """The rows of one chunk."""
        if self._behind:
            stand_back()
        samples = samples_of(_load(paths, self._fs))
        run = RunContext(run_id=self._setup.run_id, job=self._setup.job, scored_at=datetime.now(UTC))
        rows = judge_samples(samples, self._judges, self._done, partial(ask_by_engine, self._engines), run)
        return pa.Table.from_pylist(rows, schema=SCORE_SCHEMA)


def start_engines(prepared: Prepared) -> dict[str, Engine]:
    """The engines that the judges of a run ask, by name."""
    models = prepared.setup.models if prepared.setup else {}
    return {name: start_engine(prepared.config.all_engines[name], model) for name, model in models.items()}


def run_judges(prepared: Prepared, setup: JudgeSetup, chunks: tuple[Chunk, ...], done: Done) -> None:
    """Score ``chunks`` with the judges."""
    judge_chunks(prepared, setup, start_engines(prepared), chunks, done)


def judge_chunks(
    prepared: Prepared, setup: JudgeSetup, engines: Mapping[str, Engine], chunks: tuple[Chunk, ...], done: Done
) -> None:
    """Score ``chunks`` with the judges, on engines that are up."""
    from ray.data import ActorPoolStrategy

    from jobs.sink import ScoreSink

    asked = [prepared.config.all_engines[name] for name in engines]
    behind = any(config.computes for config in asked)
    if behind:
        stand_back()
    replicas = sum(config.replicas for config in asked)
    _chunks(prepared.store, chunks).map_batches(
        JudgeWorker,
        fn_constructor_args=(setup, engines, prepared.store.fs, done, behind),
        batch_size=None,
        batch_format="pyarrow",
        compute=ActorPoolStrategy(
            size=math.ceil(replicas / _REPLICAS_A_WORKER),
            max_concurrent_calls_per_actor=_IN_FLIGHT,
            enable_true_multi_threading=True,
        ),
        # It waits for the engine nearly all of the time: the core belongs to the engine and to reading and writing.
        num_cpus=0,
    ).write_datasink(ScoreSink(prepared.store.uri))


def _chunks(store: Location, chunks: tuple[Chunk, ...]) -> Dataset:
    """One block a chunk, with nothing but its path: whoever scores it reads it."""
    import ray

    items = [{"path": store.child(chunk.path).path} for chunk in chunks]
    return ray.data.from_items(items, override_num_blocks=len(items))


def _load_and_score(paths: pa.Table, setup: Any, filesystem: Any, done: Any) -> pa.Table:
    return score_local(samples_of(_load(paths, filesystem)), setup, done.get())


def _load(paths: pa.Table, filesystem: Any) -> pa.Table:
    tables = [pq.read_table(path, filesystem=filesystem, partitioning=None) for path in paths["path"].to_pylist()]
    return pa.concat_tables(tables).cast(SAMPLE_SCHEMA)
