"""OpenAI's wire format: what the answer to a request says."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from jobs.engines.budget import Tokens
from judges.prompt import Prompt
from judges.verdict import Reply

# vLLM writes minus infinity as this; JSON has none.
_NEVER = -9999.0
_MOST_TOKENS = 2**31
# What models write around what they think, where the server does not take it out.
_THOUGHT = re.compile(r"\s*<(think|thinking|reasoning)>.*?(?:(?P<closed></\1>)\s*|\Z)", re.DOTALL)


def used(answer: Mapping[str, Any], reckoned: Tokens) -> Tokens:
    """Tokens that the endpoint says it took; ``reckoned`` where it does not say."""
    return Tokens(
        read=_count(answer, "prompt_tokens") or reckoned.read,
        written=_count(answer, "completion_tokens") or reckoned.written,
    )


def _count(answer: Mapping[str, Any], *names: str) -> int | None:
    """A number of tokens below ``usage``; None where there is none, or something else."""
    found: Any = answer.get("usage")
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, int) and not isinstance(found, bool) and 0 <= found < _MOST_TOKENS else None


def read(answer: Mapping[str, Any], prompt: Prompt, seconds: float) -> Reply:
    """The reply in ``answer``; one with an error where it is not what was asked for."""
    try:
        choice = answer["choices"][0]
        logprobs, text, closed = _verdict(choice, prompt)
        return Reply(
            logprobs=logprobs,
            text=printable(text),
            finished=closed and (prompt.draft is None or choice.get("finish_reason") != "length"),
            ended=printable(str(choice.get("finish_reason") or "")),
            prompt_tokens=_count(answer, "prompt_tokens"),
            cached_tokens=_count(answer, "prompt_tokens_details", "cached_tokens"),
            completion_tokens=_count(answer, "completion_tokens"),
            latency_ms=round(seconds * 1000, 3),
        )
    except (KeyError, IndexError, TypeError, AttributeError, ValueError, OverflowError) as error:
        return Reply(error=printable(f"the answer is not in OpenAI's form: {type(error).__name__}: {error}"))


def printable(text: str) -> str:
    """``text`` without halves of characters, which JSON can hold and no file can.

    >>> printable("a" + chr(0xD800))
    'a?'
    """
    return text.encode("utf-8", "replace").decode()


def _verdict(choice: Mapping[str, Any], prompt: Prompt) -> tuple[tuple[float, ...], str, bool]:
    """Log-probabilities, text, and whether what the model thought before it came to an end."""
    if prompt.messages:
        message = choice["message"]
        text, closed = _spoken(str(message.get("content") or message.get("refusal") or ""))
        return (() if prompt.draft else label_logprobs(choice.get("logprobs"), prompt.labels, text)), text, closed
    if prompt.draft:
        return (), str(choice["text"]), True
    return token_logprobs(choice["logprobs"], prompt.allowed), "", True


def _spoken(text: str) -> tuple[str, bool]:
    """``text`` without what a model thought aloud before it, and whether that ended."""
    if (found := _THOUGHT.match(text)) is None:
        return text, True
    return text[found.end() :], found["closed"] is not None


def token_logprobs(found: Mapping[str, Any], allowed: Sequence[int]) -> tuple[float, ...]:
    """Of each allowed token, by its id. Raises ValueError where one is missing: the others would be weighted wrongly.

    >>> token_logprobs({"top_logprobs": [{"token_id:8": -0.5, "token_id:7": -9999.0}]}, (7, 8))
    (-inf, -0.5)
    """
    top = found["top_logprobs"][0]
    names = [f"token_id:{token}" for token in allowed]
    if missing := [name for name in names if name not in top]:
        raise ValueError(
            f"no log-probability of {missing}; this needs vLLM 0.29 or newer behind engine.base_url, or one that was "
            "started with --logprobs-mode processed_logprobs"
        )
    return tuple(top[name] if top[name] > _NEVER else -math.inf for name in names)


def label_logprobs(found: Mapping[str, Any] | None, labels: Sequence[str], text: str) -> tuple[float, ...]:
    """Of each label, summed over the spellings of it among the likeliest tokens; a label that is not there has none.

    Nothing where the endpoint gives no log-probabilities, or that of the written token alone, and where its first
    token is not a label and all of ``text``: then the text is the answer, and whoever reads it says so.

    >>> top = [{"token": t, "logprob": math.log(p)} for t, p in (("A", 0.5), (" A", 0.25), ("The", 0.2))]
    >>> said = {"content": [top[0] | {"top_logprobs": top}]}
    >>> [round(math.exp(x), 6) for x in label_logprobs(said, ("A", "B"), "A")]
    [0.75, 0.0]
    >>> label_logprobs(said, ("A", "B"), "A bit"), label_logprobs({"content": [top[0]]}, ("A", "B"), "A")
    ((), ())
    """
    content = (found or {}).get("content")
    if not content or (label := content[0]["token"].strip()) not in labels or label != text.strip():
        return ()
    written, masses = content[0], dict.fromkeys(labels, 0.0)
    tokens = {entry["token"]: entry["logprob"] for entry in (written, *(written.get("top_logprobs") or ()))}
    if len(tokens) < 2:
        return ()
    for token, logprob in tokens.items():
        if (label := token.strip()) in masses:
            masses[label] += math.exp(logprob)
    return tuple(math.log(mass) if mass > 0 else -math.inf for mass in masses.values())
