"""Pairs as columns say what their rows say, one by one."""

from collections import Counter
from datetime import UTC, datetime
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from experiments.columns import columns_of
from experiments.pairs import NOTHING, Pairs, sides_of
from experiments.preference import count_cells, position_bias
from jobs.pair_rows import cell_of, once
from judgefleet.sample import Sample
from judgefleet.score import SCORE_SCHEMA, OrderVerdict, Outcome, RunContext, Status, failure, score_row
from judgefleet.scorer import ScorerInfo, ScorerKind
from judgefleet.trace import Trace

RUN = RunContext(run_id="r", job="batch", scored_at=datetime(2026, 1, 1, tzinfo=UTC))
INFO = ScorerInfo(name="rubric", version="1", kind=ScorerKind.LLM, axes=("preference",))


def side(own: str, other: str, pair_id: str | None, orders: tuple[OrderVerdict, ...], *, ok: bool) -> dict[str, object]:
    trace = Trace(trace_id=own, variant=own[0])
    sample = Sample(trace=trace, stratum="all", inclusion_probability=1.0, plan_hash="p")
    known: dict[str, Any] = {"pair_id": pair_id, "other_trace_id": other}
    outcome = Outcome(value=0.5, label="tie", order_consistent=False, orders=orders, **known)
    return score_row(RUN, sample, INFO, "preference", outcome if ok else failure(Status.UNPARSED, "no label", **known))


def rows(seed: int) -> list[dict[str, object]]:
    """Thirty pairs: with ids or without, asked in one order or two, some without a verdict."""
    random, made = Random(seed), []
    for number in range(30):
        a, b = f"A{number}", f"B{number}"
        asked = random.sample([a, b], random.choice([1, 2]))
        said = tuple(OrderVerdict(first=x, label=random.choice(["first", "second", "tie", None])) for x in asked)
        pair_id, ok = random.choice([None, f"p{number}"]), random.random() < 0.8
        made += [side(a, b, pair_id, said, ok=ok), side(b, a, pair_id, said, ok=ok)]
    random.shuffle(made)
    return made


@pytest.mark.parametrize("seed", range(5))
def test_cells_and_verdicts_are_those_of_the_rows(seed: int) -> None:
    found = rows(seed)
    table = pa.Table.from_pylist(found, schema=SCORE_SCHEMA)
    told = table.to_pylist()
    wanted = Counter(cell for row in told if row["variant"] == "B" and (cell := cell_of(row)))
    assert count_cells(table, baseline="A", candidate="B") == wanted
    said = [o["label"] for row in once(told) if row["status"] == "ok" for o in row["orders"] if o["label"]]
    bias = position_bias(table)
    assert (bias.verdicts, bias.first, bias.second, bias.ties) == (len(said), *map(said.count, _SLOTS))


_SLOTS = ("first", "second", "tie")


def test_what_is_not_known_is_nothing() -> None:
    table = pa.Table.from_pylist([side("A1", "B1", None, (), ok=False)], schema=SCORE_SCHEMA)
    sides = sides_of(table)
    assert {int(part[0]) for part in (sides.labels, sides.consistent, sides.own_first, sides.other_first)} == {NOTHING}


def test_both_rows_of_a_pair_are_found_and_one_is_kept() -> None:
    table = pa.Table.from_pylist(rows(3), schema=SCORE_SCHEMA)
    pairs = Pairs(columns=columns_of(table), sides=sides_of(table))
    assert (len(pairs), len(pairs.once)) == (60, 30)
    assert len(np.unique(pairs.sides.keys)) == 30
