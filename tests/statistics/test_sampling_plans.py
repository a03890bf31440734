"""Weighted estimates under every feature of a sampling plan are unbiased: seeded simulations over salts.

Two hundred runs a plan, JUDGEFLEET_SIMULATIONS=2000 does the full number. All runs of a plan lie in one table, each as
strata of its own with a salt of its own, and go through the statements that a batch run uses. Horvitz and Thompson's
estimate of the mean is within three standard errors of the truth. So is Hajek's, a ratio, without the bias of order 1/n
that every ratio has, and which two thousand runs of so small a population would see.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from jobs.draw import WEIGHED, draw
from judgefleet.hashing import unit_interval
from judgefleet.inclusion import Cells, fitting_factor
from judgefleet.sampling import Cap, SamplingPlan
from judgefleet.trace import Trace

RUNS = int(os.environ.get("JUDGEFLEET_SIMULATIONS", "200"))
Floats = npt.NDArray[np.float64]
STRATA = [
    {"name": "gold", "where": {"variant": "A"}, "rate": 0.6},
    {"name": "bulk", "where": {"variant": "B"}, "rate": 0.15},
]
FLOORED = [STRATA[0] | {"floor": {"traces": 3, "per": "day"}}, STRATA[1] | {"floor": {"traces": 4, "per": "hour"}}]
PLANS: dict[str, dict[str, Any]] = {
    "strata": {"unit": "trace", "strata": STRATA, "default_rate": 0.3},
    "conversation": {"strata": STRATA, "default_rate": 0.3},
    "floor": {"unit": "trace", "strata": FLOORED, "default_rate": 0.3},
    "a floor about as high as the rate": {
        "unit": "trace",
        "strata": [STRATA[1] | {"floor": {"traces": 17, "per": "day"}}],
        "default_rate": 1,
    },
    "floor and conversation": {"strata": FLOORED, "default_rate": 0.3},
    "floor of a stratum never drawn else": {
        "strata": [STRATA[0] | {"rate": 0, "floor": {"traces": 2}}],
        "default_rate": 0.3,
    },
    "cap": {"strata": STRATA, "default_rate": 0.5, "cap": {"max_traces": 60}},
    "cap of tokens": {"unit": "trace", "strata": STRATA, "default_rate": 0.5, "cap": {"max_tokens": 500}},
    "floor and cap": {"strata": FLOORED, "default_rate": 0.9, "cap": {"max_traces": 170}},
    "filter": {"strata": STRATA, "default_rate": 0.3, "filters": {"exclude": [{"service": "health"}]}},
}


@dataclass(frozen=True)
class People:
    """Traces, what each would score, and the tokens of each."""

    traces: list[Trace]
    values: Floats
    tokens: npt.NDArray[np.int64]


def people(count: int = 240) -> People:
    """Conversations of one to four turns over two days; scores differ by stratum, hour and conversation."""
    rng = np.random.default_rng(8)
    conversation = np.repeat(np.arange(count), rng.integers(1, 5, count))[:count]
    variant = np.where(rng.random(count) < 0.3, "A", np.where(rng.random(count) < 0.8, "B", "C"))
    hours = np.sort(rng.choice(48, count, p=np.r_[np.full(24, 1.8), np.full(24, 0.2)] / 48))
    values = 0.2 + 0.3 * (variant == "A") + 0.01 * hours + 0.2 * rng.random(conversation.max() + 1)[conversation]
    found = [
        Trace(
            trace_id=f"t{i}",
            conversation_id=f"c{conversation[i]}",
            variant=str(variant[i]),
            service="health" if i % 7 == 0 else "chat",
            started_at=datetime(2026, 11, 20, tzinfo=UTC) + timedelta(hours=int(hours[i])),
        )
        for i in range(count)
    ]
    return People(found, values + 0.2 * rng.random(count), rng.integers(1, 20, count))


@dataclass(frozen=True)
class Drawn:
    """Of each run (rows) and trace of the population (columns): whether it was drawn, and with what chance."""

    sampled: npt.NDArray[np.bool_]
    probability: Floats
    values: Floats


def simulate(given: dict[str, Any], who: People, runs: int, factor: float = 1.0) -> Drawn:
    """Draw ``runs`` times. A cap is turned into its factor once: it follows from the population, the same in all."""
    plan = SamplingPlan.model_validate(given)
    kept = [i for i, trace in enumerate(who.traces) if plan.filters.leaves_out(trace) is None]
    factor *= _factor(plan, who, kept)
    strata = [plan.stratum_of(who.traces[i]) for i in kept]
    units = [plan.unit_of(who.traces[i]) for i in kept]
    many = len(kept)
    runs_ = np.repeat(np.arange(runs), many)
    columns = {
        "stratum": [name for name, _, _ in strata],
        "unit_key": units,
        "rate": [rate * factor for _, rate, _ in strata],
        "floor": [floor.traces if floor else 0 for _, _, floor in strata],
        "per": [floor.per if floor else None for _, _, floor in strata],
        "started_at": [who.traces[i].started_at for i in kept],
    }
    each = pa.table({**columns, "tokens": who.tokens[kept]})
    table = each.take(np.tile(np.arange(many), runs))
    run_names = pa.array(runs_).cast(pa.string())
    for name in ("stratum", "unit_key"):
        of_run = pc.binary_join_element_wise(run_names, table[name].combine_chunks(), "/")
        table = table.set_column(table.column_names.index(name), name, of_run)
    hashes = [{unit: unit_interval(unit, f"run-{run}") for unit in set(units)} for run in range(runs)]
    table = table.append_column("draw", pa.array([hashed[unit] for hashed in hashes for unit in units]))
    table = table.append_column("place", pa.array(np.arange(runs * many)))
    sampled, probability = _through_duckdb(table)
    return Drawn(sampled.reshape(runs, many), probability.reshape(runs, many), who.values[kept])


def _through_duckdb(table: pa.Table) -> tuple[npt.NDArray[np.bool_], Floats]:
    with duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        db.register("intake", table)
        named = "place::varchar as trace_id, '' as span_id, unit_key as group_key, started_at as group_start"
        known = f"place, 1 as copy, 'candidate' as decision, {named}, started_at, {', '.join(WEIGHED)}"
        db.execute(f"create temp table ranked as select {known} from intake")
        draw(db, None)
        found = db.sql("select probability, sampled from drawn order by place").fetchnumpy()
    return np.asarray(found["sampled"], dtype=bool), np.asarray(found["probability"], dtype=np.float64)


def _factor(plan: SamplingPlan, who: People, kept: list[int]) -> float:
    """By hand: strata as they are, floors by the window in which a unit began."""
    if plan.cap is None:
        return 1.0
    size = who.tokens if plan.cap.max_tokens else np.ones(len(who.traces))
    began: dict[str, Any] = {}
    for i in kept:
        unit, at = plan.unit_of(who.traces[i]), who.traces[i].started_at
        assert at is not None
        began[unit] = min(began.get(unit, at), at)
    cells: dict[Any, dict[str, float]] = {}
    for i in kept:
        name, rate, floor = plan.stratum_of(who.traces[i])
        unit = plan.unit_of(who.traces[i])
        window = f"{began[unit]:%F %H}"[: 13 if floor and floor.per == "hour" else 10] if floor else None
        held = cells.setdefault((name, rate, floor.traces if floor else 0, window), {})
        held[unit] = held.get(unit, 0.0) + float(size[i])
    arrays = [
        (len(held), rate, k, sum(held.values()), sum(s * s for s in held.values()))
        for (_, rate, k, _), held in cells.items()
    ]
    names = ("units", "rate", "floor", "size", "squares")
    made = Cells(**dict(zip(names, np.array(arrays, dtype=np.float64).T, strict=True)))
    return fitting_factor(made, plan.cap.max_traces or plan.cap.max_tokens or 0)


def estimates(found: Drawn) -> tuple[Floats, Floats]:
    """Horvitz and Thompson's and Hajek's estimate of the mean in each run; the second without its bias as a ratio."""
    weights = np.where(found.sampled, 1 / np.where(found.sampled, found.probability, 1.0), 0.0)
    total, size = weights @ found.values / len(found.values), weights.sum(axis=1) / len(found.values)
    # With T the total, S the size and m the mean: T/S - m is e/S with e = T - mS, and e(1 - S) most of its bias.
    truth = found.values.mean()
    return total, total / size - (total - truth * size) * (1 - size)


def off(results: Floats, truth: float) -> float:
    """Standard errors between the mean of ``results`` and the truth."""
    return float(abs(results.mean() - truth) / (results.std(ddof=1) / len(results) ** 0.5))


LOWERED = ("strata", "floor", "floor and conversation")


@pytest.mark.parametrize(("name", "factor"), [*((name, 1.0) for name in PLANS), *((name, 0.5) for name in LOWERED)])
def test_weighted_means_are_unbiased(name: str, factor: float) -> None:
    found = simulate(PLANS[name], people(), RUNS, factor)
    total, ratio = estimates(found)
    truth = float(found.values.mean())
    assert off(total, truth) < 3
    assert off(ratio, truth) < 3
    # Each trace is drawn as often as it says: the chi-square of all of them, loosely, as units go together.
    p = found.probability[0]
    open_ = (p < 1) & (p > 0)
    z = (found.sampled.mean(axis=0) - p)[open_] / np.sqrt(p * (1 - p) / RUNS)[open_]
    assert np.abs(z).max() < 4.5


def test_a_probability_that_is_not_the_true_one_is_seen() -> None:
    """So the tests above can fail: what a floor draws, weighted as if the plan's rate had drawn it."""
    found = simulate(PLANS["floor"], people(), RUNS)
    wrong = Drawn(found.sampled, np.where(found.probability < 0.6, 0.15, 0.6), found.values)
    assert off(estimates(wrong)[0], float(found.values.mean())) > 10


@pytest.mark.parametrize("name", ["cap", "cap of tokens", "floor and cap"])
def test_a_cap_holds_but_for_one_draw_in_many(name: str) -> None:
    who, plan = people(), SamplingPlan.model_validate(PLANS[name])
    cap = plan.cap or Cap(max_traces=1)
    cost = (who.tokens if cap.max_tokens else np.ones(len(who.traces))).astype(np.float64)
    spent = simulate(PLANS[name], who, RUNS).sampled @ cost
    assert np.mean(spent > (cap.max_traces or cap.max_tokens or 0)) <= 0.01
    assert spent.mean() > 0.6 * (cap.max_traces or cap.max_tokens or 0)
