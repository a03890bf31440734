"""Keywords of JSON Schema that the library gets wrong or without bounds: patterns, multiples, items that differ."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeAlias

from jsonschema import ValidationError

from judgefleet.errors import ConfigError
from judgefleet.hashing import canonical_json
from judges.checks.patterns import compile_pattern

Keyword: TypeAlias = Callable[[Any, Any, Any, Any], Iterator[ValidationError]]

# When the validation that runs here must be over; one validator may serve many threads.
_ENDS: ContextVar[float] = ContextVar("_ENDS")
# A property, an escape, the beginning of a class with a bracket that belongs to it, a quantifier, or one sign.
_PART = re.compile(r"\\[pP]\{[^{}]*\}|\\.|\[\^?\]?|\{[0-9]+(?:,[0-9]*)?\}|.", re.DOTALL)
_FLAGS = re.compile(r"\(\?[A-Za-z]+\)")
# ECMA-262 means the end of the text by $ and ASCII by these classes, and has no fuzzy matches and classes of POSIX.
_OUTSIDE = {
    "$": r"\Z",
    "{": r"\{",
    r"\d": "[0-9]",
    r"\D": "[^0-9]",
    r"\w": "[_0-9A-Za-z]",
    r"\W": "[^_0-9A-Za-z]",
}
_INSIDE = {
    "[": r"\[",
    r"\d": "0-9",
    r"\D": r"\x00-/:-\U0010FFFF",
    r"\w": "_0-9A-Za-z",
    r"\W": r"\x00-/:-@\[-\^`{-\U0010FFFF",
}


@contextmanager
def limited(timeout_s: float) -> Iterator[None]:
    """Within it, patterns raise TimeoutError once this thread has computed for longer than ``timeout_s``."""
    before = _ENDS.set(time.thread_time() + timeout_s)
    try:
        yield
    finally:
        _ENDS.reset(before)


@lru_cache(maxsize=1024)
def compile_ecma(pattern: str) -> Any:
    r"""The compiled ``pattern`` of a schema, which is one of ECMA-262. Raises ConfigError.

    ``$`` is the end of the text, ``\d`` and ``\w`` are ASCII; all else is read as the ``regex`` package reads it
    (``\s`` and ``\b`` know Unicode, what only Python has is understood as well). A pattern that begins with flags,
    ``(?i)``, is none of ECMA-262 and is left as it is.

    >>> [bool(compile_ecma(r"^[\w-]+$").search(text)) for text in ("a-1", "a-1\n", "é")]
    [True, False, False]
    """
    try:
        return compile_pattern(pattern if _FLAGS.match(pattern) else "".join(_translated(pattern)))
    except ConfigError as error:
        why = f"which is no regular expression: {error.__cause__}"
        raise ConfigError(f"found the pattern {pattern!r}, {why}") from error


def _translated(pattern: str) -> Iterator[str]:
    inside = False
    for part in _PART.findall(pattern):
        yield (_INSIDE if inside else _OUTSIDE).get(part, part)
        inside = part != "]" if inside else part.startswith("[")


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not compile_ecma(pattern).search(instance, timeout=_left()):
        yield ValidationError(f"{instance[:60]!r} does not match {pattern!r}")


def _left() -> float:
    left = _ENDS.get() - time.thread_time()
    if left <= 0:
        raise TimeoutError("the patterns of the schema took too long")
    return left


def _unique_items(_validator: Any, wanted: bool, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    # The library compares each item with each; a set of canonical texts does it in one pass.
    if wanted and isinstance(instance, list) and len({canonical_json(item) for item in instance}) < len(instance):
        yield ValidationError(f"{len(instance)} items are not all different")


def _multiple_of(validator: Any, unit: float, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "number") and not _is_multiple(instance, unit):
        yield ValidationError(f"{instance!r} is not a multiple of {unit!r}")


def _is_multiple(number: float, unit: float) -> bool:
    """Of the numbers as they are written: 19.99 is a multiple of 0.01. One beyond the range of doubles is of none."""
    try:
        return (_exact(number) / _exact(unit)).denominator == 1
    except ValueError:
        return False


def _exact(number: float) -> Fraction:
    # The shortest digits that mean this double are those that were written.
    return Fraction(number if isinstance(number, int) else repr(number))


KEYWORDS: Mapping[str, Keyword] = {
    "pattern": _pattern,
    "uniqueItems": _unique_items,
    "multipleOf": _multiple_of,
    "divisibleBy": _multiple_of,
}
