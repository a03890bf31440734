"""language: the output is in the language that it should be in."""

from collections.abc import Mapping
from importlib.metadata import version

from pydantic import BaseModel, Field, StrictInt, field_validator

from judgefleet.errors import did_you_mean
from judgefleet.sample import Sample
from judgefleet.score import Outcome, Status, failure
from judgefleet.scorer import Need
from judges.checks.base import Check, check_info, failed, passed
from judges.checks.language_guess import (
    NO_LANGUAGE,
    known_languages,
    letters,
    probabilities,
    prose,
    same,
    sum_of,
)

_QUESTION = "question"
# Of a text whose languages are less probable than this, it is not true that no other can occur.
_LEAST = 0.05


class Language(Check):
    """Passes when the output is in the language of the question, or in one of those that ``expected`` names.

    Told by py3langid (Lui and Baldwin 2012) from the first 2000 characters without code, web and mail addresses; one
    language is found even where there are two. Not applicable: a text with fewer than ``min_letters``, and one of which
    no language has the probability ``min_confidence``. The members of a macrolanguage of ISO 639-3 count as one
    (Croatian, Bosnian and Serbian; Indonesian and Malay; Bokmål and Nynorsk; Chinese; Arabic). Probabilities of short
    texts are rough.

    >>> from judgefleet.sample import Sample
    >>> from judgefleet.trace import Message, Trace
    >>> question = Message(role="user", content="Where is my parcel, please?")
    >>> for output in ("It will arrive tomorrow morning.", "Es kommt morgen früh bei Ihnen an.", "Tomorrow."):
    ...     trace = Trace(trace_id="t", messages=(question,), output=output)
    ...     sample = Sample(trace=trace, stratum="all", inclusion_probability=1.0, plan_hash="p")
    ...     print(Language("tongue", Language.Options()).score([sample])[0]["language"].reason)
    found en (0.99), expected en, the language of the question
    found de (0.97), expected en, the language of the question
    the output has 8 letters, too few to tell its language; needed: 12
    """

    EXAMPLE = "expected: [en, de]"

    class Options(BaseModel, extra="forbid", frozen=True):
        """``expected`` is ``question``, or one or more codes (ISO 639-1, or 639-3 where that has none).

        ``among`` are the languages that occur, which makes short texts clearer (default: all that are known); a text
        that is all but surely in another one still is.
        ``min_letters`` is how many letters a text needs; a Chinese, Japanese or Korean character counts as three.
        ``min_confidence`` is the probability that the language of a text must have.
        """

        expected: str | tuple[str, ...] = Field(default=_QUESTION, min_length=1)
        among: tuple[str, ...] = ()
        min_letters: StrictInt = Field(default=12, ge=1)
        min_confidence: float = Field(default=0.6, ge=0.5, le=1)

        @field_validator("expected", "among")
        @classmethod
        def _are_known(cls, given: str | tuple[str, ...]) -> str | tuple[str, ...]:
            codes = (given,) if isinstance(given, str) else given
            for code in codes if given and given != _QUESTION else ():
                if code not in known_languages():
                    raise ValueError(f"no language {code!r}; {did_you_mean(code, known_languages())}")
            return given

    def __init__(self, name: str, options: Options) -> None:
        self.options = options
        self._expected = (options.expected,) if isinstance(options.expected, str) else options.expected
        self._of_question = options.expected == _QUESTION
        self._among = frozenset(map(same, {*options.among, *([] if self._of_question else self._expected)}))
        needs = {Need.OUTPUT} | ({Need.QUESTION} if self._of_question else set())
        config = {**options.model_dump(mode="json"), "py3langid_version": version("py3langid")}
        self.info = check_info(name, use="language", axis="language", config=config, needs=frozenset(needs))

    def check(self, sample: Sample) -> Outcome:
        """Tell the languages, and compare them."""
        expected, why = self._expected, ""
        if self._of_question:
            asked = self._tell(_QUESTION, sample.trace.question or "")
            if isinstance(asked, str):
                return failure(Status.NOT_APPLICABLE, asked)
            expected, why = tuple(asked)[:1], ", the language of the question"
        found = self._tell("output", sample.trace.output or "", expected)
        if isinstance(found, str):
            return failure(Status.NOT_APPLICABLE, found)
        reason = f"found {_shown(found, 1)}, expected {' or '.join(expected)}{why}"
        return passed(reason) if sum_of(found, expected) >= self.options.min_confidence else failed(reason)

    def _tell(self, what: str, text: str, expected: tuple[str, ...] = ()) -> Mapping[str, float] | str:
        """The probabilities of languages, or why nobody can tell."""
        text = prose(text)
        count = letters(text, self.options.min_letters)
        if count < self.options.min_letters:
            return f"the {what} has {count} letters, too few to tell its language; needed: {self.options.min_letters}"
        found = self._possible(probabilities(text))
        if next(iter(found)) == NO_LANGUAGE:
            return f"the {what} looks like no language: {_shown(found, 3)}"
        if max(*found.values(), sum_of(found, expected)) < self.options.min_confidence:
            return f"the language of the {what} is unclear: {_shown(found, 3)}"
        return found

    def _possible(self, found: Mapping[str, float]) -> Mapping[str, float]:
        kept = {code: p for code, p in found.items() if code in self._among or code == NO_LANGUAGE}
        total = sum(kept.values())
        return {code: p / total for code, p in kept.items()} if self.options.among and total > _LEAST else found


def _shown(found: Mapping[str, float], most: int) -> str:
    return ", ".join(f"{code} ({p:.2f})" for code, p in list(found.items())[:most])
