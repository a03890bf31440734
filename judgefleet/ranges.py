"""Checks of what a statistic is asked with: a ValueError says what was found and what is allowed."""

import math


def need_share(**shares: float) -> None:
    """Each value lies strictly between 0 and 1.

    >>> need_share(alpha=1.5)
    Traceback (most recent call last):
    ValueError: found alpha = 1.5; allowed: above 0 and below 1
    """
    for name, value in shares.items():
        if not 0 < value < 1:
            raise ValueError(f"found {name} = {value!r}; allowed: above 0 and below 1")


def need_rate(**rates: float) -> None:
    """Each value lies between 0 and 1, ends included."""
    for name, value in rates.items():
        if not 0 <= value <= 1:
            raise ValueError(f"found {name} = {value!r}; allowed: 0 to 1")


def need_positive(**values: float) -> None:
    """Each value is a finite number above 0."""
    for name, value in values.items():
        if not (value > 0 and math.isfinite(value)):
            raise ValueError(f"found {name} = {value!r}; allowed: finite and above 0")


def need_count(successes: float, n: float) -> None:
    """``successes`` out of ``n`` trials, with at least one trial."""
    if not n > 0:
        raise ValueError(f"found n = {n!r} trials; at least 1 is needed")
    if not 0 <= successes <= n:
        raise ValueError(f"found {successes!r} successes in n = {n!r} trials; allowed: 0 to n")


def need_sided(sided: int) -> None:
    """A test has one side or two."""
    if sided not in (1, 2):
        raise ValueError(f"found sided = {sided!r}; allowed: 1 or 2")
