from typing import Any

import pytest

from judgefleet.errors import ConfigError
from judgefleet.score import Status
from judgefleet.scorer import Direction, ScorerKind
from judgefleet.trace import Usage
from judges.catalogue import create_scorer

PRICES = {
    "small": {"input": 0.5, "output": 2.0},
    "large": {"input": 2.5, "output": 10, "cached_input": 1.25},
    "large-2026-08-06": {"input": 3, "output": 12},
    "free": {"input": 0, "output": 0},
}
REQUESTED, RESPONDED = "gen_ai.request.model", "gen_ai.response.model"
CACHED = "gen_ai.usage.cache_read.input_tokens"


@pytest.mark.parametrize(
    ("attributes", "read", "written", "cost"),
    [
        ({REQUESTED: "small"}, 2000, 500, 0.002),
        ({REQUESTED: "small"}, 262, 25, 0.000181),
        ({REQUESTED: "small"}, 0, 0, 0.0),
        ({REQUESTED: "small"}, 1_000_000, 0, 0.5),
        ({REQUESTED: "small"}, 0, 1_000_000, 2.0),
        ({REQUESTED: "large"}, 1000, 100, 0.0035),
        ({REQUESTED: "large", CACHED: "600"}, 1000, 100, 0.00275),
        ({REQUESTED: "large", CACHED: "1000"}, 1000, 100, 0.00225),
        ({REQUESTED: "large", CACHED: "0"}, 1000, 100, 0.0035),
        ({REQUESTED: "small", CACHED: "600"}, 1000, 100, 0.0007),
        ({REQUESTED: "large", RESPONDED: "large-2026-08-06"}, 1000, 100, 0.0042),
        ({REQUESTED: "large", RESPONDED: "large-2026-09-09"}, 1000, 100, 0.0035),
        ({"llm.model_name": "small"}, 2000, 500, 0.002),
        ({"model": "small"}, 2000, 500, 0.002),
        ({REQUESTED: "free"}, 2000, 500, 0.0),
        ({REQUESTED: "large"}, 1, 1, 0.0000125),
        ({REQUESTED: "large"}, 1_000_000, 1_000_000, 12.5),
        ({REQUESTED: "large-2026-08-06"}, 1000, 0, 0.003),
        ({REQUESTED: "large", CACHED: "1"}, 1, 0, 0.00000125),
        ({REQUESTED: "small"}, 10**12, 10**12, 2_500_000.0),
        ({REQUESTED: "free", RESPONDED: "small"}, 2000, 500, 0.002),
        ({"response.model": "small", "request.model": "large"}, 2000, 500, 0.002),
        ({"request.model": "small"}, 2000, 500, 0.002),
        ({REQUESTED: "large", "usage.prompt_tokens_details.cached_tokens": "600"}, 1000, 100, 0.00275),
        ({REQUESTED: "large", "usage.input_tokens_details.cached_tokens": "600"}, 1000, 100, 0.00275),
        ({REQUESTED: "large", "gen_ai.usage.cache_read_input_tokens": "600"}, 1000, 100, 0.00275),
        ({REQUESTED: "large", "llm.token_count.prompt_details.cache_read": "600"}, 1000, 100, 0.00275),
    ],
)
def test_tokens_times_price(run: Any, attributes: dict[str, str], read: int, written: int, cost: float) -> None:
    usage = Usage(input_tokens=read, output_tokens=written)
    found = run("cost", {"prices": PRICES}, usage=usage, attributes=attributes)["cost"]
    assert found.value == pytest.approx(cost, rel=1e-12)
    assert (found.status, found.label) == (Status.OK, None)


def test_the_reason_shows_the_sum(run: Any) -> None:
    attributes = {REQUESTED: "large", CACHED: "600"}
    found = run(
        "cost",
        {"prices": PRICES, "currency": "EUR"},
        usage=Usage(input_tokens=1000, output_tokens=100),
        attributes=attributes,
    )
    assert found["cost"].reason == (
        "0.00275 EUR for large: 400 input tokens at 2.5 a million, 600 cached input tokens at 1.25 a million, "
        "100 output tokens at 10 a million"
    )


