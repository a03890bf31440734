"""Unbiased pass@k: how often at least one of k answers to a task passes, from n answers of which c passed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from operator import index
from typing import TYPE_CHECKING, Any, SupportsIndex, TypeAlias

import numpy as np
import pyarrow as pa

from judgefleet.golden import ITEM_ID
from judgefleet.proportions import win_rate_ci
from judgefleet.statistics import Estimate

if TYPE_CHECKING:
    import pandas as pd

Rows: TypeAlias = "pa.Table | pd.DataFrame"
_SCORE = ("scorer", "axis", "fingerprint")


def pass_at_k(n: SupportsIndex, c: SupportsIndex, k: SupportsIndex) -> float:
    """``1 - C(n-c, k) / C(n, k)``: the chance that k of a task's n samples, drawn without replacement, hold a pass.

    Estimated over samples that share a task; unbiased for the chance that at least one of k fresh answers passes, which
    ``1 - (1 - c/n)**k`` is not. Chen et al. 2021, Evaluating Large Language Models Trained on Code, equation 1, as a
    sum of logarithms, so that neither huge binomials nor tiny chances lose digits. Raises ValueError unless
    1 <= k <= n and 0 <= c <= n, TypeError for what is no integer.

    >>> [round(pass_at_k(n, c, k), 12) for n, c, k in [(10, 3, 1), (4, 2, 2), (5, 0, 5), (5, 1, 5)]]
    [0.3, 0.833333333333, 0.0, 1.0]
    >>> pass_at_k(10, 3, 11)
    Traceback (most recent call last):
    ValueError: found k = 11 with n = 10 samples of the task; allowed: 1 to n, so draw more samples or lower k
    """
    return _pass_at_k(index(n), index(c), index(k))


def _pass_at_k(n: int, c: int, k: int) -> float:
    if not 1 <= k <= n:
        raise ValueError(
            f"found k = {k} with n = {n} samples of the task; allowed: 1 to n, so draw more samples or lower k"
        )
    if not 0 <= c <= n:
        raise ValueError(f"found c = {c} passes in n = {n} samples; allowed: 0 to n")
    if c == 0 or n - c < k:
        return float(c > 0)
    # Either product has the same value; the shorter one is taken.
    few, many = sorted((c, k))
    return float(-np.expm1(np.log1p(-many / np.arange(n - few + 1, n + 1)).sum()))


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskPassAtK:
    """One task: its samples with a value (``n``), how many of them passed, and pass@k (None where ``n < k``)."""

    task: str
    n: int
    passed: int
    value: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PassAtK:
    """pass@k of each task and their mean (each task counts once), beside what the mean does not cover.

    ``coverage`` is the share of ``rows`` with a value (None without rows); ``without_task`` counts rows that name no
    task, ``too_few`` the tasks with fewer than k values. Neither is part of the mean.
    """

    k: int
    tasks: tuple[TaskPassAtK, ...]
    mean: Estimate
    rows: int
    coverage: float | None
    without_task: int
    too_few: int


def pass_at_k_of_rows(rows: Rows, k: SupportsIndex, by: str = ITEM_ID, alpha: float = 0.05) -> PassAtK:
    """pass@k of the rows of one scorer (Arrow or pandas; columns ``value``, ``attributes``); ``by`` names the task.

    Rows without a value (failures) are left out of n and counted in ``coverage``: a harness that broke says nothing
    about the answer. The interval is for the mean over tasks like these: a task's pass@k lies in [0, 1], so Wilson's
    interval on the number of tasks covers at least as often as it says, also where all tasks agree; a simulation in
    the tests finds 0.97 to 0.98 for 0.95. Raises ValueError for k below 1, values other than 0 and 1, a missing
    column, and rows of more than one scorer, axis or fingerprint; TypeError for a k that is no integer.

    >>> table = pa.table({"value": [1.0, 0.0, None], "attributes": [{ITEM_ID: "a"}, {ITEM_ID: "a"}, {ITEM_ID: "a"}]})
    >>> found = pass_at_k_of_rows(table, k=1)
    >>> found.tasks[0].value, found.coverage
    (0.5, 0.6666666666666666)
    """
    if (k := index(k)) < 1:
        raise ValueError(f"found k = {k}; allowed: 1 and above")
    _refuse_a_mixture(rows)
    values = [_zero_or_one(value) for value in _column(rows, "value")]
    names = [_attribute(found, by) for found in _column(rows, "attributes")]
    tasks = tuple(_tasks(zip(names, values, strict=True), k))
    known = [task.value for task in tasks if task.value is not None]
    return PassAtK(
        k=k,
        tasks=tasks,
        mean=_mean(known, alpha),
        rows=len(values),
        coverage=sum(v is not None for v in values) / len(values) if values else None,
        without_task=names.count(None),
        too_few=len(tasks) - len(known),
    )


def _tasks(rows: Iterable[tuple[str | None, int | None]], k: int) -> Iterable[TaskPassAtK]:
    groups: dict[str, list[int]] = defaultdict(list)
    for name, value in rows:
        if name is not None:
            groups[name] += [] if value is None else [value]
    for name, found in sorted(groups.items()):
        n, c = len(found), sum(found)
        yield TaskPassAtK(task=name, n=n, passed=c, value=pass_at_k(n, c, k) if n >= k else None)


def _mean(values: list[float], alpha: float) -> Estimate:
    found = win_rate_ci(values, alpha=alpha)
    what = f"mean of {len(values)} tasks"
    return replace(
        found, method=f"{what}, Wilson on tasks (conservative)" if found.has_interval else f"{what}; too few"
    )


def _refuse_a_mixture(rows: Rows) -> None:
    for name in _SCORE:
        found = set(_column(rows, name)) if name in _names(rows) else set()
        if len(found) > 1:
            shown = ", ".join(sorted(map(repr, found))[:3])
            raise ValueError(f"found rows of several: {name} {shown}; keep the rows of one {name} before you ask")


def _names(rows: Rows) -> list[str]:
    return list(rows.column_names if isinstance(rows, pa.Table) else rows.columns)


def _column(rows: Rows, name: str) -> list[Any]:
    if name not in _names(rows):
        raise ValueError(f"found no column {name!r}; read the rows with it (columns of judgefleet.score.SCORE_SCHEMA)")
    column = rows[name]
    return list(column.to_pylist() if isinstance(rows, pa.Table) else column.tolist())


def _zero_or_one(value: Any) -> int | None:
    # pandas has NaN where Arrow has null.
    if value is None or value != value:
        return None
    if value not in (0, 1):
        raise ValueError(f"found the value {value!r}; pass@k is made of 0 (failed) and 1 (passed)")
    return int(value)


def _attribute(found: Any, key: str) -> str | None:
    """Attributes as Arrow (pairs), pandas or we (a mapping) have them."""
    if not isinstance(found, Mapping | list | tuple | np.ndarray):
        return None
    task = dict(found).get(key)
    return task if isinstance(task, str) and task else None
