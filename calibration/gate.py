"""The gate: may the figures of this judge be believed?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class GateState(StrEnum):
    """OPEN: an audit supports the judge. CLOSED: an audit speaks against it. INSUFFICIENT: not enough evidence.
    STALE: the evidence is about another judge, or too old."""

    OPEN = "OPEN"
    CLOSED = "CLOSED"
    INSUFFICIENT = "INSUFFICIENT"
    STALE = "STALE"


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckResult:
    """One requirement of the policy against an audit: the figure, its interval at the level spent, and the outcome.

    ``passed``: True, False, or None where the evidence does not decide. ``weak``: decided by the figure alone.
    """

    metric: str
    threshold: float
    rule: str
    passed: bool | None
    value: float | None
    low: float | None
    high: float | None
    n: int
    label: str | None = None
    segment: str | None = None
    weak: bool = False
    method: str = ""
    labels_needed: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class GateDecision:
    """What is known about one judge, named by its fingerprint, on one axis. ``labels_needed``: None where it cannot be
    said. ``alpha``: the one-sided risk this audit spent; ``audit_number``: which one of the year it was. ``anchors``:
    what the judge said about the frozen items, to be held against what it says next time.
    """

    state: GateState
    fingerprint: str
    reason: str
    labels_needed: int | None = None
    scorer: str = ""
    axis: str = ""
    action: str | None = None
    checks: tuple[CheckResult, ...] = ()
    audit_id: str | None = None
    audit_uri: str | None = None
    policy: Mapping[str, Any] = field(default_factory=dict)
    evidence: str | None = None
    alpha: float | None = None
    audit_number: int | None = None
    anchors: Mapping[str, str] = field(default_factory=dict)
    decided_at: datetime | None = None
    expires_at: datetime | None = None

    @property
    def trusted(self) -> bool:
        """Only an open gate makes figures trustworthy.

        >>> decision_without_audit("0a1b").trusted
        False
        """
        return self.state is GateState.OPEN

    @property
    def exit_code(self) -> int:
        """What the command line ends with: 0 open, 1 closed, 3 not enough evidence."""
        return {GateState.OPEN: 0, GateState.CLOSED: 1}.get(self.state, 3)


def decision_without_audit(fingerprint: str, scorer: str = "", axis: str = "") -> GateDecision:
    """The answer for a judge that nobody has audited yet."""
    reason = "no audit: nobody has compared this judge with people; its figures are shown as untrusted"
    return GateDecision(state=GateState.INSUFFICIENT, fingerprint=fingerprint, reason=reason, scorer=scorer, axis=axis)