@pytest.mark.parametrize(
    ("fields", "value", "reason"),
    [
        ({"cost": 0.0123}, 0.0123, "USD, as recorded"),
        ({"cost": 0.0}, 0.0, "USD, as recorded"),
        ({"attributes": {"gen_ai.usage.cost": "0.5"}}, 0.5, "USD, as recorded in gen_ai.usage.cost"),
        ({"attributes": {"llm.cost.total": "2e-4"}}, 0.0002, "USD, as recorded in llm.cost.total"),
        ({"attributes": {"usage.cost": "0.5"}}, 0.5, "USD, as recorded in usage.cost"),
        ({"cost": 1.0, "attributes": {"llm.cost.total": "7"}}, 1.0, "USD, as recorded"),
    ],
)
def test_a_recorded_cost_comes_first(run: Any, fields: dict[str, Any], value: float, reason: str) -> None:
    fields["attributes"] = fields.get("attributes", {}) | {REQUESTED: "small"}
    found = run("cost", {"prices": PRICES}, usage=Usage(input_tokens=9, output_tokens=9), **fields)["cost"]
    assert (found.value, found.reason) == (value, reason)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "no cost is recorded, and the trace names no model"),
        ({"attributes": {REQUESTED: "tiny"}}, "no cost is recorded, and prices has no 'tiny'"),
        ({"attributes": {REQUESTED: "Small"}}, "no cost is recorded, and prices has no 'Small'"),
        ({"attributes": {REQUESTED: "small"}}, "no cost is recorded, and the trace has no input_tokens"),
        (
            {"attributes": {REQUESTED: "small"}, "usage": Usage(input_tokens=3)},
            "no cost is recorded, and the trace has no output_tokens",
        ),
        (
            {"attributes": {REQUESTED: "small"}, "usage": Usage(input_tokens=-3, output_tokens=1)},
            "no cost is recorded, and input_tokens is -3, and cannot be",
        ),
        (
            {"attributes": {REQUESTED: "large", CACHED: "11"}, "usage": Usage(input_tokens=10, output_tokens=1)},
            f"{CACHED} is '11'; a part of the 10 input tokens belongs there",
        ),
        (
            {"attributes": {REQUESTED: "large", CACHED: "most"}, "usage": Usage(input_tokens=10, output_tokens=1)},
            f"{CACHED} is 'most'; a part of the 10 input tokens belongs there",
        ),
        ({"cost": -1.0}, "the recorded cost is -1.0, and cannot be"),
        ({"cost": float("nan")}, "the recorded cost is nan, and cannot be"),
        ({"cost": float("inf")}, "the recorded cost is inf, and cannot be"),
        (
            {"attributes": {"llm.cost.total": "cheap"}},
            "llm.cost.total is 'cheap'; a number of at least 0 belongs there",
        ),
        ({"attributes": {"llm.cost.total": "-2"}}, "llm.cost.total is '-2'; a number of at least 0 belongs there"),
        (
            {"attributes": {"cost": "$0.05", REQUESTED: "small"}},
            "cost is '$0.05'; a number of at least 0 belongs there",
        ),
        ({"attributes": {"cost": "0,02"}}, "cost is '0,02'; a number of at least 0 belongs there"),
        (
            {"attributes": {REQUESTED: "small", "usage.input_tokens": "-5"}},
            "no cost is recorded, and input_tokens is '-5', and cannot be",
        ),
        (
            {"attributes": {REQUESTED: "\x00\ud800"}},
            r"no cost is recorded, and prices has no '\x00\ud800'",
        ),
    ],
)
def test_without_a_cost_it_is_not_applicable(run: Any, fields: dict[str, Any], reason: str) -> None:
    found = run("cost", {"prices": PRICES}, **fields)["cost"]
    assert (found.status, found.value, found.reason) == (Status.NOT_APPLICABLE, None, reason)


def test_long_texts(run: Any) -> None:
    found = run("cost", attributes={REQUESTED: "x" * 1_000_000, "llm.cost.total": "9" * 1_000_000})["cost"]
    assert found.status is Status.NOT_APPLICABLE
    assert len(found.reason) < 400


def test_what_it_says_about_itself() -> None:
    info = create_scorer("cost", None, {"prices": PRICES}).info
    assert (info.kind, info.direction, info.needs) == (ScorerKind.CODE, Direction.LOWER, frozenset())
    dearer = create_scorer("cost", None, {"prices": {"small": {"input": 1, "output": 2}}}).info
    euros = create_scorer("cost", None, {"prices": PRICES, "currency": "EUR"}).info
    assert len({info.fingerprint, dearer.fingerprint, euros.fingerprint}) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prices": {"a": {"input": 1}}}, "prices.a.output: is missing"),
        ({"prices": {"a": {"input": -1, "output": 1}}}, "prices.a.input: found -1"),
        ({"prices": {"a": {"input": 1, "output": float("inf")}}}, "prices.a.output: found inf"),
        ({"prices": {"a": {"input": 1, "output": 1, "cached": 0}}}, "did you mean 'cached_input'"),
        ({"prices": {"a": 3}}, "prices.a: found 3; a mapping"),
        ({"currency": ""}, "currency: found ''"),
        ({"price": {}}, "did you mean 'prices'"),
    ],
)
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create_scorer("cost", None, options)
