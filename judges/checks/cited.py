"""What the citation checks share: finding ids in text, and saying which of them exist."""

from collections.abc import Iterable, Sequence
from typing import Any

from judgefleet.score import Outcome, Status, failure
from judges.checks.base import failed, passed, some

TIMEOUT_S = 2.0


def find_ids(pattern: Any, text: str, group: int = 0) -> list[str]:
    """What ``pattern`` (or its ``group``) finds in ``text``, each once. Raises TimeoutError after two seconds.

    >>> from judges.checks.patterns import compile_pattern
    >>> find_ids(compile_pattern("[A-Z]+-[0-9]"), "RET-1, SHIP-2, RET-1")
    ['RET-1', 'SHIP-2']
    """
    return list(dict.fromkeys(found.group(group) or "" for found in pattern.finditer(text, timeout=TIMEOUT_S)))


def citation_outcome(cited: Sequence[str], known: Iterable[str], at_least: int = 1) -> Outcome:
    """Passes when ``cited`` are ``at_least`` so many, and all of them are ``known``.

    >>> citation_outcome(["1", "9"], {"1", "2"}).reason
    'unknown: 9'
    """
    existing = frozenset(known)
    unknown = [found for found in cited if found not in existing]
    if unknown:
        return failed(f"unknown: {some(unknown)}")
    if len(cited) < at_least:
        wanted = f", wanted: at least {at_least}" if at_least > 1 else ""
        return failed(f"cited: {some(cited)}{wanted}" if cited else f"no citation{wanted}")
    return passed(f"cited: {some(cited)}" if cited else "no citation, and none is wanted")


def search_ended() -> Outcome:
    """The outcome where a pattern took longer than it may."""
    return failure(Status.TIMEOUT, f"the search for citations was ended after {TIMEOUT_S:g} s")
