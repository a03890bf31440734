"""How many labels a gate that is undecided still needs, if the judge is as good as it looks."""

import math

from scipy import stats

from calibration.policy import Policy, Requirement
from judgefleet.statistics import Estimate

POWER = 0.8


def labels_needed(requirement: Requirement, figure: Estimate, policy: Policy) -> int | None:
    """Labels besides those there are, for a chance of 0.8 to pass at the level of one audit. None where the figure is
    undefined or not above the threshold: more labels are then no way to an open gate.

    Scales the standard error that the interval implies with ``1 / sqrt(n)``.
    """
    more = max(requirement.min_n - figure.n, 0)
    if figure.value is None or figure.low is None or figure.high is None or figure.n == 0:
        return more or None
    distance = figure.value - requirement.threshold
    if requirement.rule == "point":
        return more or None
    if distance <= 0:
        return None
    z = float(stats.norm.isf(policy.alpha_each))
    error = (figure.high - figure.low) / (2 * z)
    total = figure.n * ((z + float(stats.norm.isf(1 - POWER))) * error / distance) ** 2
    return max(math.ceil(total) - figure.n, more, 1)
