"""Numbers as people write them: signs, thousands separators, currencies, percent, powers of ten."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal

import regex  # type: ignore[import-untyped]

TIMEOUT_S = 2.0

_NO_BREAK = "\u00a0\u2007\u2009\u202f"
_APOSTROPHES = "'\u2019"
THOUSANDS = {".": f",_{_APOSTROPHES}{_NO_BREAK}", ",": f"._ {_APOSTROPHES}{_NO_BREAK}"}
_MINUS = "-\u2212\u2013\uff0d"
_SUPERSCRIPT = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"
_PLAIN = str.maketrans(_SUPERSCRIPT + "\u207b\u2212\u2013\uff0d", "0123456789----")
# Characters that stand between the digits of one number, or of one date, time, version or list that is no number.
_INNER = f".,_/:{_APOSTROPHES}"
_LONGEST = 1000
_HIGHEST_POWER = 5000


@dataclass(frozen=True, kw_only=True, slots=True)
class Number:
    """What stands in the text, and its exact value; None where the notation gives it none."""

    text: str
    value: Fraction | None


@dataclass(frozen=True, kw_only=True)
class Notation:
    """How numbers are written. ``thousands`` holds every character that may separate groups of digits.

    A fraction (``3/4``) is one number. What could be read in several ways has no value: ``1,5`` with a decimal point,
    ``3 000`` with a space that was not said to separate groups, ``3 1/2``, ``012``, a date, a time, a version.

    >>> [str(n.value) for n in Notation(decimal=",").read("-1.234,50 EUR, also 3,2e3")]
    ['-2469/2', '3200']
    >>> [str(n.value) for n in Notation().read("3-5 of 1,234; 1,5 of A4")]
    ['3', '5', '1234', 'None']
    """

    decimal: Literal[".", ","] = "."
    thousands: str | None = None
    percent: Literal["ignore", "divide"] = "ignore"

    def read(self, text: str) -> Iterator[Number]:
        """Every number in ``text``, in order. Raises TimeoutError after two seconds."""
        for found in self._pattern.finditer(text, timeout=TIMEOUT_S):
            yield Number(text=found.group().strip(), value=self._value(found))

    @cached_property
    def _pattern(self) -> Any:
        thousands = THOUSANDS[self.decimal] if self.thousands is None else self.thousands
        unclear = r"\d{1,3} (?: \ \d{3}(?!\d) )++ |" if self.thousands is None and " " not in thousands else ""
        return regex.compile(_pattern(self.decimal, thousands, unclear), regex.VERBOSE)

    def _value(self, found: Any) -> Fraction | None:
        power = (found["power"] or "0").translate(_PLAIN)
        if len(found.group()) > _LONGEST or len(power) > 5 or abs(int(power)) > _HIGHEST_POWER:
            return None
        written = _written(found)
        per_cent = 100 if found["percent"] and self.percent == "divide" else 1
        sign = -1 if found["minus"] else 1
        return None if written is None else sign * written * Fraction(10) ** int(power) / per_cent


def _written(found: Any) -> Fraction | None:
    """The number before its sign, power and percent."""
    if found["numerator"]:
        below = int(found["denominator"])
        return Fraction(int(found["numerator"]), below) if below else None
    whole = "".join(c for c in found["whole"] or "0" if c.isdigit())
    is_code = len(whole) > 1 and unicodedata.digit(whole[0]) == 0
    if is_code or not (found["whole"] or found["fraction"]):
        return None
    return Fraction(f"{whole}.{found['fraction'] or '0'}")


_LETTER = r"[\p{Latin}\p{Greek}\p{Cyrillic}]"
# A hyphen after a word or number is no minus: GPT-4, 3-5.
_SIGN = rf"(?: (?<! [\w)\]%.,] ) (?P<minus>[{_MINUS}]) | \+ )"
# Digits right after a letter belong to a name (A4, H2O, GPT-4), except after the code of a currency.
_START = rf"""(?: (?<! {_LETTER} | {_LETTER}- | \d | \d[{_INNER}] )
    | (?<= \b(?: EUR|USD|GBP|CHF|JPY|CNY|INR|Rs\.? ) ) )"""
_POWER = rf"""(?: [eE](?P<power>[+{_MINUS}]?\d++)(?!\w)
    | \s?(?: [\u00d7x*\u00b7] | \\times | \\cdot )\s?10
      (?: (?: \^ | \*\* )\{{?(?P<power>[+{_MINUS}]?\d++)\}}? | (?P<power>\u207b?[{_SUPERSCRIPT}]++) ) )"""


def _pattern(decimal: str, thousands: str, unclear: str) -> str:
    point, groups = regex.escape(decimal), "".join(rf"\{c}" for c in thousands)
    grouped = rf"\d{{1,3}} (?P<s>[{groups}]) \d{{3}}(?!\d) (?: (?P=s) \d{{3}}(?!\d) )*+ |" if groups else ""
    # 12,34,567 as written in India.
    lakhs = r"\d{1,2} (?: ,\d{2}(?!\d) )++ ,\d{3}(?!\d) |" if "," in thousands else ""
    return rf"""
        {_SIGN}? (?: \p{{Sc}}\s?{_SIGN}? )?
        {_START}
        (?: \d++ \ \d++ / \d++ | {unclear}
            (?: (?<! \d\ ) (?P<numerator> (?!0\d)\d++ ) / (?P<denominator> (?!0\d)\d++ ) (?! [{_INNER}]\d )
              | (?P<whole> {grouped} {lakhs} \d++ ) (?: {point}(?P<fraction>\d++) )?+ (?! [{_INNER}]\d )
              | (?<! [\w.,] ) {point}(?P<fraction>\d++) (?! [{_INNER}]\d ) )
            {_POWER}?+ (?P<percent> \s?(?: [%\uff05] | per\ ?cent\b ) )?+
          | \d++ (?: [{_INNER}]\d++ )++ )
    """
