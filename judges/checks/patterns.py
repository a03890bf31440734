"""Regular expressions that end: every search has a time limit, which Python's own ``re`` cannot have."""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import regex  # type: ignore[import-untyped]

from judgefleet.errors import ConfigError

FlagName: TypeAlias = Literal["ignorecase", "multiline", "dotall", "verbose", "ascii"]


def compile_pattern(pattern: str, flags: Sequence[FlagName] = ()) -> Any:
    """The compiled pattern, in the syntax of ``re`` and what the ``regex`` package adds. Raises ConfigError.

    >>> compile_pattern("a+").search("baa", timeout=1.0).span()
    (1, 3)
    >>> compile_pattern("a(")
    Traceback (most recent call last):
    judgefleet.errors.ConfigError: found the pattern 'a(', which is no regular expression: missing ) at position 2
    """
    bits = 0
    for flag in flags:
        bits |= getattr(regex, flag.upper())
    try:
        return regex.compile(pattern, bits)
    except (regex.error, ValueError, OverflowError, RecursionError) as error:
        raise ConfigError(f"found the pattern {pattern!r}, which is no regular expression: {error}") from error
