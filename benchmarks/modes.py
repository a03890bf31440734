"""Every kind of judge on the real engine: the tokens it computed over those that it had to.

    python -m benchmarks.modes [--items 8]

What must be computed is counted in whole cache blocks over all prompts of a mode, in the order they were asked. Text
that a judge writes itself (reasons, claims) fills the cache too, so a mode with drafts can come out below 1.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.__main__ import demo_samples
from jobs.config import ScorerConfig
from jobs.demo import demo_config
from jobs.engines.vllm import engine_env, engine_kwargs, read_output, sampling_params
from jobs.estimate import count_tokens
from jobs.judging import JudgeSetup, judge_samples
from jobs.prepare import prepare
from judgefleet.ids import IdSet
from judgefleet.sample import Sample
from judgefleet.score import RunContext
from judges.prompt import Prompt
from judges.verdict import Reply

_COMPARE = {"rubric": "support_preference", "variants": ["A", "B"]}
MODES: Mapping[str, Mapping[str, Any]] = {
    "pointwise, last turn": {"use": "judge_pointwise", "rubric": "support_quality"},
    "pointwise, whole trace": {"use": "judge_pointwise", "rubric": "support_quality", "unit": "trace"},
    "pointwise, conversation": {"use": "judge_pointwise", "rubric": "conversation_quality", "unit": "conversation"},
    "pointwise, reason of 32 tokens": {"use": "judge_pointwise", "rubric": "support_quality", "reason_tokens": 32},
    "pairwise, both orders": {"use": "judge_pairwise", **_COMPARE},
    "pairwise with a reference": {"use": "judge_pairwise", **_COMPARE, "rubric": "pairwise_reference"},
    "faithfulness, sentences": {"use": "judge_faithfulness", "claims": "sentences"},
    "faithfulness, claims asked": {"use": "judge_faithfulness"},
}


@dataclass(frozen=True, kw_only=True)
class Measured:
    """``ok`` of ``rows`` have a value; ``least`` tokens must be computed, ``computed`` were."""

    prompts: int
    rows: int
    ok: int
    seconds: float
    computed: int
    least: int


class Recorder:
    """Answers with a plain vllm.LLM, and remembers what it was asked and what it computed."""

    def __init__(self, llm: Any) -> None:
        self._llm = llm
        self.asked: list[Prompt] = []
        self.computed = 0

    def ask(self, prompts: Sequence[Prompt]) -> list[Reply]:
        """One reply a prompt, in order."""
        from vllm import SamplingParams

        tokens = [{"prompt_token_ids": list(prompt.token_ids)} for prompt in prompts]
        params = [SamplingParams(**sampling_params(prompt)) for prompt in prompts]
        outputs = self._llm.generate(tokens, params, use_tqdm=False)
        replies = [read_output(out, prompt, 0.0) for out, prompt in zip(outputs, prompts, strict=True)]
        self.asked += prompts
        self.computed += sum((r.prompt_tokens or 0) - (r.cached_tokens or 0) for r in replies)
        return replies


def measure(llm: Any, setup: JudgeSetup, mode: Mapping[str, Any], samples: Sequence[Sample], block: int) -> Measured:
    """One mode, from an empty cache."""
    judges = replace(setup, scorers=(ScorerConfig.model_validate({"name": "mode", **mode}),)).judges()
    llm.reset_prefix_cache()
    recorder, started = Recorder(llm), time.perf_counter()
    run = RunContext(run_id="modes", job="batch", scored_at=datetime.now(UTC))
    rows = judge_samples(samples, judges, IdSet(), recorder.ask, run)
    return Measured(
        prompts=len(recorder.asked),
        rows=len(rows),
        ok=sum(row["status"] == "ok" for row in rows),
        seconds=time.perf_counter() - started,
        computed=recorder.computed,
        least=count_tokens((prompt.token_ids for prompt in recorder.asked), block).computed,
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=8, help="questions of the example, two answers each")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prepared = prepare(demo_config(Path(folder)))
        setup, engine = prepared.setup, prepared.config.engine
        if setup is None:
            raise SystemExit("configs/demo.yaml has no judge")
        os.environ.update(engine_env(engine))
        from vllm import LLM

        llm = LLM(model=str(setup.models["default"].path), **engine_kwargs(engine))
        samples = demo_samples(prepared, given.items)
        found = {name: measure(llm, setup, mode, samples, engine.block_size) for name, mode in MODES.items()}
    Console(width=110).print(show(found))


def show(found: Mapping[str, Measured]) -> Table:
    """A row a mode."""
    table = Table("mode", "prompts", "rows", "with a value", "seconds", "computed", "must be", "ratio", box=None)
    for name, each in found.items():
        counts = [f"{n:,}" for n in (each.prompts, each.rows, each.ok)]
        tokens = [f"{each.computed:,}", f"{each.least:,}", f"{each.computed / each.least:.3f}"]
        table.add_row(name, *counts, f"{each.seconds:.1f}", *tokens)
    return table


if __name__ == "__main__":
    main()
