"""OpenAI's wire format: what a prompt is as a request."""

import math
from collections.abc import Mapping
from typing import Any

from jobs.engines.budget import Tokens
from jobs.engines.config import EngineConfig
from judges.message_writer import CHARACTERS_A_TOKEN
from judges.prompt import Draft, Prompt

# Raise it when the same answer would be read otherwise: it is part of what a judge is.
WIRE_VERSION = "2"
_CHAT, _COMPLETIONS = "/chat/completions", "/completions"
_MOST_TOP = 20
# vLLM 0.29 gathers the log-probabilities of at most so many named tokens.
_MOST_NAMED = 128
_WORDS_AROUND = 8


def request(prompt: Prompt, config: EngineConfig, model: str) -> tuple[str, dict[str, Any]]:
    """Path and body of the request for ``prompt``; what ``extra_body`` sets wins, its nulls leave a part out."""
    path, body = (_CHAT, _chat(prompt, config)) if prompt.messages else (_COMPLETIONS, _tokens(prompt))
    whole = {"model": model, "temperature": 0.0, **body, **config.extra_body}
    return path, {name: value for name, value in whole.items() if value is not None}


def _chat(prompt: Prompt, config: EngineConfig) -> dict[str, Any]:
    messages = [{"role": m.role, "content": m.content} for m in prompt.messages]
    if prompt.draft:
        return {"messages": messages, **_draft(prompt.draft)}
    if config.logprobs:
        return {"messages": messages, "max_tokens": 1, "logprobs": True, "top_logprobs": _MOST_TOP}
    return {"messages": messages, "max_tokens": max(map(len, prompt.labels)) + _WORDS_AROUND}


def _tokens(prompt: Prompt) -> dict[str, Any]:
    """vLLM's own parameters beside OpenAI's: the label tokens by id, whatever is likeliest beside them."""
    if prompt.draft:
        return {"prompt": list(prompt.token_ids), **_draft(prompt.draft)}
    allowed = list(prompt.allowed)
    return {
        "prompt": list(prompt.token_ids),
        "max_tokens": 1,
        "allowed_token_ids": allowed,
        "logprobs": len(allowed),
        # Without these names a server in its default mode, raw_logprobs, answers with its likeliest tokens.
        "logprob_token_ids": allowed if len(allowed) <= _MOST_NAMED else None,
        "return_tokens_as_token_ids": True,
    }


def _draft(draft: Draft) -> dict[str, Any]:
    return {"max_tokens": draft.max_tokens, "stop": list(draft.stop) or None}


def size(prompt: Prompt, body: Mapping[str, Any]) -> Tokens:
    """Tokens that a request will take at most; those of messages are reckoned from their length."""
    characters = sum(len(message.content) for message in prompt.messages)
    written = body.get("max_tokens") or body.get("max_completion_tokens") or 0
    return Tokens(read=len(prompt.token_ids) or math.ceil(characters / CHARACTERS_A_TOKEN), written=int(written))
