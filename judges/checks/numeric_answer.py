"""numeric_answer: the number that the output ends in is the expected one, within a tolerance."""

import unicodedata
from fractions import Fraction
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BaseModel, Field, StrictInt, model_validator

from judgefleet.sample import Sample
from judgefleet.score import Outcome, Status, failure
from judgefleet.scorer import Need
from judges.checks.base import Check, check_info, failed, passed, quoted, readable
from judges.checks.number_marks import plain_marks
from judges.checks.number_place import NumberPlace, Place
from judges.checks.number_text import TIMEOUT_S, Notation, Number
from judges.checks.patterns import compile_python

Finite: TypeAlias = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class NumericAnswer(Check):
    r"""Passes when the number in the output is the expected one: ``|found - expected| <= tolerance``, computed exactly.

    The last number of the output counts, or the first; with ``marker`` the first one that follows the mark, as in the
    answers of GSM8K (Cobbe et al. 2021, ``#### 18``). The reference may hold one number, or more and the mark. Read are
    signs, thousands separators (also ``1{,}250`` and ``1\,250``), currencies (signs, codes of ISO 4217), percent,
    ``1.5e3``, ``2 x 10^3``, ``2^10``, ``3/4``, ``\frac{3}{4}``, ``1½``, and the digits and marks of any script. Number
    words are not read, so that ``1.2 million`` is 1.2, and nothing is worked out: the last number of ``3 x 4`` is 4. An
    output without a number fails. One whose number can be read in several ways (``1,5`` where the decimal mark is a
    point, ``3 1/2``, a date in figures), or is part of a root, of another LaTeX fraction, of a power with letters or of
    a multiple of ``pi``, has the status ``unparsed``. A search for numbers that takes longer than two seconds has the
    status ``timeout``.

    >>> from judgefleet.sample import Sample
    >>> from judgefleet.trace import Trace
    >>> trace = Trace(trace_id="t", output="4 boxes at $312.50 each make $1,250.", reference="1250")
    >>> sample = Sample(trace=trace, stratum="all", inclusion_probability=1.0, plan_hash="p")
    >>> NumericAnswer("sum", NumericAnswer.Options()).score([sample])[0]["correct"].reason
    "found '$1,250', expected 1250"
    >>> options = NumericAnswer.Options(expected=1300, relative_tolerance=0.05)
    >>> NumericAnswer("sum", options).score([sample])[0]["correct"].label
    'pass'
    """

    EXAMPLE = "marker: '####', relative_tolerance: 0.001"

    class Options(BaseModel, extra="forbid", frozen=True):
        """``expected`` is the right number; without it the reference of each trace holds it.

        ``absolute_tolerance`` is how far the number may be from the expected one. ``relative_tolerance`` is the same as
        a part of the expected number (0.01: one percent); the larger of the two counts. ``answer`` says which number
        counts, or with ``marker`` which mark. ``marker`` is what stands before the answer, in the syntax of Python's
        ``re`` (``'####'``, ``'(?i)answer:'``, ``'\\\\boxed'``). ``decimal`` is the decimal mark of output and
        reference. ``thousands`` are the characters that may separate groups of digits (default: all that are in use
        with that decimal mark; a plain space only with a comma). ``percent`` says what ``50%`` is: 50 (``ignore``) or
        0.5 (``divide``).
        """

        expected: StrictInt | Finite | None = None
        absolute_tolerance: float = Field(default=0.0, ge=0, allow_inf_nan=False)
        relative_tolerance: float = Field(default=0.0, ge=0, allow_inf_nan=False)
        answer: Place = "last"
        marker: str | None = Field(default=None, min_length=1)
        decimal: Literal[".", ","] = "."
        thousands: str | None = Field(default=None, max_length=10)
        percent: Literal["ignore", "divide"] = "ignore"

        @model_validator(mode="after")
        def _separates(self) -> Self:
            for c in plain_marks(self.thousands or ""):
                if c == self.decimal or unicodedata.category(c)[0] not in "PZS" or c in "-+/:":
                    raise ValueError(f"thousands: found {c!r}; allowed: marks and spaces other than decimal, - + / :")
            return self

    def __init__(self, name: str, options: Options) -> None:
        self.options = options
        notation = Notation(decimal=options.decimal, thousands=options.thousands, percent=options.percent)
        marker = None if options.marker is None else compile_python(options.marker)
        self._place = NumberPlace(notation=notation, place=options.answer, marker=marker)
        self._expected = None if options.expected is None else _number(options.expected)
        needs = {Need.OUTPUT} | ({Need.REFERENCE} if options.expected is None else set())
        config = options.model_dump(mode="json")
        self.info = check_info(name, use="numeric_answer", axis="correct", config=config, needs=frozenset(needs))

    def check(self, sample: Sample) -> Outcome:
        """Read both numbers and compare them."""
        try:
            expected = self._expected or self._place.in_reference(sample.trace.reference or "")
            if isinstance(expected, str):
                return failure(Status.NOT_APPLICABLE, readable(expected))
            return self._compare(self._place.in_output(sample.trace.output or ""), expected)
        except TimeoutError:
            return failure(Status.TIMEOUT, f"the search for a number was ended after {TIMEOUT_S:g} s")

    def _compare(self, found: Number | str, expected: Number) -> Outcome:
        if isinstance(found, str):
            return failed(found)
        if found.value is None:
            what = f"found {quoted(found.text)}, no clear number with {self.options.decimal!r} as the decimal mark"
            return failure(Status.UNPARSED, readable(f"{what}; see the options decimal and thousands"))
        reason = f"found {quoted(found.text)}, expected {expected.text[:60]}{self._allowed}"
        return passed(reason) if self._is_near(found.value, expected.value or Fraction(0)) else failed(reason)

    def _is_near(self, found: Fraction, expected: Fraction) -> bool:
        options = self.options
        relative = Fraction(str(options.relative_tolerance)) * abs(expected)
        return abs(found - expected) <= max(Fraction(str(options.absolute_tolerance)), relative)

    @property
    def _allowed(self) -> str:
        fixed, part = self.options.absolute_tolerance, self.options.relative_tolerance
        given = [f"{fixed:g}"] * bool(fixed) + [f"{part:g} of it"] * bool(part)
        return f", allowed: {' or '.join(given)} more or less" if given else ""


def _number(value: int | float) -> Number:
    return Number(text=str(value), value=Fraction(str(value)))
