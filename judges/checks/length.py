"""length: the output has as many words, characters and tokens as it should."""

from typing import Literal, Self, TypeAlias

from pydantic import BaseModel, Field, StrictInt, model_validator

from judgefleet.sample import Sample
from judgefleet.score import Outcome, Status, failure
from judges.checks.base import Check, check_info, failed, passed
from judges.checks.token_count import TokenCounter, load_counter

Unit: TypeAlias = Literal["words", "characters", "tokens"]
UNITS: tuple[Unit, ...] = ("words", "characters", "tokens")
Limits: TypeAlias = tuple[int | None, int | None]


class Length(Check):
    """Passes when the numbers of words, characters and tokens lie between their limits, both included.

    A word is a run of characters without white space, so text in a script that writes none (Chinese, Japanese, Thai)
    counts as few words. A character is a Unicode code point. Tokens are what the trace says the model wrote (which for
    some models counts hidden reasoning too; not applicable where the trace does not say), or are counted with the
    tokenizer of a model: without special tokens at the ends, and with ``<|im_end|>`` in the text as plain characters.

    >>> from judgefleet.sample import Sample
    >>> from judgefleet.trace import Trace
    >>> trace = Trace(trace_id="t", output="Refunds take five days.")
    >>> sample = Sample(trace=trace, stratum="all", inclusion_probability=1.0, plan_hash="p")
    >>> Length("short", Length.Options(max_words=3)).score([sample])[0]["length"].reason
    'found 4 words, allowed: at most 3'
    >>> Length("short", Length.Options(min_words=1, max_characters=80)).score([sample])[0]["length"].reason
    'found 4 words, allowed: at least 1; found 23 characters, allowed: at most 80'
    >>> Length("short", Length.Options(max_tokens=80)).score([sample])[0]["length"].status.value
    'not_applicable'
    """

    EXAMPLE = "max_words: 120"

    class Options(BaseModel, extra="forbid", frozen=True):
        """At least one limit. ``min_words`` and ``max_words`` limit the words.

        ``min_characters`` and ``max_characters`` limit the characters. ``min_tokens`` and ``max_tokens`` limit the
        tokens. ``tokens`` is ``usage`` (default: as the trace says), or the model that counts them: an embedded name, a
        folder with a tokenizer.json, or a hub id.
        """

        min_words: StrictInt | None = Field(default=None, ge=0)
        max_words: StrictInt | None = Field(default=None, ge=0)
        min_characters: StrictInt | None = Field(default=None, ge=0)
        max_characters: StrictInt | None = Field(default=None, ge=0)
        min_tokens: StrictInt | None = Field(default=None, ge=0)
        max_tokens: StrictInt | None = Field(default=None, ge=0)
        tokens: str | None = Field(default=None, min_length=1)

        @model_validator(mode="after")
        def _has_limits(self) -> Self:
            if not self.limits:
                raise ValueError("give min_words, max_words or both (or the same of characters or tokens)")
            for unit, (low, high) in self.limits.items():
                if low is not None and high is not None and low > high:
                    raise ValueError(f"min_{unit} must not be above max_{unit}")
            if self.tokens and "tokens" not in self.limits:
                raise ValueError("tokens says how they are counted; give min_tokens, max_tokens or both as well")
            return self

        @property
        def limits(self) -> dict[Unit, Limits]:
            """The lower and upper limit of each unit that has one."""
            both = {unit: (getattr(self, f"min_{unit}"), getattr(self, f"max_{unit}")) for unit in UNITS}
            return {unit: limits for unit, limits in both.items() if limits != (None, None)}

    def __init__(self, name: str, options: Options) -> None:
        self.options = options
        self._counter = load_counter(options.tokens) if options.tokens not in (None, "usage") else None
        always = {"min_words": options.min_words, "max_words": options.max_words}
        config = options.model_dump(mode="json", exclude_none=True) | always
        if "tokens" in options.limits:
            config |= self._counter.config if self._counter else {"tokens": "usage"}
        self.info = check_info(name, use="length", axis="length", config=config)

    def check(self, sample: Sample) -> Outcome:
        """Count what has limits."""
        counts = _counts(sample, self.options.limits, self._counter)
        if counts.get("tokens", 0) is None:
            return failure(Status.NOT_APPLICABLE, "the trace does not say how many tokens the output has")
        found = [(unit, counts[unit] or 0, limits) for unit, limits in self.options.limits.items()]
        reason = "; ".join(_reason(*one) for one in found)
        return passed(reason) if all(_within(n, limits) for _, n, limits in found) else failed(reason)


def _counts(sample: Sample, units: dict[Unit, Limits], counter: TokenCounter | None) -> dict[Unit, int | None]:
    output = sample.trace.output or ""
    counts: dict[Unit, int | None] = {"words": len(output.split()), "characters": len(output)}
    if "tokens" in units:
        counts["tokens"] = counter.count(output) if counter else _recorded(sample.trace.usage.output_tokens)
    return counts


def _recorded(tokens: object) -> int | None:
    """A trace can hold anything; what is no count says nothing."""
    return tokens if isinstance(tokens, int) and not isinstance(tokens, bool) and tokens >= 0 else None


def _within(count: int, limits: Limits) -> bool:
    low, high = limits
    return (low is None or count >= low) and (high is None or count <= high)


def _reason(unit: Unit, count: int, limits: Limits) -> str:
    low, high = limits
    allowed = [f"at least {low}"] * (low is not None) + [f"at most {high}"] * (high is not None)
    return f"found {count} {unit}, allowed: {' and '.join(allowed)}"
