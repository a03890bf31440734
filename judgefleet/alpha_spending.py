"""How much of alpha may be spent by an information fraction ``t`` (Lan & DeMets 1983); beyond 1 nothing more.

Families: ``obrien_fleming`` keeps nearly all for the end, ``pocock`` spends about evenly.
"""

from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import stats

from judgefleet.moments import Array

Shape: TypeAlias = Literal["obrien_fleming", "pocock"]


def obrien_fleming_spent(t: npt.ArrayLike, alpha: float) -> Array:
    """``2 - 2 Phi(z_{alpha/2} / sqrt(t))``: almost nothing early, nearly all at the end (Lan & DeMets 1983)."""
    root = np.sqrt(np.minimum(np.asarray(t, dtype=np.float64), 1.0))
    return np.asarray(2 * stats.norm.sf(stats.norm.isf(alpha / 2) / root), dtype=np.float64)


def pocock_spent(t: npt.ArrayLike, alpha: float) -> Array:
    """``alpha ln(1 + (e - 1) t)``: about the same at every look (Lan & DeMets 1983)."""
    share = np.minimum(np.asarray(t, dtype=np.float64), 1.0)
    return np.asarray(alpha * np.log1p(np.expm1(1.0) * share), dtype=np.float64)


SPENDING: dict[Shape, Callable[[npt.ArrayLike, float], Array]] = {
    "obrien_fleming": obrien_fleming_spent,
    "pocock": pocock_spent,
}
