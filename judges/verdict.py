"""Verdict: from what an engine replied to a distribution over the allowed labels, or to a reason why not."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from judgefleet.score import Outcome, Status, failure


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What any engine returns for one prompt. ``logprobs``: natural logs for the first token's candidates, by id."""

    token_ids: tuple[int, ...] = ()
    logprobs: Mapping[int, float] = field(default_factory=dict)
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None
    latency_ms: float | None = None
    error: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The distribution over labels (sums to 1), or the failure that stands in its place."""

    probabilities: Mapping[str, float] = field(default_factory=dict)
    failure: Outcome | None = None

    @property
    def label(self) -> str:
        """The likeliest label; the first in scale order where two are alike."""
        return max(self.probabilities, key=lambda label: self.probabilities[label])


def read_verdict(reply: Reply, labels: Sequence[str], allowed: Sequence[int]) -> Verdict:
    """The label distribution of one guided token.

    Probabilities are rounded to 6 decimals: what lies below that is noise of the engine's arithmetic.

    >>> reply = Reply(token_ids=(7,), logprobs={7: math.log(0.75), 8: math.log(0.25)})
    >>> read_verdict(reply, ["yes", "no"], [7, 8]).probabilities
    {'yes': 0.75, 'no': 0.25}
    >>> read_verdict(Reply(token_ids=(9,)), ["yes", "no"], [7, 8]).failure.status.value
    'off_scale'
    """
    if reply.error is not None:
        status = Status.TIMEOUT if "timeout" in reply.error.lower() else Status.ENGINE_ERROR
        return Verdict(failure=failure(status, reply.error))
    if not reply.token_ids:
        return Verdict(failure=failure(Status.UNPARSED, "the engine returned no token"))
    if reply.token_ids[0] not in allowed:
        return Verdict(failure=failure(Status.OFF_SCALE, f"token {reply.token_ids[0]} is none of {list(labels)}"))
    masses = [math.exp(reply.logprobs.get(token, -math.inf)) for token in allowed]
    total = sum(masses)
    if not total > 0:
        return Verdict(failure=failure(Status.UNPARSED, "the engine returned no log-probabilities"))
    return Verdict(probabilities={label: round(m / total, 6) for label, m in zip(labels, masses, strict=True)})


def usage(replies: Sequence[Reply]) -> dict[str, int | float | None]:
    """Tokens and latency of the prompts behind one score: sums; None where an engine does not say."""
    names = ("prompt_tokens", "cached_tokens", "completion_tokens", "latency_ms")
    columns = {name: [getattr(reply, name) for reply in replies] for name in names}
    return {name: None if None in column else sum(column) for name, column in columns.items()}
