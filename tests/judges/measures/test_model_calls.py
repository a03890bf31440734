"""What a request cost and read, from the spans of all its model calls to the scores."""

import json
import random
import time
from collections.abc import Mapping
from typing import Any

import pytest

from judgefleet.sample import Sample
from judgefleet.score import Status
from judgefleet.trace import Trace, Usage
from judgefleet.traces import ReadOptions, read_object
from judgefleet.traces.model_calls import MODEL_CALLS, MOST_CALLS
from judgefleet.traces.span import Span
from judgefleet.traces.spans import trace_of
from judges.catalogue import create_scorer

PRICES = {"big": {"input": 10, "output": 30, "cached_input": 1}, "small": {"input": 0.5, "output": 2}}
TURN, SAID = ([{"role": role, "content": "Hi"}] for role in ("user", "assistant"))
ROOT, TOOL = {"gen_ai.operation.name": "invoke_agent"}, {"gen_ai.operation.name": "execute_tool"}
ASKED, RESPONDED = "gen_ai.request.model", "gen_ai.response.model"
READ, WRITTEN, CACHED = (
    f"gen_ai.usage.{name}" for name in ("input_tokens", "output_tokens", "cache_read.input_tokens")
)
COST = "gen_ai.usage.cost"


def chat(model: str | None = None, read: int | None = None, written: int | None = None, **more: Any) -> dict[str, Any]:
    told = {ASKED: model, READ: read, WRITTEN: written} | more
    spoken = {"gen_ai.operation.name": "chat", "gen_ai.input.messages": TURN, "gen_ai.output.messages": SAID}
    return spoken | {name: value for name, value in told.items() if value is not None}


def openinference(cost: float) -> dict[str, Any]:
    known = {"openinference.span.kind": "LLM", "input.value": "Hi", "output.value": "Hi", "llm.model_name": "small"}
    return known | {"llm.token_count.prompt": 20, "llm.token_count.completion": 10, "llm.cost.total": cost}


def langfuse(cost: float) -> dict[str, Any]:
    known = {"langfuse.observation.type": "GENERATION", "langfuse.observation.input": "Hi"}
    return known | {"langfuse.observation.output": "Hi", COST: cost}


def failed(attributes: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in attributes.items() if k != "gen_ai.output.messages"} | {"error.type": "timeout"}


def spans(*found: tuple[int, Mapping[str, Any]]) -> list[Span]:
    """Spans numbered from 1, each with the number of its parent (0: none), a second after the one before."""
    return [
        Span(
            trace_id="t",
            span_id=str(number),
            parent_id=str(parent) if parent else None,
            start_ns=10**18 + number * 10**9,
            end_ns=10**18 + number * 10**9 + 1 + (10**12 if parent == 0 else 0),
            attributes=attributes,
        )
        for number, (parent, attributes) in enumerate(found, start=1)
    ]


def traced(found: list[Span], **options: Any) -> Trace:
    trace = trace_of(found, "u", ReadOptions(**options))
    assert isinstance(trace, Trace), trace
    return trace


def score(use: str, trace: Trace, **options: Any) -> Any:
    sample = Sample(trace=trace, stratum="all", inclusion_probability=1.0, plan_hash="p")
    return create_scorer(use, None, options).score([sample])[0]


def cost(trace: Trace) -> Any:
    return score("cost", trace, prices=PRICES)["cost"]


def tokens(trace: Trace) -> tuple[float | None, ...]:
    return tuple(outcome.value for outcome in score("tokens", trace).values())


