"""length: the output has as many words as it should."""

from typing import Self

from pydantic import BaseModel, Field, model_validator

from judgefleet.score import Outcome
from judges.checks.base import Check, check_info, failed, passed


class Length(Check):
    """Passes when the number of words lies between ``min_words`` and ``max_words``, both included.

    A word is a run of characters without white space, so text in a script that writes none (Chinese, Japanese, Thai)
    counts as few words.

    >>> from judgefleet.sample import Sample
    >>> from judgefleet.trace import Trace
    >>> trace = Trace(trace_id="t", output="Refunds take five days.")
    >>> sample = Sample(trace=trace, stratum="all", inclusion_probability=1.0, plan_hash="p")
    >>> Length("short", Length.Options(max_words=3)).score([sample])[0]["length"].reason
    'found 4 words, allowed: at most 3'
    """

    class Options(BaseModel, extra="forbid", frozen=True):
        """At least one of the two limits."""

        min_words: int | None = Field(default=None, ge=0)
        max_words: int | None = Field(default=None, ge=0)

        @model_validator(mode="after")
        def _has_limits(self) -> Self:
            if self.min_words is None and self.max_words is None:
                raise ValueError("give min_words, max_words or both")
            if self.min_words is not None and self.max_words is not None and self.min_words > self.max_words:
                raise ValueError("min_words must not be above max_words")
            return self

    def __init__(self, name: str, options: Options) -> None:
        self.options = options
        self.info = check_info(name, use="length", axis="length", config=options.model_dump(mode="json"))

    def check(self, output: str) -> Outcome:
        """Count the words."""
        low, high, words = self.options.min_words, self.options.max_words, len(output.split())
        limits = [f"at least {low}"] * (low is not None) + [f"at most {high}"] * (high is not None)
        reason = f"found {words} words, allowed: {' and '.join(limits)}"
        good = (low is None or words >= low) and (high is None or words <= high)
        return passed(reason) if good else failed(reason)
