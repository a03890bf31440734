"""The difference of an object of the code and a plain number: what of it is believed. On the standard library alone.

Tests compare numbers by their difference (``abs(f() - 3.14) < 1e-6``) or quotient, so an object that answers every
subtraction with nought would be any number. Its answer must agree with the number that it was before.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import isfinite
from typing import Any

NUMBERS = (int, float, complex, Decimal, Fraction, date, timedelta)
# Python computes longer integers too, but not soon.
_MOST_BITS = 1 << 20


def _power(base: Any, exponent: Any, *modulus: Any) -> Any:
    if isinstance(base, int) and not modulus and exponent * base.bit_length() > _MOST_BITS:
        raise OverflowError
    return pow(base, exponent, *modulus)


def _turned(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda right, left, *more: function(left, right, *more)


_NAMES = ("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "lshift", "rshift", "and", "xor", "or")
_BINARY = {name: getattr(operator, f"__{name}__") for name in _NAMES} | {"divmod": divmod, "pow": _power}
ARITHMETIC: Mapping[str, Callable[..., Any]] = {
    **{f"__{side}{name}__": function for name, function in _BINARY.items() for side in ("", "i")},
    **{f"__r{name}__": _turned(function) for name, function in _BINARY.items()},
}
DIFFERENCES = frozenset(
    f"__{side}{name}__" for name in ("sub", "truediv", "floordiv", "xor") for side in ("", "i", "r")
)
# How an object says which number it is.
CONVERSIONS: Mapping[str, Callable[..., Any]] = {
    "__abs__": abs,
    "__neg__": operator.neg,
    "__pos__": operator.pos,
    "__round__": round,
    "__float__": float,
    "__int__": int,
    "__index__": int,
    "__complex__": complex,
}


@dataclass(frozen=True, slots=True)
class Expected:
    """What an object has to answer by the number that it was; None where it was none.

    ``size``: of the numbers that went in; a float has no more digits than that says.
    """

    value: Any
    size: float

    def agrees(self, given: Any) -> bool:
        """Whether an answer is what is expected, but for the digits that a float has not.

        >>> Expected(0.2, 0.3).agrees(0.3 - 0.1), Expected(5.86, 9.0).agrees(0.0)
        (True, False)
        """
        near = tried(lambda: abs(complex(given) - complex(self.value)) <= 1e-9 * self.size)
        return given == self.value or near is True

    def converted(self, name: str, args: Sequence[Any]) -> "Expected":
        """What an object of which this is expected has to answer to one of ``CONVERSIONS``."""
        return Expected(None if self.value is None else tried(CONVERSIONS[name], self.value, *args), self.size)


def expected(name: str, number: Any, others: Sequence[Any]) -> Expected:
    """What one of ``ARITHMETIC`` gives for ``number`` in place of the object.

    >>> expected("__rsub__", 3, [10])
    Expected(value=7, size=10.0)
    """
    same = [float(o) if isinstance(o, Decimal) and isinstance(number, float) else o for o in others]
    value = None if number is None else tried(ARITHMETIC[name], number, *same)
    sizes: Sequence[Any] = (number, *others) if "sub" in name or "add" in name else (value,)
    return Expected(value, tried(lambda: float(max(abs(part) for part in sizes))) or 0.0)


def stated(say: Callable[[str], Any]) -> Any:
    """The number that an object says it is; None where it says none. ``say``: its ``__float__`` and ``__int__``.

    >>> stated({"__float__": 2.5, "__int__": 2}.get), stated({"__float__": 1e20, "__int__": 10**20}.get)
    (2.5, 100000000000000000000)
    """
    number, whole = tried(say, "__float__"), tried(say, "__int__")
    number = number if isinstance(number, float) and isfinite(number) else None
    exact = isinstance(whole, int) and number in (None, tried(float, whole))
    return whole if exact else number


def tried(function: Callable[..., Any], *args: Any) -> Any:
    """What a function returns; None where it raises."""
    try:
        return function(*args)
    except Exception:  # noqa: BLE001 - code of the answer, or an operator that does not fit the numbers
        return None
