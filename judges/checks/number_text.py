"""Numbers as people write them: signs, thousands separators, currencies, percent, fractions, powers."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal

from judges.checks.number_marks import plain_marks
from judges.checks.number_pattern import MINUS, SUPERSCRIPT, THOUSANDS, number_pattern

TIMEOUT_S = 2.0

_PLAIN = str.maketrans(SUPERSCRIPT + "\u207b" + MINUS, "0123456789-" + "-" * len(MINUS))
_LONGEST = 1000
_HIGHEST_POWER = 5000


@dataclass(frozen=True, kw_only=True, slots=True)
class Number:
    """What stands in the text, and its exact value; None where the notation gives it none."""

    text: str
    value: Fraction | None


@dataclass(frozen=True, kw_only=True)
class Notation:
    r"""How numbers are written. ``thousands`` holds every character that may separate groups of digits.

    Fractions (``3/4``, ``\frac{3}{4}``, ``1½``) and powers (``10^6``, ``10⁶``) are one number. What could be read in
    several ways has no value: ``1,5`` with a decimal point, ``3 000`` with a space that was not said to separate
    groups, ``3 1/2``, ``012``, a date, a time, a version; nor has what is not worked out: roots, other LaTeX fractions,
    multiples of pi, ``(1+2)^2``. The exponent of a unit or variable (``m^2``) and ``[^1]`` are no numbers.

    >>> [str(n.value) for n in Notation(decimal=",").read("-1.234,50 EUR, also 3,2e3")]
    ['-2469/2', '3200']
    >>> [str(n.value) for n in Notation().read("3-5 of 1,234; 1,5 of A4; 2^10 m^2 on 2024-10-15")]
    ['3', '5', '1234', 'None', '1024', 'None']
    """

    decimal: Literal[".", ","] = "."
    thousands: str | None = None
    percent: Literal["ignore", "divide"] = "ignore"

    def read(self, text: str) -> Iterator[Number]:
        """Every number in ``text``, in order, with plain marks. Raises TimeoutError after two seconds."""
        for found in self._pattern.finditer(plain_marks(text), timeout=TIMEOUT_S):
            if _is_number(found):
                yield Number(text=found.group().strip(), value=self._value(found))

    @cached_property
    def _pattern(self) -> Any:
        thousands = THOUSANDS[self.decimal] if self.thousands is None else plain_marks(self.thousands)
        return number_pattern(self.decimal, thousands, spaced=self.thousands is None and " " not in thousands)

    def _value(self, found: Any) -> Fraction | None:
        power, exponent = (_small(found[name]) for name in ("power", "exponent"))
        # In 2/3^2 and 2e3^2 nobody can say what is raised.
        odd = found["odd"] or (found["exponent"] and (found["numerator"] or found["vulgar"] or found["power"]))
        if odd or len(found.group()) > _LONGEST or power is None or exponent is None:
            return None
        written = _written(found)
        if written is not None and found["exponent"]:
            written = _raised(written, exponent)
        if written is None:
            return None
        written *= Fraction(10) ** power if power else 1
        written /= 100 if found["percent"] and self.percent == "divide" else 1
        return -written if found["minus"] else written


def _is_number(found: Any) -> bool:
    formula = found["formula"]
    return not found["name"] and (formula is None or any(c.isdigit() for c in formula))


def _small(power: str | None) -> int | None:
    """The number that ``power`` is, 0 for none; None for one that is too high to be worked out."""
    if power is None:
        return 0
    power = power.translate(_PLAIN)
    return int(power) if len(power) <= 5 and abs(int(power)) <= _HIGHEST_POWER else None


def _raised(base: Fraction, exponent: int) -> Fraction | None:
    """``base`` to the power of ``exponent``, where there is one that is short enough to be worked out."""
    is_short = len(str(base)) * abs(exponent) <= _HIGHEST_POWER
    return base**exponent if is_short and (base or exponent > 0) else None


def _written(found: Any) -> Fraction | None:
    """The number before its sign, powers and percent."""
    if found["numerator"]:
        below = int(found["denominator"])
        return Fraction(int(found["numerator"]), below) if below else None
    whole = "".join(c for c in found["whole"] or "0" if c.isdigit())
    is_code = len(whole) > 1 and unicodedata.digit(whole[0]) == 0
    if is_code or not (found["whole"] or found["fraction"] or found["vulgar"]):
        return None
    return Fraction(f"{whole}.{found['fraction']}") if found["fraction"] else int(whole) + _part(found["vulgar"])


def _part(vulgar: str | None) -> Fraction:
    return Fraction(unicodedata.numeric(vulgar)).limit_denominator(10) if vulgar else Fraction(0)
