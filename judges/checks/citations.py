"""citations: what the output cites stands in the contexts that it was given."""

from collections.abc import Iterator
from typing import Any, Literal, Self

import regex  # type: ignore[import-untyped]
from pydantic import BaseModel, Field, StrictInt, model_validator

from judgefleet.sample import Sample
from judgefleet.score import Outcome, Status, failure
from judgefleet.scorer import Need
from judges.checks.base import Check, check_info
from judges.checks.cited import citation_outcome, find_ids, search_ended
from judges.checks.patterns import compile_python
from judges.checks.unicode_text import plain_hyphens

# [1], [^1], [1, 2], [1; 3], [1-3], and with the brackets and commas of East Asian text.
NUMBERED = r"[\[\u3010]\^?\s*+(\d{1,9}(?:\s*+[,;\uff0c\u3001\uff1b\u2010-\u2013\u2212-]\s*+\d{1,9})*+)\s*+[\]\u3011]"
_BETWEEN = regex.compile(r"[,;\uff0c\u3001\uff1b]")
_RANGE = regex.compile(r"(\d+)\s*-\s*(\d+)")
_LONGEST_RANGE = 100


class Citations(Check):
    r"""Passes when the output has ``min_citations`` different citations, and each refers to a context of the trace.

    ``refer_to: numbers``: contexts count from 1, in the order of the trace; the default pattern finds ``[1]``,
    ``[1, 2]`` and ``[1-3]``, with numbers of up to nine digits, and so also a year or an index in square brackets.
    ``refer_to: ids``: an id is what ``pattern`` finds in the output (its first group, if it has one), and exists when
    ``context_pattern`` (default: the same pattern) finds it anywhere in the contexts. That a context supports what
    cites it is for a judge to say.

    >>> from judgefleet.sample import Sample
    >>> from judgefleet.trace import Trace
    >>> trace = Trace(trace_id="t", output="Free for 30 days [1][3].", contexts=("doc-a: Free.", "doc-b: 30 days."))
    >>> sample = Sample(trace=trace, stratum="all", inclusion_probability=1.0, plan_hash="p")
    >>> Citations("cites", Citations.Options()).score([sample])[0]["cited"].reason
    'unknown: 3'
    >>> options = Citations.Options(refer_to="ids", pattern=r"\[(doc-\w)\]", context_pattern=r"^(doc-\w):")
    >>> Citations("cites", options).score([sample])[0]["cited"].reason
    'no citation'
    """

    EXAMPLE = "min_citations: 1"

    class Options(BaseModel, extra="forbid", frozen=True):
        """``refer_to`` says what a citation names: contexts by number, or ids that stand in them.

        ``pattern`` is what a citation looks like, in the syntax of Python's ``re``; ``^`` and ``$`` are the ends of a
        line. ``context_pattern`` is what an id looks like in the contexts, where that differs.
        ``min_citations`` may be 0: then an answer that cites nothing passes.
        """

        refer_to: Literal["numbers", "ids"] = "numbers"
        pattern: str = Field(default=NUMBERED, min_length=1)
        context_pattern: str | None = Field(default=None, min_length=1)
        min_citations: StrictInt = Field(default=1, ge=0)

        @model_validator(mode="after")
        def _fits(self) -> Self:
            if self.refer_to == "ids" and self.pattern == NUMBERED:
                raise ValueError("refer_to: ids needs a pattern that says what an id looks like")
            if self.refer_to == "numbers" and self.context_pattern is not None:
                raise ValueError("context_pattern belongs to refer_to: ids; numbers count the contexts")
            return self

    def __init__(self, name: str, options: Options) -> None:
        self.options = options
        self._pattern = compile_python(options.pattern, ["multiline"])
        self._context_pattern = compile_python(options.context_pattern or options.pattern, ["multiline"])
        needs = frozenset({Need.OUTPUT, Need.CONTEXTS})
        config = options.model_dump(mode="json")
        self.info = check_info(name, use="citations", axis="cited", config=config, needs=needs)

    def check(self, sample: Sample) -> Outcome:
        """Look up every citation."""
        contexts = sample.trace.contexts
        try:
            found = _find(self._pattern, sample.trace.output or "")
            if self.options.refer_to == "numbers":
                cited = list(dict.fromkeys(number for part in found for number in _numbers(part)))
                return citation_outcome(cited, map(str, range(1, len(contexts) + 1)), self.options.min_citations)
            known = _find(self._context_pattern, "\n".join(contexts))
        except TimeoutError:
            return search_ended()
        if not known:
            return failure(Status.NOT_APPLICABLE, "no id is found in the contexts of the trace")
        return citation_outcome(found, known, self.options.min_citations)


def _find(pattern: Any, text: str) -> list[str]:
    return find_ids(pattern, text, group=1 if pattern.groups else 0)


def _numbers(text: str) -> Iterator[str]:
    """The numbers that ``1, 3-5`` stands for; what is no number stays as it is."""
    for part in _BETWEEN.split(plain_hyphens(text)):
        ends = _RANGE.fullmatch(part.strip())
        low, high = (int(end) for end in ends.groups()) if ends else (0, -1)
        if ends and 0 <= high - low <= _LONGEST_RANGE:
            yield from map(str, range(low, high + 1))
        else:
            yield from (_plain(end) for end in (ends.groups() if ends else [part]))


def _plain(number: str) -> str:
    number = number.strip()
    return str(int(number)) if number.isdecimal() and len(number) < 10 else number
