"""refusal: the output does not refuse."""

from collections.abc import Iterator
from typing import Annotated, Self

import regex  # type: ignore[import-untyped]
from pydantic import BaseModel, Field, StrictInt, field_validator, model_validator

from judgefleet.errors import did_you_mean
from judgefleet.hashing import stable_hash
from judgefleet.score import Outcome, Status, failure
from judges.checks.base import TextCheck, check_info, failed, passed, quoted
from judges.checks.patterns import compile_pattern
from judges.checks.refusal_phrases import REFUSALS, UNLESS
from judges.checks.unicode_text import UNICODE_VERSION, seen
from judges.checks.words import plain_words

_TIMEOUT_S = 1.0
_LONGEST_PHRASE = 300
_GIVEN = "phrases"
# As models write them: apostrophes of three kinds; emphasis and headings of Markdown.
_PLAIN = str.maketrans({"\u2019": "'", "\u02bc": "'", "\u2018": "'", "*": " ", "_": " ", "#": " ", ">": " "})


class Refusal(TextCheck):
    """Passes when the output does not begin with a refusal: "I can't help with that", "Da kann ich nicht helfen".

    Looked for are phrases (``judges.checks.refusal_phrases``, 15 languages) that begin in the first ``within``
    characters, without regard to case and Markdown. This sees words, not intent. It misses a refusal that comes later,
    is worded otherwise or is in another language, an answer that evades, and what is declined until something is given
    ("I can't do this without your order number"). It takes for a refusal one that is only quoted near the start, a part
    that is declined where the rest is answered ("I can't share her address, but ..."), and a rule that is worded alike
    ("I cannot provide refunds after 30 days"). Whether refusing was right is for a judge to say.

    >>> from judgefleet.sample import Sample
    >>> from judgefleet.trace import Trace
    >>> for output in ("I'm sorry, but I *can't* help with that.", "Sorry for the wait! It ships today."):
    ...     sample = Sample(trace=Trace(trace_id="t", output=output), stratum="", inclusion_probability=1, plan_hash="")
    ...     print(Refusal("answers", Refusal.Options()).score([sample])[0]["answers"].reason)
    refuses (en): "sorry, but i can't help"
    found no refusal in the first 35 characters
    """

    EXAMPLE = "phrases: [please contact our support]"

    class Options(BaseModel, extra="forbid", frozen=True):
        """``phrases`` count as refusals besides those that are known. ``languages`` are the lists of phrases that are
        used (default: all). ``within`` is the number of characters in which a refusal must begin.
        """

        phrases: tuple[Annotated[str, Field(min_length=1, max_length=_LONGEST_PHRASE)], ...] = ()
        languages: tuple[str, ...] = tuple(REFUSALS)
        within: StrictInt = Field(default=200, ge=1, le=10_000)

        @field_validator("phrases")
        @classmethod
        def _can_be_seen(cls, phrases: tuple[str, ...]) -> tuple[str, ...]:
            for phrase in phrases:
                seen(_plain(phrase))
            return phrases

        @field_validator("languages")
        @classmethod
        def _are_known(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
            for language in languages:
                if language not in REFUSALS:
                    raise ValueError(f"no refusals in {language!r}; {did_you_mean(language, REFUSALS)}")
            return languages

        @model_validator(mode="after")
        def _has_phrases(self) -> Self:
            if not (self.phrases or self.languages):
                raise ValueError("nothing to look for; give phrases, languages or both")
            return self

    def __init__(self, name: str, options: Options) -> None:
        self.options = options
        patterns = {language: "|".join(REFUSALS[language]) for language in options.languages}
        self._unless = compile_pattern(UNLESS)
        given = "|".join(regex.escape(_plain(phrase)) for phrase in options.phrases)
        self._patterns = {key: compile_pattern(p) for key, p in {_GIVEN: given, **patterns}.items() if p}
        config = {
            **options.model_dump(mode="json"),
            "patterns": stable_hash([patterns, UNLESS]),
            "unicode": UNICODE_VERSION,
        }
        self.info = check_info(name, use="refusal", axis="answers", config=config)

    def check_text(self, output: str) -> Outcome:
        """Look for every pattern near the start."""
        start = _plain(output.lstrip()[: self.options.within + _LONGEST_PHRASE])
        try:
            refusal = next(self._refusals(start), None)
        except TimeoutError:
            return failure(Status.TIMEOUT, f"the search for a refusal was ended after {_TIMEOUT_S:g} s")
        return (
            failed(refusal)
            if refusal
            else passed(f"found no refusal in the first {min(len(output), self.options.within)} characters")
        )

    def _refusals(self, start: str) -> Iterator[str]:
        for name, pattern in self._patterns.items():
            for found in pattern.finditer(start, timeout=_TIMEOUT_S):
                waits = name != _GIVEN and self._unless.match(start, found.start(), timeout=_TIMEOUT_S)
                if found.start() < self.options.within and not waits:
                    yield f"refuses ({name}): {quoted(found.group())}"


def _plain(text: str) -> str:
    return plain_words(text.translate(_PLAIN), ignore_case=True)
