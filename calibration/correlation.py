"""How far a judge's numbers follow people's numbers: Spearman, Kendall, Pearson, with a cluster bootstrap."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from calibration.audit import AuditItem
from calibration.bootstrap import resamples
from calibration.consensus import Consensus
from calibration.judgements import JudgeRun
from judgefleet.statistics import Estimate

_DRAWS = 500
Floats = npt.NDArray[np.float64]
_COEFFICIENTS: Mapping[str, Callable[[Floats, Floats], Any]] = {
    "spearman": lambda x, y: stats.spearmanr(x, y).statistic,
    "kendall": lambda x, y: stats.kendalltau(x, y).statistic,
    "pearson": lambda x, y: stats.pearsonr(x, y).statistic,
}


def correlations(
    items: Mapping[str, AuditItem], people: Mapping[str, Consensus], run: JudgeRun, alpha: float = 0.05
) -> dict[str, Estimate]:
    """Coefficients over the items with a number from both sides; empty where there are none. Kendall's is tau-b."""
    rows = [
        (said.score, judged.score, items[item_id].cluster)
        for item_id, judged in run.judgements.items()
        if item_id in items and (said := people.get(item_id)) and said.score is not None and judged.score is not None
    ]
    if not rows:
        return {}
    human, judge = (np.array([row[place] for row in rows], dtype=np.float64) for place in (0, 1))
    codes = np.unique([cluster for *_, cluster in rows], return_inverse=True)[1]
    return {name: _interval(name, f, human, judge, codes, alpha) for name, f in _COEFFICIENTS.items()}


def _interval(
    name: str, f: Callable[[Floats, Floats], Any], human: Floats, judge: Floats, codes: Any, alpha: float
) -> Estimate:
    known = {"n": len(human), "n_clusters": int(codes.max()) + 1}
    if len(human) < 3 or not np.ptp(human) or not np.ptp(judge):
        return Estimate(value=None, method=f"{name}; undefined: one side does not vary", **known)
    value = float(f(human, judge))
    if known["n_clusters"] < 10:
        return Estimate(value=value, method=f"{name}; no interval: fewer than 10 clusters", **known)
    found = [_once(f, human, judge, draw[codes].astype(int)) for draw in resamples(known["n_clusters"], _DRAWS)]
    defined = [v for v in found if v is not None and np.isfinite(v)]
    low, high = np.quantile(defined, (alpha / 2, 1 - alpha / 2))
    method = f"{name}, percentiles of {_DRAWS} resamples of {known['n_clusters']} clusters"
    return Estimate(value=value, low=float(low), high=float(high), method=method, **known)


def _once(f: Callable[[Floats, Floats], Any], human: Floats, judge: Floats, times: Any) -> float | None:
    x, y = np.repeat(human, times), np.repeat(judge, times)
    return float(f(x, y)) if np.ptp(x) and np.ptp(y) else None
