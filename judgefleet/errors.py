"""Every error this project raises on purpose.

    JudgefleetError
    ├── ConfigError      fix what you wrote; trying again cannot help       (exit code 2)
    └── RunError         the world got in the way; trying again may help    (exit code 4)
        ├── StoreError   a store or input object cannot be read or written
        └── StalledError the run made no progress and was ended

A message says what was found, what is allowed, and what to do next.
"""

import difflib
from collections.abc import Iterable


class JudgefleetError(Exception):
    """Root of the tree; the command line prints it without a stack trace."""

    exit_code = 4


class ConfigError(JudgefleetError):
    """Something the user wrote is wrong: a configuration, a rubric, a path, a flag."""

    exit_code = 2


class MissingError(ConfigError):
    """Nothing is at the address that was given."""


class RunError(JudgefleetError):
    """Something went wrong while running; what was done is safe and a rerun resumes."""


class StoreError(RunError):
    """A store or an input object cannot be listed, read or written."""


class StalledError(RunError):
    """Nothing was finished for longer than the configuration allows."""


def did_you_mean(found: str, allowed: Iterable[str]) -> str:
    """Say which names are allowed, the closest first.

    >>> did_you_mean("regx", ["regex", "json_valid"])
    "did you mean 'regex'? allowed: json_valid, regex"
    >>> did_you_mean("zzz", ["regex", "json_valid"])
    'allowed: json_valid, regex'
    >>> did_you_mean("zzz", [])
    'none is allowed'
    """
    names = sorted(allowed)
    if not names:
        return "none is allowed"
    close = difflib.get_close_matches(found, names, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{hint}allowed: {', '.join(names)}"
