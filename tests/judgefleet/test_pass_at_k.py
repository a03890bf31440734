"""Oracles: enumeration of every draw, exact fractions, and a seeded simulation of coverage."""

from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from judgefleet.golden import ITEM_ID
from judgefleet.pass_at_k import pass_at_k, pass_at_k_of_rows
from judgefleet.score import SCORE_SCHEMA


def by_enumeration(n: int, c: int, k: int) -> float:
    samples = [True] * c + [False] * (n - c)
    draws = list(combinations(samples, k))
    return float(Fraction(sum(any(draw) for draw in draws), len(draws)))


def exact(n: int, c: int, k: int) -> float:
    return float(1 - Fraction(comb(n - c, k), comb(n, k)))


@pytest.mark.parametrize("n", range(1, 10))
def test_equals_enumeration_of_every_draw(n: int) -> None:
    for c in range(n + 1):
        for k in range(1, n + 1):
            assert pass_at_k(n, c, k) == pytest.approx(by_enumeration(n, c, k), rel=1e-14, abs=0)


@pytest.mark.parametrize(
    ("n", "c", "k"), [(200, 3, 100), (1000, 1, 1), (1000, 500, 100), (3000, 2, 1), (5000, 4000, 900), (10**5, 7, 10)]
)
def test_equals_exact_fractions_where_binomials_are_huge(n: int, c: int, k: int) -> None:
    assert pass_at_k(n, c, k) == pytest.approx(exact(n, c, k), rel=1e-12, abs=0)


def test_a_tiny_chance_keeps_its_digits() -> None:
    assert pass_at_k(10**12, 1, 1) == pytest.approx(1e-12, rel=1e-12)


def test_it_is_unbiased_and_the_plug_in_is_not() -> None:
    rate, n, k = 0.2, 6, 3
    chance = [comb(n, c) * rate**c * (1 - rate) ** (n - c) for c in range(n + 1)]
    truth = 1 - (1 - rate) ** k
    assert sum(p * pass_at_k(n, c, k) for c, p in enumerate(chance)) == pytest.approx(truth, rel=1e-12)
    plug_in = sum(p * (1 - (1 - c / n) ** k) for c, p in enumerate(chance))
    assert plug_in < truth - 0.02


def test_integers_of_numpy_are_integers() -> None:
    assert pass_at_k(np.int64(4), np.int64(2), np.int64(2)) == pytest.approx(5 / 6)


