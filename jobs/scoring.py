"""The two executions of a run, each Ray Data from read to write: scorers that need no engine, then the judges."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.engine import Stage, engine_stage
from jobs.judging import JudgeSetup, collapse, expand
from jobs.local import score_local
from jobs.plan import Chunk
from jobs.prepare import Prepared
from judgefleet.ids import IdSet
from judgefleet.sample import SAMPLE_SCHEMA
from judgefleet.storage import Location

if TYPE_CHECKING:
    from ray.data import Dataset


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
        partial(score_local, setup=prepared.local, done=done), batch_size=None, batch_format="pyarrow", concurrency=1
    ).write_datasink(ScoreSink(prepared.store.uri))


def judge_stage(prepared: Prepared, setup: JudgeSetup) -> Stage:
    """The engine's place in the pipeline; made in the main thread, where Ray may set its signal handlers."""
    return engine_stage(prepared.config.engine, str(setup.model.path))


def run_judges(prepared: Prepared, setup: JudgeSetup, stage: Stage, chunks: tuple[Chunk, ...], done: Done) -> None:
    """Score ``chunks`` with the judges."""
    from jobs.sink import ScoreSink

    prompts = _chunks(prepared.store, chunks).map_batches(
        partial(expand, setup=setup, done=done), batch_size=None, batch_format="pyarrow"
    )
    stage(prompts).map_batches(partial(collapse, setup=setup), batch_size=None, batch_format="pandas").write_datasink(
        ScoreSink(prepared.store.uri)
    )


def _chunks(store: Location, chunks: tuple[Chunk, ...]) -> Dataset:
    """One block a chunk: the samples of a chunk stay together on their way through the pipeline."""
    import ray

    items = [{"path": store.child(chunk.path).path} for chunk in chunks]
    return ray.data.from_items(items, override_num_blocks=len(items)).map_batches(
        partial(_load, filesystem=store.fs), batch_size=None, batch_format="pyarrow"
    )


def _load(paths: pa.Table, filesystem: Any) -> pa.Table:
    tables = [pq.read_table(path, filesystem=filesystem, partitioning=None) for path in paths["path"].to_pylist()]
    return pa.concat_tables(tables).cast(SAMPLE_SCHEMA)
