"""What the pipeline costs beside its engine: judging through Ray Data against raw vLLM, same prompts, one run.

    python -m benchmarks.pipeline [--items 16] [--rounds 5]

Two engines of the same settings stay up: one that the pipeline asks, and a plain vllm.LLM. They take turns, each on
all prompts with an emptied prefix cache; a question is eight of them, and more questions than the example has are its
own in other words. The pipeline's time is given twice: from the call to the last committed row, with the start of Ray
Data's workers (a few seconds once a run, beside which an engine would start as well), and from the moment a worker
takes up the first chunk, which is what every further chunk of a longer run costs.
"""

import argparse
import math
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import ray
from rich.console import Console
from rich.table import Table

from jobs.batch import read_input
from jobs.cluster import ray_session
from jobs.console import ConsoleReporter
from jobs.demo import demo_config
from jobs.engines.vllm import VllmPool, engine_env, engine_kwargs, sampling_params
from jobs.estimate import count_tokens
from jobs.judging import JudgeSetup, open_units
from jobs.plan import Chunk
from jobs.prepare import Prepared, prepare
from jobs.remaining import load_chunk
from jobs.scoring import Done, judge_chunks, start_engines
from judgefleet.ids import IdSet
from judgefleet.sample import samples_to_table
from judgefleet.storage import Location, write_table_atomic
from judgefleet.trace import Trace
from judges.prompt import Prompt


class RawEngine:
    """vLLM as its own documentation uses it."""

    def __init__(self, model: str, kwargs: dict[str, Any]) -> None:
        from vllm import LLM

        self._llm = LLM(model=model, **kwargs)

    def seconds(self, prompts: Sequence[Prompt]) -> float:
        """Time to answer all of ``prompts``, from an empty cache."""
        from vllm import SamplingParams

        asked: Any = [{"prompt_token_ids": list(prompt.token_ids)} for prompt in prompts]
        params = [SamplingParams(**sampling_params(prompt)) for prompt in prompts]
        self._llm.reset_prefix_cache()
        started = time.perf_counter()
        self._llm.generate(asked, params, use_tqdm=False)
        return time.perf_counter() - started


def chunks_of(prepared: Prepared, found: Sequence[Chunk], items: int) -> list[Chunk]:
    """As many of the example's chunks as hold ``items``, over and over where it has fewer."""
    wanted = max(1, 2 * items // prepared.config.run.chunk_traces)
    times = range(math.ceil(wanted / len(found)))
    return [again(prepared.store, chunk, time) if time else chunk for time in times for chunk in found][:wanted]


def again(store: Location, chunk: Chunk, time: int) -> Chunk:
    """The chunk as other traces with other questions: what they share with the first is the rubric."""
    samples = [replace(sample, trace=other(sample.trace, time)) for sample in load_chunk(store, chunk)]
    path = f"{chunk.path.removesuffix('.parquet')}-{time}.parquet"
    write_table_atomic(store, path, samples_to_table(samples))
    return Chunk(path=path, samples=chunk.samples)


def other(trace: Trace, time: int) -> Trace:
    """A trace that differs from the first word of every message."""
    messages = tuple(replace(message, content=f"{time}. {message.content}") for message in trace.messages)
    return replace(trace, trace_id=f"{trace.trace_id}-{time}", messages=messages)


def prompts_of(prepared: Prepared, setup: JudgeSetup, chunks: Sequence[Chunk]) -> list[Prompt]:
    """Every prompt, in the order of the pipeline."""
    judges = setup.judges()
    samples = (load_chunk(prepared.store, chunk) for chunk in chunks)
    return [p for found in samples for _, unit in open_units(found, judges, IdSet([])) for p in unit.prompts]


def pipeline_seconds(
    prepared: Prepared, setup: JudgeSetup, pool: VllmPool, chunks: Sequence[Chunk]
) -> tuple[float, float]:
    """Time to the last committed row, from an empty cache and store: from the call, and from the first chunk."""
    if (scores := Path(prepared.store.path, "scores")).exists():
        prepared.store.fs.delete_dir(str(scores))
    pool.reset_prefix_cache()
    started = time.time()
    judge_chunks(prepared, setup, {"default": pool}, tuple(chunks), Done(IdSet([])))
    ended = time.time()
    first = pd.read_parquet(Path(prepared.store.path), columns=["scored_at"]).scored_at.min().timestamp()
    return ended - started, ended - first


def computed_tokens(store: Path) -> int:
    """Prompt tokens less cached ones, each prompt counted once: both rows of a pair carry the sums of both orders."""
    rows = pd.read_parquet(store)
    once = rows[rows.pair_id.isna() | ~rows.duplicated("pair_id")]
    return int((once.prompt_tokens - once.cached_tokens).sum())


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=16, help="questions, two answers each")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ray_session() as logs, ConsoleReporter() as reporter:
        prepared = prepare(demo_config(Path(folder)))
        plan, setup, engine = read_input(prepared, reporter, logs), prepared.setup, prepared.config.engine
        if setup is None:
            raise SystemExit("configs/demo.yaml has no judge")
        chunks = chunks_of(prepared, plan.chunks, given.items)
        prompts = prompts_of(prepared, setup, chunks)
        pool = start_engines(prepared)["default"]
        assert isinstance(pool, VllmPool)
        env = {"env_vars": engine_env(engine)}
        raw: Any = ray.remote(RawEngine).options(num_cpus=0, runtime_env=env)
        raw = raw.remote(str(setup.models["default"].path), engine_kwargs(engine))
        reporter.say(f"{len(prompts)} prompts; both engines answer all of them once before the first round")
        ray.get(raw.seconds.remote(prompts))
        pipeline_seconds(prepared, setup, pool, chunks)
        seconds = [
            (ray.get(raw.seconds.remote(prompts)), pipeline_seconds(prepared, setup, pool, chunks))
            for _ in range(given.rounds)
        ]
        computed = computed_tokens(Path(prepared.store.path))
    show(seconds, computed, count_tokens((p.token_ids for p in prompts), engine.block_size).computed)


def show(seconds: Sequence[tuple[float, tuple[float, float]]], computed: int, least: int) -> None:
    """The rounds, their ratios, and what the engine computed over what it had to."""
    table = Table("round", "raw vLLM, s", "whole, s", "raw over whole", "from first chunk, s", "raw over it", box=None)
    for number, (raw, (whole, warm)) in enumerate(seconds, 1):
        table.add_row(
            str(number), f"{raw:.1f}", f"{whole:.1f}", f"{raw / whole:.3f}", f"{warm:.1f}", f"{raw / warm:.3f}"
        )
    console = Console(width=120)
    console.print(table)
    for place, name in enumerate(("whole", "from the first chunk")):
        median = statistics.median(raw / ours[place] for raw, ours in seconds)
        console.print(f"median throughput over raw vLLM, {name}: {median:.3f}")
    console.print(f"tokens computed {computed:,}, must be {least:,}: {computed / least:.3f}")


if __name__ == "__main__":
    main()