@pytest.mark.parametrize(
    ("root", "child", "expected"),
    [
        ({RESPONDED: "big"}, chat("small", 200, 20), 0.00014),
        ({ASKED: "big"}, openinference(0.0) | {"llm.cost.total": None}, 0.00003),
        ({CACHED: 1500}, chat("big", 2000, 20), 0.0206),
        ({"llm.token_count.prompt_details.cache_read": 1500}, chat("big", 2000, 20), 0.0206),
        ({READ: 9000, WRITTEN: 900, ASKED: "big"}, chat("small", 200, 20), 0.00014),
        ({"model": "big"}, chat("small", 200, 20), 0.00014),
        ({COST: 0.03}, chat("small", 200, 20, **{COST: 0.01}), 0.03),
        ({"llm.cost.total": "0.03"}, chat("small", 200, 20, **{COST: 0.01}), 0.03),
        ({COST: 0}, chat("small", 200, 20, **{COST: 0.01}), 0.01),
        ({COST: 0}, chat("small", 200, 20), 0.00014),
        ({READ: 200, WRITTEN: 20, ASKED: "small"}, chat(), 0.00014),
        ({READ: 200, WRITTEN: 20, ASKED: "small"}, chat("big"), 0.00014),
        ({COST: 0.03}, chat(), 0.03),
    ],
)
def test_the_root_is_no_model_call(root: dict[str, Any], child: dict[str, Any], expected: float) -> None:
    assert cost(traced(spans((0, ROOT | root), (1, child)))).value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("child", "reason"),
    [
        (chat(None, 200, 20), "no cost is recorded, and the trace names no model"),
        (chat("small"), "no cost is recorded, and the trace has no input_tokens"),
        (chat("small", 200, 20, **{COST: -1}), f"{COST} is '-1'; a number of at least 0 belongs there"),
    ],
)
def test_what_the_call_leaves_open_is_not_taken_from_the_root(child: dict[str, Any], reason: str) -> None:
    found = cost(traced(spans((0, ROOT | {ASKED: "big", CACHED: 3}), (1, child))))
    assert (found.value, found.reason) == (None, reason)


def test_a_cost_of_the_root_that_is_none_is_refused() -> None:
    found = cost(traced(spans((0, ROOT | {COST: "-1"}), (1, chat("big", 1, 1, **{COST: 0.01})))))
    assert found.reason == f"{COST} is '-1'; a number of at least 0 belongs there"


BIG, SMALL = chat("big", 5000, 500), chat("small", 200, 20)


@pytest.mark.parametrize(
    ("found", "expected", "counts"),
    [
        ([(0, ROOT), (1, BIG), (1, SMALL)], 0.06514, (5200, 520, 5720)),
        ([(0, ROOT), (1, SMALL), (1, BIG)], 0.06514, (5200, 520, 5720)),
        (
            [(0, ROOT), (1, chat("big", 1, 1, **{COST: 0.02})), (1, chat("small", 2, 2, **{COST: 0.01}))],
            0.03,
            (3, 3, 6),
        ),
        ([(0, ROOT), (1, chat("gone", 1, 1, **{COST: 0.02})), (1, SMALL)], 0.02014, (201, 21, 222)),
        ([(0, ROOT), (1, openinference(0.03)), (1, openinference(0.02))], 0.05, (40, 20, 60)),
        ([(0, ROOT), (1, langfuse(0.02)), (1, langfuse(0.01))], 0.03, (None, None, None)),
        ([(0, ROOT | {COST: 0.5}), (1, BIG), (1, SMALL)], 0.5, (5200, 520, 5720)),
        ([(0, ROOT), (1, BIG | {CACHED: 4000}), (1, SMALL)], 0.02914, (5200, 520, 5720)),
        # An attempt that failed counts where it has tokens.
        ([(0, ROOT), (1, failed(BIG)), (1, SMALL)], 0.06514, (5200, 520, 5720)),
        ([(0, ROOT), (1, failed(chat("big"))), (1, SMALL)], 0.00014, (200, 20, 220)),
        # A framework's span around a provider's for the same call.
        ([(0, ROOT), (1, BIG), (2, BIG)], 0.065, (5000, 500, 5500)),
        ([(0, ROOT), (1, chat()), (2, BIG)], 0.065, (5000, 500, 5500)),
        ([(0, ROOT), (1, BIG), (2, chat())], 0.065, (5000, 500, 5500)),
        ([(0, ROOT), (1, chat("big")), (2, chat(None, 5000, 500))], 0.065, (5000, 500, 5500)),
        ([(0, ROOT), (1, BIG), (2, {}), (3, BIG)], 0.065, (5000, 500, 5500)),
        ([(0, ROOT), (1, chat("big", 9, 9)), (2, BIG), (2, SMALL)], 0.06514, (5200, 520, 5720)),
        ([(0, ROOT), (1, BIG), (2, SMALL), (2, chat("small"))], 0.065, (5000, 500, 5500)),
        ([(0, BIG), (1, BIG)], 0.065, (5000, 500, 5500)),
        # A tool that asks a model itself is another call.
        ([(0, ROOT), (1, BIG), (2, TOOL), (3, SMALL)], 0.06514, (5200, 520, 5720)),
        # What the agent sums up, where one of its calls says nothing.
        ([(0, ROOT | {ASKED: "big", READ: 5000, WRITTEN: 500}), (1, chat()), (1, SMALL)], 0.065, (5000, 500, 5500)),
    ],
)
def test_all_calls_together(
    found: list[tuple[int, dict[str, Any]]], expected: float, counts: tuple[float | None, ...]
) -> None:
    told = spans(*found)
    trace = traced(told)
    assert cost(trace).value == pytest.approx(expected, rel=1e-12)
    assert tokens(trace) == counts
    for seed in range(3):
        assert traced(random.Random(seed).sample(told, len(told))) == trace


