"""exact_match: the output is the expected text."""

from collections.abc import Callable
from typing import Literal

from pydantic import BaseModel, Field

from judgefleet.errors import ConfigError
from judgefleet.sample import Sample
from judgefleet.score import Outcome, Status, failure
from judgefleet.scorer import Need
from judges.checks.base import Check, check_info, failed, passed, quoted
from judges.checks.normalise import Normalisation, squad
from judges.checks.unicode_text import UNICODE_VERSION


class ExactMatch(Check):
    """Passes when the output equals the trace's reference, or one of the texts in ``expected``.

    Both are normalised first; by default to NFC without white space at the ends. ``normalise: squad`` is the rule of
    the SQuAD 1.1 evaluation script. A reference of which the rule leaves nothing is not applicable.

    >>> from judgefleet.sample import Sample
    >>> from judgefleet.trace import Trace
    >>> trace = Trace(trace_id="t", output="the Eiffel Tower.\\n", reference="Eiffel Tower")
    >>> sample = Sample(trace=trace, stratum="all", inclusion_probability=1.0, plan_hash="p")
    >>> ExactMatch("same", ExactMatch.Options(normalise="squad")).score([sample])[0]["match"].reason
    'equals the reference'
    >>> ExactMatch("same", ExactMatch.Options()).score([sample])[0]["match"].reason
    "differs from the reference at character 0: found 'the Eiffel Tower.', expected 'Eiffel Tower'"
    """

    EXAMPLE = "normalise: squad"

    class Options(BaseModel, extra="forbid", frozen=True):
        """``expected`` is one text or several; without it the reference of each trace is what is expected.

        ``normalise`` is ``squad``, or a mapping of what may differ: ``unicode`` (keep, NFC, NFKC), ``ignore_case``
        (true, false), ``punctuation`` (keep, or leave out: ascii, all), ``articles`` (words to leave out),
        ``whitespace`` (keep, trim at the ends, collapse to single spaces).
        """

        expected: str | tuple[str, ...] | None = Field(default=None, min_length=1)
        normalise: Literal["squad"] | Normalisation = Normalisation()

    def __init__(self, name: str, options: Options) -> None:
        self.options = options
        self._expected = self._read_expected()
        needs = {Need.OUTPUT} | ({Need.REFERENCE} if options.expected is None else set())
        config = {**options.model_dump(mode="json"), "unicode_version": UNICODE_VERSION}
        self.info = check_info(name, use="exact_match", axis="match", config=config, needs=frozenset(needs))

    def check(self, sample: Sample) -> Outcome:
        """Compare after normalisation."""
        found = self._normal(sample.trace.output or "")
        if self._expected:
            return _compare_with_all(found, self._expected)
        wanted = self._normal(sample.trace.reference or "")
        if not wanted:
            return failure(Status.NOT_APPLICABLE, "nothing of the reference is left to compare with")
        if found == wanted:
            return passed("equals the reference")
        return failed(_difference("the reference", found, wanted))

    @property
    def _normal(self) -> Callable[[str], str]:
        rule = self.options.normalise
        return squad if rule == "squad" else rule.apply

    def _read_expected(self) -> tuple[str, ...]:
        given = self.options.expected
        texts = (given,) if isinstance(given, str) else given or ()
        for text in texts:
            if not self._normal(text):
                raise ConfigError(f"expected: nothing of {text!r} is left once normalised; give a text with content")
        return tuple(self._normal(text) for text in texts)


def _compare_with_all(found: str, expected: tuple[str, ...]) -> Outcome:
    if found in expected:
        return passed(f"equals {quoted(found)}")
    if len(expected) == 1:
        return failed(_difference("what is expected", found, expected[0]))
    return failed(f"found {quoted(found)}, which is none of the {len(expected)} expected texts")


def _difference(name: str, found: str, wanted: str) -> str:
    pairs = enumerate(zip(found, wanted, strict=False))
    place = next((i for i, (a, b) in pairs if a != b), min(len(found), len(wanted)))
    # A little before the place, so that the words around it can be recognised.
    start = max(0, place - 20)
    shown = f"found {quoted(found[start:])}, expected {quoted(wanted[start:])}"
    return f"differs from {name} at character {place}: {shown}"
