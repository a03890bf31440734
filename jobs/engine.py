"""Engines behind one seam: a Ray Data stage that turns prompt rows into rows with a reply."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from jobs.cluster import hushed
from jobs.config import EngineConfig
from jobs.scripted import ERROR, ScriptedEngine
from judges.verdict import Reply

if TYPE_CHECKING:
    from ray.data import Dataset

Stage = Callable[["Dataset"], "Dataset"]
# Prompts that one call of the engine takes; small, because a stage waits for a full batch before it starts.
_BATCH = 32


def engine_stage(config: EngineConfig, model_path: str) -> Stage:
    """The stage for ``config``: rows with ``tokenized_prompt`` and ``sampling_params`` come out with a reply."""
    if config.kind == "vllm":
        return vllm_stage(config, model_path)
    engine = ScriptedEngine(config.scripted_delay_ms)
    return lambda dataset: dataset.map_batches(engine.__call__, batch_size=None, batch_format="pyarrow")


def worker_env(config: EngineConfig) -> dict[str, str]:
    """Environment of every worker. Threads are bound to all cores: the default leaves half of them idle on CPU."""
    return {
        "VLLM_CPU_KVCACHE_SPACE": str(config.kv_cache_gib),
        "VLLM_CPU_OMP_THREADS_BIND": f"0-{(os.cpu_count() or 1) - 1}",
        "VLLM_LOGGING_LEVEL": "WARNING",
        "VLLM_NO_USAGE_STATS": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }


def vllm_stage(config: EngineConfig, model_path: str) -> Stage:
    """vLLM inside the pipeline through ``ray.data.llm``; prompts come tokenised, so only its engine stage runs."""
    with hushed():
        return _vllm_processor(config, model_path)


def _vllm_processor(config: EngineConfig, model_path: str) -> Stage:
    from ray.data.llm import build_processor, vLLMEngineProcessorConfig

    bundle = {"CPU": 1, "GPU": 1} if config.gpus_per_replica else {"CPU": 1}
    processor = vLLMEngineProcessorConfig(
        model_source=model_path,
        engine_kwargs=engine_kwargs(config),
        accelerator_type=config.accelerator,
        placement_group_config={"bundles": [bundle] * max(config.gpus_per_replica, 1)},
        concurrency=config.replicas,
        batch_size=_BATCH,
        max_concurrent_batches=math.ceil(config.max_num_seqs / _BATCH) + 1,
        should_continue_on_error=True,
        log_engine_metrics=False,
        chat_template_stage=False,
        tokenize_stage=False,
        detokenize_stage=False,
        prepare_multimodal_stage=False,
    )
    return build_processor(processor)  # type: ignore[no-any-return]


def engine_kwargs(config: EngineConfig) -> dict[str, Any]:
    """Arguments of the vLLM engine; what the configuration adds by name wins."""
    return {
        "dtype": config.dtype,
        "quantization": config.quantization,
        "max_model_len": config.max_model_len,
        "max_num_seqs": config.max_num_seqs,
        "max_num_batched_tokens": config.max_num_batched_tokens,
        "block_size": config.block_size,
        "enable_prefix_caching": config.prefix_caching,
        "enforce_eager": config.gpus_per_replica == 0,
        "tensor_parallel_size": max(config.gpus_per_replica, 1),
        "logprobs_mode": "processed_logprobs",
        "disable_log_stats": True,
        **config.engine_kwargs,
    }


def sampling_params(allowed: tuple[int, ...]) -> dict[str, Any]:
    """One token out of ``allowed``, greedily, with the log-probability of each."""
    return {"max_tokens": 1, "temperature": 0.0, "logprobs": len(allowed), "allowed_token_ids": list(allowed)}


def read_reply(row: Mapping[str, Any]) -> Reply:
    """What an engine said, in one row that came out of its stage."""
    if row.get(ERROR):
        return Reply(error=row[ERROR])
    tokens = tuple(int(token) for token in row["generated_tokens"])
    return Reply(
        token_ids=tokens,
        logprobs=_first_token(row.get("logprobs")),
        prompt_tokens=int(row["num_input_tokens"]),
        completion_tokens=len(tokens),
        latency_ms=round(float(row["time_taken_llm"]) * 1000, 3),
    )


def _first_token(logprobs: Any) -> dict[int, float]:
    """vLLM gives a mapping a token position; the scripted engine a list of its one position's candidates."""
    if logprobs is None or not len(logprobs):
        return {}
    if "token" in logprobs[0]:
        return {int(found["token"]): float(found["logprob"]) for found in logprobs}
    return {int(token): float(found["logprob"]) for token, found in logprobs[0].items()}