def test_the_answering_span_keeps_its_own_tokens_and_time() -> None:
    trace = traced(spans((0, ROOT), (1, BIG), (1, SMALL)))
    assert trace.usage == Usage(input_tokens=200, output_tokens=20)
    assert trace.latency.total_ms == pytest.approx(1e-6)
    assert trace.attributes[ASKED] == "small"
    assert json.loads(trace.attributes[MODEL_CALLS]) == [
        {"models": ["big"], "input_tokens": 5000, "output_tokens": 500},
        {"models": ["small"], "input_tokens": 200, "output_tokens": 20},
    ]


def test_one_call_needs_no_list() -> None:
    trace = traced(spans((0, ROOT), (1, chat("big", 1, 1, **{COST: 0.01}))))
    assert MODEL_CALLS not in trace.attributes
    assert (trace.attributes[COST], cost(trace).reason) == ("0.01", f"USD, as recorded in {COST}")


def test_calls_that_say_nothing_need_no_list() -> None:
    trace = traced(spans((0, ROOT), (1, chat()), (1, chat())))
    assert MODEL_CALLS not in trace.attributes
    assert tokens(trace) == (None, None, None)


def test_the_reason_says_of_how_many() -> None:
    trace = traced(spans((0, ROOT), (1, chat("big", 1, 1, **{COST: 0.02})), (1, SMALL)))
    assert cost(trace).reason == (
        "0.02014 USD of 2 model calls: 0.02 USD as recorded; "
        "0.00014 USD for small: 200 input tokens at 0.5 a million, 20 output tokens at 2 a million"
    )
    counted = score("tokens", trace)
    assert counted["input_tokens"].reason == "input_tokens of 2 model calls as recorded"
    assert counted["total_tokens"].reason == "201 input tokens + 21 output tokens, of 2 model calls"


