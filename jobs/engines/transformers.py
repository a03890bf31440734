"""Plain forward passes with transformers: where vLLM does not run, and to check what vLLM says."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jobs.engines.config import EngineConfig
from jobs.engines.pool import ActorPool
from jobs.engines.vllm import resolved_dtype
from judges.judge_model import JudgeModel
from judges.prompt import Draft, Prompt
from judges.quiet import quiet_loading
from judges.verdict import Reply


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Prompts for one pass, and where their replies belong: verdicts together, or drafts of one kind."""

    places: tuple[int, ...]
    prompts: tuple[Prompt, ...]
    draft: Draft | None


def batches(prompts: Sequence[Prompt], tokens: int) -> Iterator[Batch]:
    """All of ``prompts``, those of like length together, at most ``tokens`` a batch with their padding.

    >>> asked = [Prompt(token_ids=(1,) * n) for n in (3, 9, 4)]
    >>> [batch.places for batch in batches(asked, tokens=8)]
    [(0, 2), (1,)]
    """
    for draft in dict.fromkeys(prompt.draft for prompt in prompts):
        places = [i for i, prompt in enumerate(prompts) if prompt.draft == draft]
        held: list[int] = []
        for place in sorted(places, key=lambda i: len(prompts[i].token_ids)):
            if held and len(prompts[place].token_ids) * (len(held) + 1) > tokens:
                yield _batch(prompts, held, draft)
                held = []
            held.append(place)
        yield _batch(prompts, held, draft)


def _batch(prompts: Sequence[Prompt], places: Sequence[int], draft: Draft | None) -> Batch:
    return Batch(places=tuple(places), prompts=tuple(prompts[i] for i in places), draft=draft)


class TransformersEngine:
    """A model in this process. No prefix cache: every token of every prompt is computed."""

    def __init__(self, config: EngineConfig, model: JudgeModel) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        # Ray gives an actor one thread; the passes are all it has to do.
        torch.set_num_threads(os.cpu_count() or 1)
        self._device = "cuda" if config.gpus_per_replica else "cpu"
        self._tokens = config.max_num_batched_tokens
        dtype = getattr(torch, resolved_dtype(config))
        with quiet_loading():
            loaded: Any = AutoModelForCausalLM.from_pretrained(model.path, dtype=dtype, **config.engine_kwargs)
            self._tokenizer: Any = AutoTokenizer.from_pretrained(model.path)
        self._model = loaded.to(self._device).eval()

    def ask(self, prompts: Sequence[Prompt]) -> list[Reply]:
        """One reply a prompt, in order."""
        replies: dict[int, Reply] = {}
        for batch in batches(prompts, self._tokens):
            replies.update(zip(batch.places, self._answer(batch), strict=True))
        return [replies[i] for i in range(len(prompts))]

    def _answer(self, batch: Batch) -> list[Reply]:
        import torch

        try:
            with torch.inference_mode():
                return self._drafts(batch, batch.draft) if batch.draft else self._verdicts(batch)
        except Exception as error:  # noqa: BLE001 - whatever a pass raises is the answer to its prompts
            return [Reply(error=f"{type(error).__name__}: {error}")] * len(batch.prompts)

    def _verdicts(self, batch: Batch) -> list[Reply]:
        """The distribution over the whole vocabulary, restricted to what is allowed and scaled to sum to one."""
        import torch

        started = time.perf_counter()
        ids, mask = self._padded(batch)
        places = (mask.cumsum(1) - 1).clamp(min=0)
        logits = self._model(ids, attention_mask=mask, position_ids=places, use_cache=False, logits_to_keep=1).logits
        whole = torch.log_softmax(logits[:, -1].float(), dim=-1)
        seconds = time.perf_counter() - started
        return [
            _reply(prompt, seconds, logprobs=tuple(torch.log_softmax(row[list(prompt.allowed)], dim=0).tolist()))
            for prompt, row in zip(batch.prompts, whole, strict=True)
        ]

    def _drafts(self, batch: Batch, draft: Draft) -> list[Reply]:
        started = time.perf_counter()
        ids, mask = self._padded(batch)
        stops = {"stop_strings": list(draft.stop), "tokenizer": self._tokenizer} if draft.stop else {}
        written = self._model.generate(
            ids,
            attention_mask=mask,
            max_new_tokens=draft.max_tokens,
            do_sample=False,
            pad_token_id=self._padding,
            **stops,
        )
        seconds = time.perf_counter() - started
        return [
            self._written(prompt, draft, row, seconds)
            for prompt, row in zip(batch.prompts, written[:, ids.shape[1] :].tolist(), strict=True)
        ]

    def _written(self, prompt: Prompt, draft: Draft, row: list[int], seconds: float) -> Reply:
        end = next((i + 1 for i, token in enumerate(row) if token in self._ends), None)
        text = self._tokenizer.decode(row[:end], skip_special_tokens=True)
        stopped = min((at for stop in draft.stop if (at := text.find(stop)) >= 0), default=None)
        return _reply(
            prompt,
            seconds,
            text=text[:stopped],
            token_ids=tuple(row[:end]),
            finished=end is not None or stopped is not None,
            completion_tokens=len(row[:end]),
        )

    def _padded(self, batch: Batch) -> tuple[Any, Any]:
        """Token ids and mask, (prompts, longest), padded on the left so that every prompt ends at the last place."""
        import torch

        longest = max(len(prompt.token_ids) for prompt in batch.prompts)
        gaps = [longest - len(prompt.token_ids) for prompt in batch.prompts]
        ids = [[self._padding] * gap + list(prompt.token_ids) for gap, prompt in zip(gaps, batch.prompts, strict=True)]
        mask = [[0] * gap + [1] * (longest - gap) for gap in gaps]
        return torch.tensor(ids, device=self._device), torch.tensor(mask, device=self._device)

    @property
    def _ends(self) -> set[int]:
        found = self._model.generation_config.eos_token_id
        return set(found) if isinstance(found, list) else {found} - {None}

    @property
    def _padding(self) -> int:
        return min(self._ends, default=0)


def _reply(prompt: Prompt, seconds: float, *, completion_tokens: int = 1, **more: Any) -> Reply:
    return Reply(
        prompt_tokens=len(prompt.token_ids),
        cached_tokens=0,
        completion_tokens=completion_tokens,
        latency_ms=round(seconds * 1000, 3),
        **more,
    )


def start_transformers(config: EngineConfig, model: JudgeModel) -> ActorPool:
    """Start ``config.replicas`` actors; returns at once, the first who ask wait until they are up."""
    import ray

    options = {"num_cpus": 1, "num_gpus": config.gpus_per_replica, "accelerator_type": config.accelerator}
    made = ray.remote(TransformersEngine).options(**{k: v for k, v in options.items() if v is not None})
    return ActorPool([made.remote(config, model) for _ in range(config.replicas)])
