"""Audit labels: how many people must give so that the gate's two risks are kept."""

from dataclasses import dataclass

from scipy import stats

from calibration.audit_size import least_agreements, plan_agreement_audit
from calibration.policy import DEFAULT_POLICY
from jobs.capacity_options import PlanOptions

_WEEKS = 52.0


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditLoad:
    """``labels`` for each audit, of which ``agreements`` open the gate. ``false_pass``: the chance that a judge at the
    threshold passes one audit; ``power``: that the planned judge does."""

    labels: int
    agreements: int
    labels_per_week: float
    false_pass: float
    power: float


def audit_load(options: PlanOptions) -> AuditLoad | None:
    """Labels for a judge that agrees as planned; None where it does not agree more often than the gate asks for.

    Exact binomial search (``calibration.audit_size``), with the year's alpha divided by the audits, as the gate does.
    The size from which on every size keeps the power, and never fewer than the policy's least number of items.
    """
    if options.agreement <= options.audit_threshold:
        return None
    alpha = DEFAULT_POLICY.alpha / options.audits_per_year
    found = plan_agreement_audit(options.audit_threshold, options.agreement, alpha=alpha, beta=1 - options.audit_power)
    labels = max(found.n_safe, DEFAULT_POLICY.requirements[0].min_n)
    needed = int(least_agreements([labels], options.audit_threshold, alpha)[0])
    return AuditLoad(
        labels=labels,
        agreements=needed,
        labels_per_week=labels * options.audits_per_year / _WEEKS,
        false_pass=float(stats.binom.sf(needed - 1, labels, options.audit_threshold)),
        power=float(stats.binom.sf(needed - 1, labels, options.agreement)),
    )
