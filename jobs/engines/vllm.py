"""vLLM in the pipeline: engines that stay up as Ray actors while chunks of prompts come and go."""

from __future__ import annotations

import asyncio
import itertools
import math
import os
import time
from collections.abc import Sequence
from typing import Any

from jobs.engines.config import EngineConfig
from jobs.engines.pool import ActorPool
from judges.judge_model import JudgeModel
from judges.prompt import Prompt
from judges.verdict import Reply

# Labels of a scale that are one token each; vLLM's own bound of 20 is too small for 0 to 100.
_MOST_LABELS = 1024


def engine_env(config: EngineConfig) -> dict[str, str]:
    """Environment of an engine's process. Threads are bound to all cores: by default half of them idle on CPU."""
    return {
        "VLLM_CPU_KVCACHE_SPACE": str(config.kv_cache_gib),
        "VLLM_CPU_OMP_THREADS_BIND": f"0-{(os.cpu_count() or 1) - 1}",
        "VLLM_LOGGING_LEVEL": "WARNING",
        "VLLM_NO_USAGE_STATS": "1",
    }


def resolved_dtype(config: EngineConfig) -> str:
    """The number format of the weights; processors without AVX-512 multiply bfloat16 far slower than float32."""
    if config.kind == "openai":
        return "as served"
    if config.dtype != "auto" or config.kind == "scripted":
        return config.dtype
    import torch

    fast = config.gpus_per_replica > 0 or torch.backends.cpu.get_cpu_capability() == "AVX512"
    return "bfloat16" if fast else "float32"


def engine_kwargs(config: EngineConfig) -> dict[str, Any]:
    """Arguments of the vLLM engine; what the configuration adds by name wins."""
    return {
        "dtype": resolved_dtype(config),
        "quantization": config.quantization,
        "max_model_len": config.max_model_len,
        "max_num_seqs": config.max_num_seqs,
        "max_num_batched_tokens": config.max_num_batched_tokens,
        "block_size": config.block_size,
        "enable_prefix_caching": config.prefix_caching,
        "enforce_eager": config.gpus_per_replica == 0,
        "tensor_parallel_size": max(config.gpus_per_replica, 1),
        # The GPUs of a replica are on one node, and Ray has given them to the actor already.
        "distributed_executor_backend": "mp" if config.gpus_per_replica > 1 else None,
        "logprobs_mode": "processed_logprobs",
        "max_logprobs": _MOST_LABELS,
        "disable_log_stats": True,
        **config.engine_kwargs,
    }


def sampling_params(prompt: Prompt) -> dict[str, Any]:
    """One token out of those allowed, greedily, with the log-probability of each; or a draft, greedily."""
    if prompt.draft:
        return {"max_tokens": prompt.draft.max_tokens, "temperature": 0.0, "stop": list(prompt.draft.stop)}
    return {
        "max_tokens": 1,
        "temperature": 0.0,
        "logprobs": len(prompt.allowed),
        "allowed_token_ids": list(prompt.allowed),
        "detokenize": False,
    }


class VllmActor:
    """One engine in one process of its own; asked by many at once, it batches as it goes."""

    def __init__(self, model: str, kwargs: dict[str, Any]) -> None:
        from vllm import AsyncEngineArgs
        from vllm.v1.engine.async_llm import AsyncLLM

        self._engine: Any = AsyncLLM.from_engine_args(AsyncEngineArgs(model=model, **kwargs))
        self._number = itertools.count()

    async def ask(self, prompts: Sequence[Prompt]) -> list[Reply]:
        """All prompts at once, in order: those that share a prefix meet in the cache."""
        return list(await asyncio.gather(*map(self._ask, prompts)))

    async def _ask(self, prompt: Prompt) -> Reply:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind
        from vllm.v1.engine.exceptions import EngineDeadError

        started = time.perf_counter()
        params = SamplingParams(**sampling_params(prompt), output_kind=RequestOutputKind.FINAL_ONLY)
        try:
            tokens = {"prompt_token_ids": list(prompt.token_ids)}
            [output] = [out async for out in self._engine.generate(tokens, params, str(next(self._number)))]
        except EngineDeadError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever an engine raises about one prompt is the reply to it
            return Reply(error=f"{type(error).__name__}: {error}")
        return read_output(output, prompt, time.perf_counter() - started)

    async def reset_prefix_cache(self) -> None:
        """Forget every prefix; for measuring."""
        await self._engine.reset_prefix_cache()


def read_output(output: Any, prompt: Prompt, seconds: float) -> Reply:
    """What vLLM said to one prompt."""
    written = output.outputs[0]
    found = (written.logprobs or [{}])[0]
    logprobs = (found[token].logprob if token in found else -math.inf for token in prompt.allowed)
    return Reply(
        logprobs=() if prompt.draft else tuple(logprobs),
        text=written.text if prompt.draft else "",
        token_ids=tuple(written.token_ids),
        finished=prompt.draft is None or written.finish_reason != "length",
        prompt_tokens=len(output.prompt_token_ids),
        cached_tokens=output.num_cached_tokens,
        completion_tokens=len(written.token_ids),
        latency_ms=round(seconds * 1000, 3),
    )


class VllmPool(ActorPool):
    """Replicas of one vLLM engine."""

    def reset_prefix_cache(self) -> None:
        """Forget every prefix on every replica; for measuring."""
        import ray

        ray.get([actor.reset_prefix_cache.remote() for actor in self._actors])


def start_vllm(config: EngineConfig, model: JudgeModel) -> VllmPool:
    """Start ``config.replicas`` engines; returns at once, the first who ask wait until they are up."""
    import ray

    options = {
        "num_cpus": 1,
        "num_gpus": config.gpus_per_replica,
        "accelerator_type": config.accelerator,
        "max_concurrency": 1000,
        "runtime_env": {"env_vars": engine_env(config)},
    }
    made = ray.remote(VllmActor).options(**{k: v for k, v in options.items() if v is not None})
    return VllmPool([made.remote(str(model.path), engine_kwargs(config)) for _ in range(config.replicas)])
