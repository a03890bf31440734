"""Sampling by hash: the same traces everywhere, at the stated rates, with weights that undo them."""

import hashlib
import json
import random
import statistics
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from judgefleet.errors import ConfigError
from judgefleet.hashing import unit_interval
from judgefleet.sample import Sample
from judgefleet.sampling import Decision, SamplingPlan
from judgefleet.trace import Trace
from judgefleet.yaml_model import parse_yaml_model

VECTORS = [
    ("trace-1", "demo", 0.3455098366012016),
    ("conv-9", "demo", 0.2244455326878605),
    ("conv-9", "", 0.115395504775196),
    ("é\U0001f600", "salt", 0.7430479660564913),
    ("", "", 0.4304816492364817),
]
YAML = """
salt: demo
unit: conversation
strata:
  - {name: gold, where: {attributes.tier: [gold, 1], environment: prod}, rate: 1}
  - {name: treated, where: {variant: B}, rate: 0.5}
  - {name: never, where: {service: health}, rate: 0}
default_rate: 0.25
"""
PLAN = parse_yaml_model(YAML, SamplingPlan, source="plan.yaml")


def traces(count: int, **fields: str) -> list[Trace]:
    return [Trace(trace_id=f"trace-{n}", **fields) for n in range(count)]  # type: ignore[arg-type]


