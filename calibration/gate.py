"""The gate: may the figures of this judge be believed?"""

from dataclasses import dataclass
from enum import StrEnum


class GateState(StrEnum):
    """OPEN: an audit supports the judge. CLOSED: an audit speaks against it. INSUFFICIENT: not enough evidence.
    STALE: the evidence is about another judge, or too old."""

    OPEN = "OPEN"
    CLOSED = "CLOSED"
    INSUFFICIENT = "INSUFFICIENT"
    STALE = "STALE"


@dataclass(frozen=True, kw_only=True, slots=True)
class GateDecision:
    """What is known about one judge, named by its fingerprint. ``labels_needed`` is None where it cannot be said."""

    state: GateState
    fingerprint: str
    reason: str
    labels_needed: int | None = None

    @property
    def trusted(self) -> bool:
        """Only an open gate makes figures trustworthy.

        >>> decision_without_audit("0a1b").trusted
        False
        """
        return self.state is GateState.OPEN


def decision_without_audit(fingerprint: str) -> GateDecision:
    """The answer for a judge that nobody has audited yet."""
    reason = "no audit: nobody has compared this judge with people; its figures are shown as untrusted"
    return GateDecision(state=GateState.INSUFFICIENT, fingerprint=fingerprint, reason=reason)
