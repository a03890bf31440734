"""The model under evaluation: finds the policy sections for a question and answers through vLLM."""

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jobs.answers_config import AnswersConfig
from judgefleet.golden import GoldenItem
from judgefleet.hashing import stable_hash
from judges.checks.policy_citation import Section
from judges.models import ModelFolder


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A policy section as the model sees it; ``score`` is the cosine with the question."""

    id: str
    content: str
    score: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One question under one variant: all that is sent, and how long the retrieval took in seconds."""

    item_id: str
    variant: str
    question: str
    system: str
    turns: tuple[str, ...]
    documents: tuple[Document, ...]
    retrieval_seconds: float
    seed: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What the model wrote, with tokens and seconds as the engine counted them."""

    request: Request
    text: str
    finish_reason: str
    input_tokens: int
    output_tokens: int
    ttft_seconds: float
    total_seconds: float


class Retriever:
    """The ``count`` sections nearest to a question by cosine of their embeddings."""

    def __init__(self, model: ModelFolder, sections: Sequence[Section], count: int) -> None:
        from sentence_transformers import SentenceTransformer

        self._model: Any = SentenceTransformer(str(model.path), device="cpu")
        self._ids = [section.id for section in sections]
        self._texts = [f"[{section.id}] {section.title}\n{section.text}" for section in sections]
        self._vectors = self._model.encode(self._texts, normalize_embeddings=True)
        self._count = count

    def __call__(self, question: str) -> tuple[Document, ...]:
        """The nearest sections, the nearest first; among equals the one that stands first in the policy."""
        scores = self._vectors @ self._model.encode(question, normalize_embeddings=True)
        best = sorted(range(len(scores)), key=lambda i: -scores[i])[: self._count]
        return tuple(Document(id=self._ids[i], content=self._texts[i], score=round(float(scores[i]), 6)) for i in best)


def build_request(config: AnswersConfig, item: GoldenItem, variant: str, retriever: Retriever) -> Request:
    """Retrieve for ``item`` and fill the templates; both variants of an item get the same seed."""
    began = time.perf_counter()
    documents = retriever(item.question)
    seconds = time.perf_counter() - began
    filled = {
        "prompt": config.variants[variant],
        "policy": "\n\n".join(document.content for document in documents),
        "question": item.question,
        "customer_name": item.customer_name or "",
    }
    return Request(
        item_id=item.item_id,
        variant=variant,
        question=item.question,
        system=config.system.format_map(filled),
        turns=tuple(turn.format_map(filled) for turn in config.turns),
        documents=documents,
        retrieval_seconds=seconds,
        seed=int(stable_hash([config.sampling.seed, item.item_id], length=7), 16),
    )


def generate(config: AnswersConfig, model: ModelFolder, requests: Sequence[Request]) -> Iterator[Answer]:
    """Answer ``requests`` through vLLM, ``in_flight`` at a time; one unrecorded answer warms the engine first."""
    engine = _engine(config, model)
    size = config.engine.in_flight
    _chat(engine, config, requests[:1])
    for start in range(0, len(requests), size):
        chunk = requests[start : start + size]
        yield from map(_answer, chunk, _chat(engine, config, chunk))


def _engine(config: AnswersConfig, model: ModelFolder) -> Any:
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", str(config.engine.kv_cache_gib))
    # The default keeps one core for the scheduler: on two cores all threads would share the other.
    os.environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", f"0-{(os.cpu_count() or 1) - 1}")
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
    os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
    from vllm import LLM

    return LLM(
        model=str(model.path),
        dtype=config.engine.dtype,
        max_model_len=config.engine.max_model_len,
        max_num_seqs=config.engine.in_flight,
        max_num_batched_tokens=config.engine.max_num_batched_tokens,
        block_size=config.engine.block_size,
        enforce_eager=True,
        disable_log_stats=False,
    )


def _chat(engine: Any, config: AnswersConfig, requests: Sequence[Request]) -> list[Any]:
    from vllm import SamplingParams

    settings = config.sampling.model_dump(exclude={"seed"})
    messages = [
        [{"role": "system", "content": r.system}, *({"role": "user", "content": turn} for turn in r.turns)]
        for r in requests
    ]
    return list(engine.chat(messages, [SamplingParams(**settings, seed=r.seed) for r in requests], use_tqdm=False))


def _answer(request: Request, output: Any) -> Answer:
    written, times = output.outputs[0], output.metrics
    return Answer(
        request=request,
        text=written.text.strip(),
        finish_reason=written.finish_reason,
        input_tokens=len(output.prompt_token_ids),
        output_tokens=len(written.token_ids),
        ttft_seconds=times.first_token_latency,
        total_seconds=times.first_token_latency + times.last_token_ts - times.first_token_ts,
    )
