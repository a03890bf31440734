"""What the judge's prompts cost the engine: with the prefix cache, without it, and what could be shared at best.

    python -m benchmarks [--items 16] [--rounds 3]

The prompts are those of configs/demo.yaml, the engine is vLLM alone, started once for each setting; the settings take
turns being measured only within one run of this command, so compare the ratios, not the seconds of two runs.
"""

import argparse
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from rich.console import Console
from rich.table import Table

from jobs.config import EngineConfig
from jobs.demo import demo_config
from jobs.engines.vllm import engine_env, engine_kwargs, sampling_params
from jobs.estimate import count_tokens
from jobs.intake import Intake, listed
from jobs.judging import JudgeSetup, samples_of
from jobs.prepare import Prepared, prepare
from judgefleet.sample import SAMPLE_SCHEMA, Sample
from judges.prompt import Prompt


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Medians over the rounds. ``computed``: tokens the engine had to compute, by its own count."""

    seconds: float
    computed: int


def demo_samples(prepared: Prepared, items: int) -> list[Sample]:
    """Both answers to the first ``items`` questions of the example, in the order of the pipeline."""
    objects = pa.Table.from_pylist(listed(prepared.objects))
    read = pa.concat_tables(Intake(config=prepared.config, group_by=prepared.group_by)(objects))
    ordered = read.sort_by([("group_key", "ascending"), ("trace_id", "ascending")]).slice(0, 2 * items)
    return samples_of(ordered.select(SAMPLE_SCHEMA.names))


def demo_prompts(prepared: Prepared, setup: JudgeSetup, items: int) -> list[Prompt]:
    """The judge prompts of the first ``items`` questions of the example, in the order of the pipeline."""
    samples = demo_samples(prepared, items)
    units = (unit for judge in setup.judges().values() for unit in judge.units(samples, lambda _: True))
    return [prompt for unit in units for prompt in unit.prompts]


def measure(engine: EngineConfig, model: Path, prompts: Sequence[Prompt], rounds: int) -> Measured:
    """Ask all prompts ``rounds`` times on one engine, the cache emptied before each."""
    from vllm import LLM, SamplingParams

    llm = LLM(model=str(model), **engine_kwargs(engine))
    asked = [{"prompt_token_ids": list(prompt.token_ids)} for prompt in prompts]
    params = [SamplingParams(**sampling_params(prompt)) for prompt in prompts]
    llm.generate(asked[:1], params[:1], use_tqdm=False)
    seconds, computed = [], 0
    for _ in range(rounds):
        llm.reset_prefix_cache()
        started = time.perf_counter()
        outputs = llm.generate(asked, params, use_tqdm=False)
        seconds.append(time.perf_counter() - started)
        computed = sum(len(o.prompt_token_ids) - (o.num_cached_tokens or 0) for o in outputs)
    llm.llm_engine.engine_core.shutdown()
    return Measured(seconds=statistics.median(seconds), computed=computed)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=16, help="questions of the example")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    prepared = prepare(demo_config(Path("out/bench")))
    setup, engine = prepared.setup, prepared.config.engine
    if setup is None or (model_path := setup.models["default"].path) is None:
        raise SystemExit("configs/demo.yaml has no judge of its own")
    os.environ.update(engine_env(engine))
    prompts = demo_prompts(prepared, setup, given.items)
    counted = count_tokens((prompt.token_ids for prompt in prompts), engine.block_size)
    table = Table("prefix cache", "seconds", "verdicts/s", "tokens computed", "of what must be", box=None)
    for cache in (True, False):
        chosen = engine.model_copy(update={"prefix_caching": cache})
        found = measure(chosen, model_path, prompts, given.rounds)
        rate, share = len(prompts) / found.seconds, found.computed / counted.computed
        table.add_row(
            "on" if cache else "off", f"{found.seconds:.1f}", f"{rate:.1f}", f"{found.computed:,}", f"{share:.3f}"
        )
    console = Console()
    console.print(
        f"{counted.prompts} prompts, {counted.tokens:,} tokens, {counted.computed:,} to compute when all is shared"
    )
    console.print(table)


if __name__ == "__main__":
    main()
