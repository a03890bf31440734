"""From an audit and a policy to a decision of the gate."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from calibration.agreement import one_figure
from calibration.anchors import anchor_alarm, anchor_verdicts
from calibration.audit import AuditInfo
from calibration.gate import CheckResult, GateDecision, GateState
from calibration.labels_needed import labels_needed
from calibration.matched import Matched
from calibration.policy import Policy, Requirement
from judgefleet.hashing import stable_hash
from judgefleet.statistics import Estimate

RECALIBRATE = "recalibrate judge"
_YEAR = timedelta(days=365)


def decide(
    info: AuditInfo,
    found: Matched,
    policy: Policy,
    *,
    fingerprint: str,
    now: datetime,
    history: Sequence[GateDecision] = (),
    **about: Any,
) -> GateDecision:
    """Hold ``found`` against ``policy``. OPEN needs every requirement; one that fails closes the gate.

    ``history``: earlier decisions about this judge. Each audit on new evidence spends its share of the year's alpha;
    when the year's audits are used up, nothing opens until one of them is a year old. The same evidence looked at again
    spends nothing. ``about`` goes into the decision as it is.
    """
    evidence = evidence_hash(found, policy)
    spent = {d.evidence for d in history if d.decided_at and now - d.decided_at < _YEAR} - {evidence}
    known: dict[str, Any] = {
        "fingerprint": fingerprint,
        "evidence": evidence,
        "policy": policy.model_dump(mode="json"),
        "audit_id": info.audit_id,
        "alpha": policy.alpha_each,
        "audit_number": len(spent) + 1,
        "decided_at": now,
        **about,
    }
    checks = tuple(check for requirement in policy.requirements for check in _checks(info, found, policy, requirement))
    known |= {"checks": checks, "anchors": anchor_verdicts(found)}
    if any(check.passed is False for check in checks):
        return GateDecision(state=GateState.CLOSED, reason=_why(checks, False), action=RECALIBRATE, **known)
    if alarm := anchor_alarm(found, history):
        return GateDecision(state=GateState.STALE, reason=alarm, **known)
    if len(spent) >= policy.audits_per_year:
        reason = f"the {policy.audits_per_year} audits of this year are used up (audits_per_year)"
        return GateDecision(state=GateState.INSUFFICIENT, reason=reason, **known)
    if found.unparsed > policy.max_no_verdict * found.labelled:
        share = f"{found.unparsed:,} of {found.labelled:,} labelled items"
        reason = f"no verdict about {share}, more than the policy allows (max_no_verdict {policy.max_no_verdict:g})"
        return GateDecision(state=GateState.INSUFFICIENT, reason=reason, **known)
    if not checks or any(check.passed is None for check in checks):
        needed = [check.labels_needed for check in checks if check.passed is None]
        most = None if None in needed or not needed else max(n for n in needed if n is not None)
        reason = _why(checks, None) if checks else "no item has both a human label and a verdict"
        return GateDecision(state=GateState.INSUFFICIENT, reason=reason, labels_needed=most, **known)
    until = now + timedelta(days=policy.max_age_days)
    return GateDecision(state=GateState.OPEN, reason=_why(checks, True), expires_at=until, **known)


def evidence_hash(found: Matched, policy: Policy) -> str:
    """A hash of what was looked at: items, both answers, and the policy."""
    rows = sorted(
        (item.item_id, int(h), int(j)) for item, h, j in zip(found.items, found.human, found.judge, strict=True)
    )
    return stable_hash([policy.digest, found.classes, rows], 16)


def _checks(info: AuditInfo, found: Matched, policy: Policy, requirement: Requirement) -> Iterator[CheckResult]:
    """The requirement, or one check for each value of its segment."""
    alpha = 2 * policy.alpha_each  # both ends of a two-sided interval at this level are one-sided bounds at alpha_each
    if requirement.segment is None:
        yield _check(requirement, one_figure(info, found, requirement.metric, requirement.label, alpha), None, policy)
        return
    named = {item.segments.get(requirement.segment, "") for item in (*found.items, *found.silent)} - {""}
    if not named:
        nothing = Estimate(value=None, n=0, n_clusters=0, method=f"no item names a {requirement.segment}")
        yield _check(requirement, nothing, None, policy)
    for value in sorted(named):
        part = found.where(np.array([item.segments.get(requirement.segment) == value for item in found.items], bool))
        yield _check(requirement, one_figure(info, part, requirement.metric, requirement.label, alpha), value, policy)


def _check(requirement: Requirement, figure: Estimate, value: str | None, policy: Policy) -> CheckResult:
    weak = requirement.rule == "point"
    passed = _outcome(requirement, figure)
    needed = labels_needed(requirement, figure, policy) if passed is None else None
    return CheckResult(
        metric=requirement.title if requirement.metric in ("sensitivity", "specificity") else requirement.metric,
        threshold=requirement.threshold,
        rule=requirement.rule,
        passed=passed,
        value=figure.value,
        low=figure.low,
        high=figure.high,
        n=figure.n,
        label=requirement.label,
        segment=value,
        weak=weak,
        method=figure.method,
        labels_needed=needed,
    )


def _outcome(requirement: Requirement, figure: Estimate) -> bool | None:
    """Whether the requirement is met, missed, or undecided. An undefined figure never passes."""
    if figure.value is None:
        return None
    if requirement.rule == "point":
        met = figure.value >= requirement.threshold
        return met if not met or figure.n >= requirement.min_n else None
    if figure.high is not None and figure.high < requirement.threshold:
        return False
    enough = figure.n >= requirement.min_n and figure.low is not None and figure.low >= requirement.threshold
    return True if enough else None


def _why(checks: Sequence[CheckResult], passed: bool | None) -> str:
    """The checks with this outcome, in words."""
    return "; ".join(_sentence(check) for check in checks if check.passed is passed)


def _sentence(check: CheckResult) -> str:
    where = f" ({check.segment})" if check.segment else ""
    if check.value is None:
        return f"{check.metric}{where} is undefined: {check.method}"
    bounds = "" if check.low is None or check.high is None else f" [{check.low:.3f}, {check.high:.3f}]"
    said = f"{check.metric}{where} {check.value:.3f}{bounds} over {check.n} items"
    if check.rule == "point":
        return f"{said}, {'at least' if check.passed else 'below'} {check.threshold:.2f} (point rule, weak)"
    if check.passed is None:
        return f"{said}: not shown to reach {check.threshold:.2f}, nor to miss it"
    return f"{said}: {'its lower bound reaches' if check.passed else 'its upper bound is below'} {check.threshold:.2f}"
