"""Regular expressions that end: every search has a time limit, which Python's own ``re`` cannot have."""

import re
import reprlib
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, Literal, TypeAlias

import regex  # type: ignore[import-untyped]

from judgefleet.errors import ConfigError

FlagName: TypeAlias = Literal["ignorecase", "multiline", "dotall", "verbose", "ascii"]

_SHORT = reprlib.Repr()
_SHORT.maxstring = 100
_NO_PATTERN = (re.error, regex.error, ValueError, OverflowError, RecursionError)
_PROPERTY = re.compile(r"\\(?:(?P<property>[pP]\{[^{}]*\})|.)", re.DOTALL)
_COMMENT = r"\(\?\#[^)]*\)"
# A comment, an escape, a class, a number of repetitions, any other sign.
_PART = r"|\\[pPN]\{[^{}]*\}|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{(?:\d+|\d*,\d*)\}|."
_PARTS = re.compile(_COMMENT + _PART, re.DOTALL)
_VERBOSE_PARTS = re.compile(rf"{_COMMENT}|\#[^\n]*{_PART}", re.DOTALL)
_BRACKET = re.compile(r"(\\.)|\[", re.DOTALL)


def compile_pattern(pattern: str, flags: Sequence[FlagName] = ()) -> Any:
    """The compiled pattern, in the syntax of the ``regex`` package. Raises ConfigError.

    >>> compile_pattern("a+").search("baa", timeout=1.0).span()
    (1, 3)
    >>> compile_pattern("a(")
    Traceback (most recent call last):
    judgefleet.errors.ConfigError: found the pattern 'a(', which is no regular expression: missing ) at position 2
    """
    try:
        return regex.compile(pattern, _bits(regex, flags))
    except _NO_PATTERN as error:
        raise _refused(pattern, error) from error


def compile_python(pattern: str, flags: Sequence[FlagName] = ()) -> Any:
    r"""The compiled pattern, in the syntax of ``re``, with ``\p{...}`` for a property of Unicode. Raises ConfigError.

    What ``re`` refuses is refused. What it takes for signs of the text are signs of the text, though ``regex`` knows
    them as a fuzzy match (``{e<=1}``) or a class of POSIX (``[[:alpha:]]``).

    >>> compile_python(r"\p{Lu} {i}").search("see B {i}", timeout=1.0).group()
    'B {i}'
    >>> compile_python("(?<n>b)")
    Traceback (most recent call last):
    judgefleet.errors.ConfigError: found the pattern '(?<n>b)', which is no regular expression: unknown extension ?<n...
    """
    try:
        with warnings.catch_warnings(action="ignore", category=FutureWarning):
            known = _PROPERTY.sub(lambda found: r"\w" if found["property"] else found.group(), pattern)
            verbose = re.compile(known, _bits(re, flags)).flags & re.VERBOSE
    except _NO_PATTERN as error:
        raise _refused(pattern, error) from error
    return compile_pattern("".join(_literal(pattern, _VERBOSE_PARTS if verbose else _PARTS)), flags)


def _literal(pattern: str, parts: re.Pattern[str]) -> Iterator[str]:
    """The parts of ``pattern``, with an escape before what ``re`` alone takes for a sign of the text."""
    for part in parts.findall(pattern):
        if part == "{":
            yield r"\{"
        elif part.startswith("["):
            yield "[" + _BRACKET.sub(lambda found: found[1] or r"\[", part[1:])
        else:
            yield part


def _refused(pattern: str, error: Exception) -> ConfigError:
    return ConfigError(f"found the pattern {_SHORT.repr(pattern)}, which is no regular expression: {error}")


def _bits(package: Any, flags: Sequence[FlagName]) -> int:
    bits = 0
    for flag in flags:
        bits |= getattr(package, flag.upper())
    return bits
