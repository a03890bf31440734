"""Agreement of raters: kappa, weighted kappa, AC1, Krippendorff's alpha, Fleiss' kappa."""

from typing import Any

import numpy as np

from calibration.ac1 import ac1_of_ratings, ac1_of_table, fleiss_kappa
from calibration.alpha import krippendorff_alpha
from calibration.coefficients import Coefficient
from calibration.kappa import cohen_kappa, kappa_of_labels


def kappa(table: Any, weights: Any = None) -> dict[str, Any]:
    return _kappa(cohen_kappa(table, weights))


def weighted_kappa(proportions: Any, n: float, disagreement_weights: Any) -> dict[str, Any]:
    table = np.asarray(proportions) * n
    plain, weighted = cohen_kappa(table), cohen_kappa(table, disagreement_weights)
    return _kappa(plain) | {"weighted_kappa": weighted.value, "se_weighted": weighted.se}


def kappa_from_labels(a: Any, b: Any, weights: Any = None) -> dict[str, Any]:
    return _kappa(kappa_of_labels(a, b, weights))


def ac1_from_table(table: Any) -> dict[str, Any]:
    return _ac1(ac1_of_table(table))


def ac1(ratings_by_coder: Any) -> dict[str, Any]:
    return _ac1(ac1_of_ratings(ratings_by_coder))


def fleiss(ratings_by_coder: Any) -> dict[str, Any]:
    found = fleiss_kappa(ratings_by_coder)
    return {"fleiss_generalised": found.value, "se": found.se, "pa": found.observed, "pe": found.expected}


def alpha(ratings_by_coder: Any, level: Any) -> dict[str, Any]:
    return {"alpha": krippendorff_alpha(ratings_by_coder, level)}


def _kappa(found: Coefficient) -> dict[str, Any]:
    known = {"po": found.observed, "pe": found.expected}
    return {"kappa": found.value, "se": found.se, "ci95": found.interval(0.05)} | known


def _ac1(found: Coefficient) -> dict[str, Any]:
    return {"ac1": found.value, "se": found.se, "pa": found.observed, "pe": found.expected}


KINDS = {"agreement": [kappa, weighted_kappa, kappa_from_labels, ac1_from_table, ac1, fleiss, alpha]}
