"""judgefleet with its engine up, measured as the tools are and as a whole pipeline."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.pipeline import pipeline_seconds
from benchmarks.tool_workers.turn import OURS, Turn
from jobs.batch import read_input
from jobs.console import ConsoleReporter
from jobs.engines.base import ask_by_engine
from jobs.engines.vllm import VllmPool
from jobs.judging import judge_samples
from jobs.prepare import Prepared
from jobs.remaining import load_chunk
from jobs.scoring import start_engines
from judgefleet.ids import IdSet
from judgefleet.score import RunContext


class Fleet:
    """One engine that all turns ask. Needs a Ray session."""

    def __init__(self, prepared: Prepared, reporter: ConsoleReporter, logs: Path) -> None:
        assert prepared.setup is not None
        self._prepared, self._setup = prepared, prepared.setup
        self._chunks = read_input(prepared, reporter, logs).chunks
        pool = start_engines(prepared)["default"]
        assert isinstance(pool, VllmPool)
        self._pool = pool

    def turns(self, pairs: int) -> Iterator[Turn]:
        """One turn of each kind, each from an empty cache."""
        yield self._asked(pairs)
        yield self._pipeline(pairs)

    def _asked(self, pairs: int) -> Turn:
        """From samples to score rows, in this process: what a tool's time has in it too."""
        samples = [sample for chunk in self._chunks for sample in load_chunk(self._prepared.store, chunk)]
        ask = partial(ask_by_engine, {"default": self._pool})
        run = RunContext(run_id=self._setup.run_id, job=self._setup.job, scored_at=datetime.now(UTC))
        judges = self._setup.judges()
        self._pool.reset_prefix_cache()
        started = time.perf_counter()
        rows = judge_samples(samples, judges, IdSet([]), ask, run)
        return _turn(OURS, pairs, rows, time.perf_counter() - started)

    def _pipeline(self, pairs: int) -> Turn:
        """From the chunks on disk to the last committed row, with the start of Ray Data."""
        seconds, _ = pipeline_seconds(self._prepared, self._setup, self._pool, self._chunks)
        rows = pd.read_parquet(self._prepared.store.path, columns=["pair_id", "status"]).to_dict("records")
        return _turn(f"{OURS}-pipeline", pairs, rows, seconds)


def _turn(name: str, pairs: int, rows: Sequence[Any], seconds: float) -> Turn:
    # Both rows of a pair come from the same two replies.
    valid = {row["pair_id"] for row in rows if row["status"] == "ok"}
    return Turn(name=name, version=version("judgefleet"), pairs=pairs, valid=len(valid), seconds=seconds)
