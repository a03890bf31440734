"""Counts of successes, and many tests at once."""

from typing import Any

from judgefleet.binomial import clopper_pearson, two_proportion_test
from judgefleet.multiple_testing import adjusted_p_values, e_bh, rejections
from judgefleet.proportions import proportion_ci, rate_difference_ci, wilson_interval
from judgefleet.statistics import Estimate


def one_rate(successes: int, n: int, alpha: float = 0.05) -> dict[str, Any]:
    exact = clopper_pearson(successes, n, alpha)
    return {"wilson": wilson_interval(successes / n, n, alpha), "clopper_pearson": exact}


def newcombe(x1: int, n1: int, x2: int, n2: int, alpha: float = 0.05) -> dict[str, Any]:
    found = rate_difference_ci(_rate(x2, n2, alpha), _rate(x1, n1, alpha))
    return {"diff": found.value, "lower": found.low, "upper": found.high}


def two_rates(x1: int, n1: int, x2: int, n2: int, alpha: float = 0.05) -> dict[str, Any]:
    found = two_proportion_test(x1, n1, x2, n2, alpha)
    return {"diff": found.difference, "z_pooled": found.z, "p": found.p_value, "wald_ci": (found.low, found.high)}


def p_values(p: Any, alpha: float, method: str) -> dict[str, Any]:
    name = _METHODS.get(method.lower(), method)
    rejected = rejections(p, name, alpha)
    return {
        "adjusted_p": adjusted_p_values(p, name),
        "n_rejected": int(rejected.sum()),
        "rejected_indices": rejected.nonzero()[0],
    }


def e_values(e: Any, alpha: float) -> dict[str, Any]:
    rejected = e_bh(e, alpha)
    return {"n_rejected": len(rejected), "rejected_indices": rejected}


def _rate(successes: int, n: int, alpha: float) -> Estimate:
    return proportion_ci([1] * successes + [0] * (n - successes), alpha=alpha)


# Other names of the same methods, as R and statsmodels have them.
_METHODS = {"bh": "fdr_bh", "fdr": "fdr_bh", "by": "fdr_by", "simes-hochberg": "hochberg"}
KINDS = {"intervals": [one_rate, newcombe, two_rates], "multiple_testing": [p_values, e_values]}
