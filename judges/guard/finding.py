"""What a guard says: a verdict with findings, none of which holds a word of the text."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

TIMEOUT = "timeout"


class CannotRedactError(ValueError):
    """A text that was not searched to its end: nobody knows what would have to go."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that is wrong, and its place: characters ``start`` to ``end`` (excluded) of the text.

    ``check`` is ``max_chars``, ``pii``, ``forbidden``, ``patterns`` or ``json_schema``. ``kind`` says what of it: a
    kind of personal datum, the place of a phrase or pattern in its list (from 1), the keyword of the schema, or
    ``timeout`` where the search did not get to the end. Neither holds anything of the text: findings may be logged.
    """

    check: str
    kind: str
    start: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """``ok`` when nothing was found and every search came to its end. Findings stand in the order of the text."""

    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether the text may go out."""
        return not self.findings

    def to_dict(self) -> dict[str, Any]:
        """For a log or an answer in JSON.

        >>> Verdict(findings=(Finding(check="pii", kind="card", start=3, end=19),)).to_dict()
        {'ok': False, 'findings': [{'check': 'pii', 'kind': 'card', 'start': 3, 'end': 19}]}
        """
        return {"ok": self.ok, "findings": [asdict(finding) for finding in self.findings]}


def whole(check: str, kind: str, text: str) -> Finding:
    """A finding about all of ``text``."""
    return Finding(check=check, kind=kind, start=0, end=len(text))


def masked(text: str, findings: Sequence[Finding]) -> str:
    """``text`` with the name of what was found in place of it; findings that overlap become one, named by the first.

    >>> masked("Pay 4111111111111111 now", [Finding(check="pii", kind="card", start=4, end=20)])
    'Pay [card] now'
    """
    pieces: list[str] = []
    position = 0
    for found in sorted(findings, key=lambda f: (f.start, -f.end)):
        if found.start >= position:
            pieces += [text[position : found.start], f"[{found.kind}]"]
        position = max(position, found.end)
    return "".join(pieces) + text[position:]
