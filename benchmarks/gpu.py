"""What a large judge costs on a GPU: verdicts a second, what the prefix cache saves, and how that grows with the batch.

    python -m benchmarks.gpu [--architecture qwen2.5-7b] [--items 64] [--quantization fp8] [--gpus 1]

The prompts are those of configs/demo.yaml. The weights are random, since none have to be fetched for that, and speed
does not depend on them. Without a GPU only ``--architecture tiny --gpus 0`` makes sense, to see it run.
"""

import argparse
import os
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.__main__ import Measured, demo_prompts, measure
from benchmarks.architectures import ARCHITECTURES, write_architecture
from jobs.config import EngineConfig
from jobs.demo import demo_config
from jobs.engines.vllm import engine_env
from jobs.estimate import count_tokens
from jobs.prepare import prepare

_RANDOM = {"load_format": "dummy", "skip_tokenizer_init": True}


def machine() -> str:
    """The GPUs that PyTorch sees, or that there are none."""
    import torch

    count = torch.cuda.device_count()
    return f"{count} x {torch.cuda.get_device_name(0)}" if count else f"no GPU, {os.cpu_count()} cores"


def engine_for(demo: EngineConfig, gpus: int, quantization: str | None) -> EngineConfig:
    """The engine of the example, with the settings of configs/gpu.yaml where there is a GPU."""
    large = {"max_num_seqs": 256, "max_num_batched_tokens": 8192, "block_size": 16, "dtype": "bfloat16"}
    more = {"gpus_per_replica": gpus, "quantization": quantization, "engine_kwargs": {**demo.engine_kwargs, **_RANDOM}}
    return demo.model_copy(update={**more, **(large if gpus else {})})


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architecture", choices=list(ARCHITECTURES), default="qwen2.5-7b")
    parser.add_argument("--items", type=int, default=64, help="questions of the example, two answers each")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--gpus", type=int, default=1, help="GPUs that one engine is split over; 0: the processor")
    parser.add_argument("--quantization", help="such as fp8")
    parser.add_argument("--batches", type=int, nargs="+", default=[16, 64, 256], help="prompts in work at once")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prepared = prepare(demo_config(Path(folder) / "store"))
        if (setup := prepared.setup) is None:
            raise SystemExit("configs/demo.yaml has no judge")
        prompts = demo_prompts(prepared, setup, given.items)
        engine = engine_for(prepared.config.engine, given.gpus, given.quantization)
        model = write_architecture(given.architecture, Path(folder) / given.architecture)
        os.environ.update(engine_env(engine))
        least = count_tokens((prompt.token_ids for prompt in prompts), engine.block_size)
        settings = [(True, batch) for batch in given.batches] + [(False, given.batches[-1])]
        found = []
        for cache, batch in settings:
            changed = engine.model_copy(update={"prefix_caching": cache, "max_num_seqs": batch})
            found.append((cache, batch, measure(changed, model, prompts, given.rounds)))
    console = Console()
    console.print(f"{given.architecture}, {given.quantization or engine.dtype}, random weights; {machine()}")
    console.print(f"{least.prompts} prompts, {least.tokens:,} tokens, {least.computed:,} to compute when all is shared")
    console.print(show(found, least.prompts, least.tokens, least.computed))


def show(found: list[tuple[bool, int, Measured]], prompts: int, tokens: int, least: int) -> Table:
    """A row a setting."""
    columns = ("prefix cache", "in work", "seconds", "verdicts/s", "tokens/s", "hit rate", "computed over what must be")
    table = Table(*columns, box=None)
    for cache, batch, each in found:
        rates = [f"{each.seconds:.2f}", f"{prompts / each.seconds:.1f}", f"{each.computed / each.seconds:,.0f}"]
        shares = [f"{1 - each.computed / tokens:.3f}", f"{each.computed / least:.3f}"]
        table.add_row("on" if cache else "off", str(batch), *rates, *shares)
    return table


if __name__ == "__main__":
    main()
