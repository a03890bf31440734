"""What only a machine with a GPU can show. Skipped without one, and never imitated."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch sees no GPU here"),
]


def call(*arguments: str) -> str:
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=900, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_the_demo_is_judged_on_a_gpu(tmp_path: Path) -> None:
    config = yaml.safe_load((ROOT / "configs" / "demo.yaml").read_text())
    config["store"] = str(tmp_path / "store")
    config["engine"] |= {"gpus_per_replica": 1, "block_size": 16, "max_num_seqs": 256}
    (tmp_path / "gpu.yaml").write_text(yaml.safe_dump(config))
    call(sys.executable, "-c", "from jobs.cli import main; main()", "batch", str(tmp_path / "gpu.yaml"))
    scores = pd.read_parquet(tmp_path / "store")
    judged = scores[scores.scorer_kind == "LLM"]
    assert set(judged.status) == {"ok"}
    assert judged.cached_tokens.sum() > 0.5 * judged.prompt_tokens.sum()


@pytest.mark.parametrize("quantization", [None, "fp8"])
def test_a_7b_model_shares_every_prefix(quantization: str | None) -> None:
    more = ["--quantization", quantization] if quantization else []
    said = call(sys.executable, "-m", "benchmarks.gpu", "--items", "16", "--batches", "256", *more)
    with_cache = next(line.split() for line in said.splitlines() if line.split()[:1] == ["on"])
    assert float(with_cache[-1]) <= 1.02