@pytest.mark.parametrize(
    ("n", "c", "k", "message"),
    [
        (5, 2, 6, "found k = 6 with n = 5"),
        (5, 2, 0, "found k = 0"),
        (0, 0, 1, "found k = 1 with n = 0"),
        (5, 6, 1, "found c = 6 passes in n = 5"),
        (5, -1, 1, "found c = -1"),
    ],
)
def test_impossible_counts(n: int, c: int, k: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pass_at_k(n, c, k)


def test_a_share_is_no_count() -> None:
    with pytest.raises(TypeError):
        pass_at_k(5, 0.5, 1)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        pass_at_k_of_rows(rows_of([("a", 1.0)]), k=1.5)  # type: ignore[arg-type]


# 4 samples of a (2 pass), 3 of b (none) and one failed scoring, 1 of c, 2 rows that name no task.
ROWS: list[tuple[str | None, float | None]] = [
    *[("a", v) for v in (1.0, 0.0, 1.0, 0.0)],
    *[("b", v) for v in (0.0, 0.0, 0.0, None)],
    ("c", 1.0),
    *[(None, v) for v in (1.0, None)],
]


def rows_of(scored: list[tuple[str | None, float | None]], **more: Any) -> pa.Table:
    common = {"score_id": "x", "trace_id": "t", "scorer": "code", "axis": "tests", "fingerprint": "f"} | more
    rows = [
        common | {"status": "ok" if v is not None else "timeout", "value": v, "attributes": {ITEM_ID: t} if t else {}}
        for t, v in scored
    ]
    return pa.Table.from_pylist(rows, schema=SCORE_SCHEMA)


@pytest.mark.parametrize("form", ["arrow", "pandas", "pandas with mappings"])
def test_rows_by_task(form: str) -> None:
    table: Any = rows_of(ROWS)
    if form != "arrow":
        table = table.to_pandas(maps_as_pydicts="strict" if "mappings" in form else None)
        assert isinstance(table, pd.DataFrame)
    found = pass_at_k_of_rows(table, k=2)
    assert [(t.task, t.n, t.passed) for t in found.tasks] == [("a", 4, 2), ("b", 3, 0), ("c", 1, 1)]
    assert [t.value for t in found.tasks] == [pytest.approx(5 / 6), 0.0, None]
    assert found.mean.value == pytest.approx(5 / 12)
    assert (found.mean.n, found.too_few, found.without_task, found.rows) == (2, 1, 2, 11)
    assert found.coverage == pytest.approx(9 / 11)


def test_a_task_whose_every_scoring_failed_is_shown_and_not_counted() -> None:
    found = pass_at_k_of_rows(rows_of([("a", None), ("b", 1.0), ("c", 0.0)]), k=1)
    assert [(t.task, t.n, t.value) for t in found.tasks] == [("a", 0, None), ("b", 1, 1.0), ("c", 1, 0.0)]
    assert (found.mean.value, found.too_few) == (0.5, 1)


def test_another_attribute_names_the_task() -> None:
    table = pa.table({"value": [1, 0], "attributes": [{"task": "a"}, {"task": "b"}]})
    assert [t.value for t in pass_at_k_of_rows(table, k=1, by="task").tasks] == [1.0, 0.0]
    assert pass_at_k_of_rows(table, k=1).without_task == 2


def test_no_rows_and_one_task_have_no_interval() -> None:
    empty = pass_at_k_of_rows(rows_of([]), k=1)
    assert (empty.mean.value, empty.coverage, empty.tasks) == (None, None, ())
    one = pass_at_k_of_rows(rows_of([("a", 1.0), ("a", 0.0)]), k=1)
    assert (one.mean.value, one.mean.has_interval) == (0.5, False)


@pytest.mark.parametrize(
    ("table", "k", "message"),
    [
        (rows_of([("a", 0.5)]), 1, "found the value 0.5"),
        (rows_of([("a", 1.0)]), 0, "found k = 0"),
        (pa.concat_tables([rows_of([("a", 1.0)], fingerprint=f) for f in "fg"]), 1, "several: fingerprint 'f', 'g'"),
        (pa.concat_tables([rows_of([("a", 1.0)], scorer=s) for s in "fg"]), 1, "several: scorer 'f', 'g'"),
        (pa.table({"value": [1.0]}), 1, "no column 'attributes'"),
    ],
)
def test_wrong_rows(table: pa.Table, k: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pass_at_k_of_rows(table, k)


@pytest.mark.parametrize(("k", "shape"), [(1, (0.5, 0.5)), (3, (0.5, 1.5)), (2, (8.0, 0.4))])
def test_the_interval_covers(k: int, shape: tuple[float, float]) -> None:
    rng, tasks, n, runs = np.random.default_rng(11), 30, 4, 250
    pool = rng.beta(*shape, 200_000)
    truth = float(np.mean(1 - (1 - pool) ** k))
    covered = 0
    for _ in range(runs):
        passes = rng.binomial(n, rng.choice(pool, tasks))
        scored = [(str(t), float(i < c)) for t, c in enumerate(passes) for i in range(n)]
        table = pa.table({"value": [v for _, v in scored], "attributes": [{ITEM_ID: t} for t, _ in scored]})
        mean = pass_at_k_of_rows(table, k).mean
        assert mean.low is not None
        assert mean.high is not None
        covered += mean.low <= truth <= mean.high
    assert 0.95 <= covered / runs <= 0.99


def test_the_width_shrinks_with_alpha() -> None:
    table = rows_of([("a", 1.0), ("b", 0.0), ("c", 1.0)])
    wide, narrow = (pass_at_k_of_rows(table, 1, alpha=a).mean for a in (0.01, 0.2))
    assert wide.low < narrow.low < narrow.high < wide.high  # type: ignore[operator]
    assert replace(wide, low=None, high=None) == replace(narrow, low=None, high=None)
