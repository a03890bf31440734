"""Sizes of audits and windows, and how soon a chart sees a drift."""

import math
from typing import Any

from calibration.audit_size import kappa_size, plan_agreement_audit
from calibration.cusum import average_run_length
from judgefleet.binomial import lower_bound
from judgefleet.detection import plan_drop_detection


def audit(
    p_unacceptable: float, p_good: float, alpha: float, beta: float, rule: str = "pass iff agreements >= c"
) -> dict[str, Any]:
    if rule != "pass iff agreements >= c":
        raise LookupError(f"no rule {rule!r}")
    plan = plan_agreement_audit(p_unacceptable, p_good, alpha=alpha, beta=beta)
    return {
        "n_min": plan.n,
        "c": plan.c,
        "false_pass": plan.false_pass,
        "power": plan.power,
        "n_safe_for_all_larger": plan.n_safe,
    }


def failures_bound(n: int, failures: int, confidence: float) -> dict[str, Any]:
    return {"lower_bound": lower_bound(n - failures, n, confidence)}


def kappa_audit(
    kappa0: float, kappa1: float, prevalence: float, alpha_one_sided: float, power: float
) -> dict[str, Any]:
    size = kappa_size(kappa0, kappa1, prevalence, alpha=alpha_one_sided, power=power)
    return {"n_exact": size, "n": math.ceil(size)}


def drop(
    baseline: float, dropped: float, alpha_one_sided: float, power: float, traffic_per_window: float
) -> dict[str, Any]:
    plan = plan_drop_detection(
        baseline, dropped, traffic_per_window=traffic_per_window, alpha=alpha_one_sided, power=power
    )
    return {"n_per_window": plan.n_per_window, "sampling_rate": plan.sampling_rate}


def run_length(k: float, h: float, shift_sd: float) -> dict[str, Any]:
    both = average_run_length(k, h, shift_sd)
    one = average_run_length(k, h, shift_sd, sided=1)
    return {"arl_one_sided": one, "arl_two_sided": both, "published_two_sided": both, "published_one_sided": one}


KINDS = {"audit_size": [audit, failures_bound, kappa_audit], "planning": [drop], "drift": [run_length]}
