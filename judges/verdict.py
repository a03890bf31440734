"""Verdict: what a judge said, as a distribution over the allowed labels or a reason why there is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from judgefleet.score import Outcome, Status, failure


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What any engine returns for one prompt.

    ``logprobs``: the natural logarithm of the probability of each of the prompt's labels, in their order; empty where
    an engine offers none. ``text`` and ``token_ids``: what was written. ``finished`` is false where it was cut off.
    ``ended``: why writing ended, in the engine's words, where it has any.
    """

    logprobs: tuple[float, ...] = ()
    text: str = ""
    token_ids: tuple[int, ...] = ()
    finished: bool = True
    ended: str = ""
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None
    latency_ms: float | None = None
    error: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The distribution over labels (sums to 1), or the failure that stands in its place.

    Values are computed from ``probabilities``; rows have ``shown``, to 6 decimals: what lies below that is noise of an
    engine's arithmetic for any one label, and still a part of a mean over hundreds.

    ``weighted`` is false where the engine offered no probabilities: all mass is on the one label that was said.
    """

    probabilities: Mapping[str, float] = field(default_factory=dict)
    weighted: bool = True
    failure: Outcome | None = None

    @property
    def shown(self) -> dict[str, float]:
        """``probabilities`` as rows have them; none where the engine offered none."""
        return {label: round(mass, 6) for label, mass in self.probabilities.items()} if self.weighted else {}

    @property
    def label(self) -> str:
        """The likeliest label; the first in scale order where two are alike."""
        return max(self.probabilities, key=lambda label: round(self.probabilities[label], 6))


def no_verdict(status: Status, reason: str) -> Verdict:
    """A verdict that did not come about."""
    return Verdict(failure=failure(status, reason))


def reply_failure(reply: Reply) -> Verdict | None:
    """The failure that an engine reported, or None.

    >>> reply_failure(Reply(error="Timeout after 3 s")).failure.status.value
    'timeout'
    """
    if reply.error is None:
        return None
    return no_verdict(Status.TIMEOUT if "timeout" in reply.error.lower() else Status.ENGINE_ERROR, reply.error)


def usage(replies: Sequence[Reply]) -> dict[str, int | float | None]:
    """Tokens and latency of the prompts behind one score: sums; None where an engine does not say."""
    names = ("prompt_tokens", "cached_tokens", "completion_tokens", "latency_ms")
    columns = {name: [getattr(reply, name) for reply in replies] for name in names}
    return {name: None if None in column else sum(column) for name, column in columns.items()}