@pytest.mark.parametrize(("key", "salt", "expected"), VECTORS)
def test_the_hash_of_other_languages(key: str, salt: str, expected: float) -> None:
    digits = hashlib.sha256(salt.encode() + b"\0" + key.encode()).hexdigest()[:16]
    assert unit_interval(key, salt) == expected == (int(digits, 16) // 2048) / 9007199254740992


@pytest.mark.parametrize(
    ("fields", "stratum", "rate"),
    [
        ({}, "default", 0.25),
        ({"variant": "B"}, "treated", 0.5),
        ({"variant": "A"}, "default", 0.25),
        ({"variant": "B", "service": "health"}, "treated", 0.5),
        ({"service": "health"}, "never", 0.0),
        ({"variant": "B", "environment": "prod", "attributes": {"tier": "gold"}}, "gold", 1.0),
        ({"environment": "prod", "attributes": {"tier": "1"}}, "gold", 1.0),
        ({"environment": "lab", "attributes": {"tier": "gold"}}, "default", 0.25),
    ],
)
def test_the_first_stratum_that_matches_in_every_field(fields: dict[str, str], stratum: str, rate: float) -> None:
    for trace in traces(50, **fields):
        drawn = unit_interval(trace.trace_id, "demo") < rate
        assert PLAN.decide(trace) == Decision(stratum=stratum, inclusion_probability=rate, sampled=drawn)


def test_a_sample_carries_its_stratum_probability_and_plan() -> None:
    trace = Trace(trace_id="trace-1", variant="B")
    assert list(PLAN.draw([trace])) == [
        Sample(trace=trace, stratum="treated", inclusion_probability=0.5, plan_hash=PLAN.hash, unit_key="trace-1")
    ]


def test_a_plan_without_anything_draws_all_of_it() -> None:
    assert len(list(SamplingPlan().draw(traces(1000)))) == 1000


def test_rate_zero_never_and_rate_one_always() -> None:
    assert not list(SamplingPlan(default_rate=0).draw(traces(5000)))
    assert len(list(SamplingPlan(default_rate=1).draw(traces(5000)))) == 5000


@pytest.mark.parametrize("rate", [0.01, 0.2, 0.5, 0.9])
def test_rates_are_honoured(rate: float) -> None:
    count = 20_000
    drawn = len(list(SamplingPlan(salt="s", default_rate=rate).draw(traces(count))))
    assert abs(drawn - count * rate) < 3 * (count * rate * (1 - rate)) ** 0.5


def test_order_and_split_do_not_matter() -> None:
    everything = traces(500, variant="B") + [Trace(trace_id=f"o-{n}") for n in range(500)]
    drawn = {s.trace.trace_id for s in PLAN.draw(everything)}
    shuffled = random.Random(1).sample(everything, len(everything))
    assert {s.trace.trace_id for s in PLAN.draw(shuffled)} == drawn
    assert {s.trace.trace_id for part in range(7) for s in PLAN.draw(everything[part::7])} == drawn
    assert 0 < len(drawn) < 1000


def test_a_conversation_is_in_or_out_as_one() -> None:
    plan = SamplingPlan(default_rate=0.5)
    for n in range(200):
        turns = [Trace(trace_id=f"{n}-{turn}", conversation_id=f"c{n}") for turn in range(5)]
        assert len(list(plan.draw(turns))) in (0, 5)
    alone = SamplingPlan(default_rate=0.5, unit="trace")
    turns = [Trace(trace_id=f"{turn}", conversation_id="c") for turn in range(100)]
    assert 20 < len(list(alone.draw(turns))) < 80


def test_a_conversation_across_strata_shares_its_hash() -> None:
    for n in range(300):
        low, high = (Trace(trace_id=f"{n}{v}", conversation_id=f"c{n}", variant=v) for v in "AB")
        assert PLAN.decide(low).sampled <= PLAN.decide(high).sampled
        assert PLAN.decide(high).sampled == (unit_interval(f"c{n}", "demo") < 0.5)


def test_another_salt_draws_independently() -> None:
    first, second = (
        {s.trace.trace_id for s in SamplingPlan(salt=x, default_rate=0.5).draw(traces(4000))} for x in "ab"
    )
    assert abs(len(first & second) - 1000) < 3 * (4000 * 0.25 * 0.75) ** 0.5


def test_the_hash_of_a_plan_is_what_it_draws() -> None:
    same = SamplingPlan.model_validate(
        {
            "salt": "demo",
            "strata": [
                {"name": "gold", "where": {"attributes.tier": ("gold", "1"), "environment": ["prod"]}, "rate": 1.0},
                {"name": "treated", "where": {"variant": ["B"]}, "rate": 0.5},
                {"name": "never", "where": {"service": "health"}, "rate": 0},
            ],
            "default_rate": 0.25,
        }
    )
    assert same.hash == PLAN.hash
    changes: list[dict[str, Any]] = [
        {"salt": "x"},
        {"unit": "trace"},
        {"strata": PLAN.strata[:2]},
        {"default_rate": 0.26},
    ]
    assert len({PLAN.model_copy(update=change).hash for change in changes} | {PLAN.hash}) == 5


def test_a_plan_without_the_newer_features_has_the_hash_that_it_had_before_them() -> None:
    """Told from what was hashed then; written out, a feature that is not used makes no difference either."""
    then = {
        "salt": "demo",
        "unit": "conversation",
        "strata": [
            {"name": "gold", "where": {"attributes.tier": ["gold", "1"], "environment": ["prod"]}, "rate": 1.0},
            {"name": "treated", "where": {"variant": ["B"]}, "rate": 0.5},
            {"name": "never", "where": {"service": ["health"]}, "rate": 0.0},
        ],
        "default_rate": 0.25,
    }
    whole = json.dumps(then, sort_keys=True, separators=(",", ":"))
    assert PLAN.hash == hashlib.sha256(whole.encode()).hexdigest()[:32]
    assert SamplingPlan().hash == "170baa8c4e8f2c06e75e40d305376c96"
    assert SamplingPlan.model_validate(then | {"filters": {}, "cap": None, "default_floor": None}).hash == PLAN.hash
    used: list[dict[str, Any]] = [
        {"filters": {"exclude": [{"variant": "B"}]}},
        {"filters": {"require": ["output"]}},
        {"default_floor": {"traces": 3}},
        {"strata": [*then["strata"][:2], then["strata"][2] | {"floor": {"traces": 3}}]},  # type: ignore[index]
        {"cap": {"max_traces": 3}},
    ]
    assert len({SamplingPlan.model_validate(then | change).hash for change in used} | {PLAN.hash}) == 6
    for change in used:
        plan = SamplingPlan.model_validate(then | change)
        assert SamplingPlan.model_validate(plan.model_dump(mode="json")) == plan


TUESDAY = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.mark.parametrize(
    ("filters", "fields", "said"),
    [
        ({}, {}, None),
        ({"include": [{"variant": "A"}, {"service": "chat"}]}, {"variant": "B"}, "filtered"),
        ({"include": [{"variant": "A"}, {"service": "chat"}]}, {"variant": "B", "service": "chat"}, None),
        ({"exclude": [{"attributes.synthetic": True}]}, {"attributes": {"synthetic": "true"}}, "filtered"),
        ({"exclude": [{"attributes.synthetic": True}]}, {}, None),
        ({"exclude": [{"variant": "A", "service": "chat"}]}, {"variant": "A"}, None),
        ({"since": TUESDAY}, {"started_at": TUESDAY}, None),
        ({"until": TUESDAY}, {"started_at": TUESDAY}, "filtered"),
        ({"since": TUESDAY}, {}, "filtered"),
        ({"require": ["output", "contexts"]}, {"output": ""}, "incomplete"),
        ({"require": ["output", "contexts"]}, {"output": "", "contexts": ("c",)}, None),
        ({"require": ["question"]}, {}, "incomplete"),
        ({"require": ["question"], "exclude": [{"variant": "A"}]}, {"variant": "A"}, "filtered"),
    ],
)
def test_what_is_no_part_of_the_population(filters: dict[str, Any], fields: dict[str, Any], said: str | None) -> None:
    found = SamplingPlan.model_validate({"filters": filters}).decide(Trace(trace_id="t", **fields))
    assert found.left_out == said
    assert found.sampled == (said is None)
    assert bool(found.stratum) == (said is None)


# Sizes, rates and means of three strata, so that the plain mean of the drawn ones is wrong.
STRATA = (("a", 48, 0.25, 0.6), ("b", 72, 0.5, 0.3), ("c", 48, 1.0, 0.7))
RUNS = 2000


def population() -> list[tuple[Trace, float]]:
    rng = random.Random(7)
    return [
        (Trace(trace_id=f"{name}{n}", conversation_id=f"{name}{n // 2}", variant=name), rng.gauss(mean, 0.2))
        for name, size, _, mean in STRATA
        for n in range(size)
    ]


def horvitz_thompson(values: list[tuple[float, float]], size: int) -> float:
    return sum(y / p for y, p in values) / size


def hajek(values: list[tuple[float, float]], size: int) -> float:
    return sum(y / p for y, p in values) / sum(1 / p for _, p in values)


def unweighted(values: list[tuple[float, float]], size: int) -> float:
    return statistics.fmean(y for y, _ in values)


@pytest.mark.parametrize("unit", ["trace", "conversation"])
def test_weighted_means_are_right_and_the_plain_mean_is_not(unit: str) -> None:
    people = population()
    strata = [{"name": name, "where": {"variant": name}, "rate": rate} for name, _, rate, _ in STRATA]
    score = {trace.trace_id: y for trace, y in people}
    found: dict[Callable[..., float], list[float]] = {horvitz_thompson: [], hajek: [], unweighted: []}
    for run in range(RUNS):
        plan = SamplingPlan.model_validate({"salt": f"run-{run}", "unit": unit, "strata": strata})
        drawn = [(score[s.trace.trace_id], s.inclusion_probability) for s in plan.draw(t for t, _ in people)]
        for estimate, results in found.items():
            results.append(estimate(drawn, len(people)))
    truth = statistics.fmean(score.values())
    off = {f: abs(statistics.fmean(r) - truth) / (statistics.stdev(r) / RUNS**0.5) for f, r in found.items()}
    assert off[horvitz_thompson] < 3
    assert off[hajek] < 3
    assert off[unweighted] > 10


def stratum(where: str, name: str = "a") -> str:
    return f"strata:\n- {{name: {name}, where: {where}, rate: 1}}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("default_rate: 2", "plan.yaml:1: default_rate: found 2; input should be less than or equal to 1"),
        ("default_rate: -0.1", "greater than or equal to 0"),
        ("default_rat: 1", "unknown key 'default_rat'; did you mean 'default_rate'?"),
        ("unit: user", "found 'user'; allowed: conversation, trace"),
        ("default_rate: .nan", "found nan"),
        (
            stratum("{varient: A}"),
            "plan.yaml:2: strata.0.where: found {'varient': 'A'}; unknown field 'varient'; did you mean",
        ),
        (stratum("{attributes.: A}"), "unknown field 'attributes.'; did you mean 'attributes.KEY'?"),
        (stratum("{}"), "strata.0.where: found {}; dictionary should have at least 1 item"),
        (stratum("{variant: []}"), "strata.0.where.variant: found []; tuple should have at least 1 item"),
        (stratum("{variant: null}"), "strata.0.where.variant.0: found None; text belongs here"),
        ("strata:\n- {name: a, where: {variant: A}}", "plan.yaml:2: strata.0.rate: is missing"),
        ("filters: {exclude: [{varient: A}]}", "unknown field 'varient'; did you mean 'variant'?"),
        ("filters: {require: [outptu]}", "filters.require.0: found 'outptu'; did you mean 'output'?"),
        ("filters: {since: 2026-11-24}", "filters.since: found datetime.date(2026, 11, 24)"),
        ("filters: {since: 2026-11-24T00:00:00Z, until: 2026-11-23T00:00:00Z}", "no trace lies between them"),
        ("default_floor: {traces: 0}", "default_floor.traces: found 0; input should be greater than or equal to 1"),
        ("default_floor: {traces: 2, per: minute}", "found 'minute'; allowed: day, hour, week"),
        ("cap: {}", "a cap without a limit; give max_traces, max_tokens or both"),
        (stratum("{variant: A}", "default"), "the stratum name 'default' is taken twice"),
        (stratum("{variant: A}") + stratum("{variant: B}").removeprefix("strata:\n"), "'a' is taken twice"),
    ],
)
def test_mistakes_in_a_plan(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_yaml_model(text, SamplingPlan, source="plan.yaml")
    assert said in str(caught.value)