@pytest.mark.parametrize(
    ("first", "why", "count"),
    [
        (chat("gone", 1, 1), "no cost is recorded, and prices has no 'gone'", None),
        (chat("big"), "no cost is recorded, and the trace has no input_tokens", "the trace has no input_tokens"),
        (
            chat("big", "many", 1),  # type: ignore[arg-type]
            "no cost is recorded, and input_tokens is 'many', and cannot be",
            "input_tokens is 'many', and cannot be",
        ),
        (chat("big", 1, 1, **{COST: "$1"}), "cost is '$1'; a number of at least 0 belongs there", None),
        (chat("big", 1, 1, **{CACHED: 9}), "cached_tokens is '9'; a part of the 1 input tokens belongs there", None),
    ],
)
def test_one_call_that_is_not_known_leaves_all_unknown(first: dict[str, Any], why: str, count: str | None) -> None:
    trace = traced(spans((0, ROOT), (1, first), (1, SMALL)))
    found, read = cost(trace), score("tokens", trace)["input_tokens"]
    assert (found.status, found.reason) == (Status.NOT_APPLICABLE, f"model call 1 of 2: {why}")
    assert read.reason == (f"model call 1 of 2: {count}" if count else "input_tokens of 2 model calls as recorded")


def test_the_same_over_objects_as_in_one() -> None:
    pairs = [{"key": k, "value": {"stringValue": v if isinstance(v, str) else json.dumps(v)}} for k, v in BIG.items()]
    written = [
        {"traceId": "a" * 32, "spanId": f"{n:016x}", "attributes": pairs, "startTimeUnixNano": n} for n in (3, 1, 2)
    ]
    [trace] = read_object("u", json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": written}]}]}).encode())
    assert isinstance(trace, Trace)
    assert cost(trace).value == pytest.approx(3 * 0.065)


def test_more_calls_than_are_added_up() -> None:
    trace = traced(spans((0, ROOT), *((1, SMALL) for _ in range(MOST_CALLS))))
    assert cost(trace).value == pytest.approx(MOST_CALLS * 0.00014)
    assert len(trace.attributes[MODEL_CALLS]) < 100 * MOST_CALLS
    trace = traced(spans((0, ROOT), *((1, SMALL) for _ in range(MOST_CALLS + 1))))
    said = f"the trace has {MOST_CALLS + 1} model calls, of which at most {MOST_CALLS} are added up"
    assert cost(trace).reason == f"no cost is recorded, and {said}"
    assert {outcome.reason for outcome in score("tokens", trace).values()} == {said}


def test_long_names_are_cut() -> None:
    trace = traced(spans((0, ROOT), *((1, chat("x" * 10_000, 1, 1)) for _ in range(20))))
    assert len(trace.attributes[MODEL_CALLS]) < 10_000


@pytest.mark.parametrize("shape", ["deep", "flat", "circle", "deep and flat"])
def test_any_shape_is_read_in_time(shape: str) -> None:
    n = 20_000
    parents = {
        "deep": list(range(n)),
        "flat": [0] + [1] * (n - 1),
        "circle": [n, *range(1, n)],
        "deep and flat": [*range(n // 2), *[n // 2] * (n // 2)],
    }[shape]
    began = time.process_time()
    traced(spans(*((parent, SMALL) for parent in parents)))
    assert time.process_time() - began < 20


@pytest.mark.parametrize(
    "text",
    [
        "",
        "often",
        "[",
        "[]",
        "{}",
        "[1]",
        "true",
        "null",
        "[" * 500,
        '[{"models":3,"input_tokens":[],"output_tokens":{},"cost":[],"cached_tokens":""}]',
        '[{"models":["big"],"input_tokens":1,"output_tokens":1,"cached_tokens":{}}]',
        f'[{{"models":["big"],"input_tokens":{"9" * 400},"output_tokens":1}}]',
        '[{"cost":1e308},{"cost":1e308}]',
        '[{"cost":"NaN"}]',
        "[" + "{}," * 600_000 + "{}]",
    ],
)
def test_a_list_that_is_none(text: str) -> None:
    trace = Trace(trace_id="t", attributes={MODEL_CALLS: text})
    assert cost(trace).status is Status.NOT_APPLICABLE
    for outcome in (cost(trace), *score("tokens", trace).values()):
        assert outcome.value is None or outcome.value >= 0
        assert len(outcome.reason) < 400
