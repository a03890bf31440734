"""Latency, tokens, cost and errors of every shipped trace, computed once more from the files with nothing of ours."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from judgefleet.sample import Sample
from judgefleet.trace import Trace
from judgefleet.traces import read_object
from judges.catalogue import create_scorer

FOLDER = Path(__file__).resolve().parents[3] / "datasets/support/traces"
FILES = sorted(FOLDER.rglob("*.json.gz"))
INPUT_PRICE, OUTPUT_PRICE = 0.15, 0.60
PRICES = {"embedded/smollm2-135m-instruct": {"input": INPUT_PRICE, "output": OUTPUT_PRICE}}


def chat_spans() -> Iterator[dict[str, Any]]:
    for path in FILES:
        document = json.loads(gzip.decompress(path.read_bytes()))
        for resource in document["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                yield from (span for span in scope["spans"] if span["name"].startswith("chat "))


def by_hand(span: dict[str, Any]) -> dict[str, float]:
    values = {pair["key"]: next(iter(pair["value"].values())) for pair in span["attributes"]}
    read, written = int(values["gen_ai.usage.input_tokens"]), int(values["gen_ai.usage.output_tokens"])
    first = float(values["gen_ai.response.time_to_first_chunk"]) * 1000
    total = (int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"])) / 1_000_000
    return {
        "ttft_ms": first,
        "total_ms": total,
        "tpot_ms": (total - first) / (written - 1),
        "input_tokens": read,
        "output_tokens": written,
        "total_tokens": read + written,
        "cost": (read * INPUT_PRICE + written * OUTPUT_PRICE) / 1_000_000,
        "error": float(span["status"]["code"] == 2),
    }


@pytest.fixture(scope="module")
def measured() -> dict[str, dict[str, Any]]:
    """Axis to outcome, by trace id, as the scorers have it."""
    items = [item for path in FILES for item in read_object(str(path))]
    traces = [item for item in items if isinstance(item, Trace)]
    assert len(traces) == len(items)
    samples = [Sample(trace=t, stratum="all", inclusion_probability=1.0, plan_hash="p") for t in traces]
    found: dict[str, dict[str, Any]] = {trace.trace_id: {} for trace in traces}
    for use, options in (("latency", {}), ("tokens", {}), ("cost", {"prices": PRICES}), ("error", {})):
        for trace, outcomes in zip(traces, create_scorer(use, None, options).score(samples), strict=True):
            found[trace.trace_id] |= outcomes
    return found


def test_every_trace_is_measured(measured: dict[str, dict[str, Any]]) -> None:
    assert len(measured) == len(list(chat_spans())) == 128
    assert set(measured) == {span["traceId"] for span in chat_spans()}


def test_the_values_are_those_computed_by_hand(measured: dict[str, dict[str, Any]]) -> None:
    for span in chat_spans():
        found = measured[span["traceId"]]
        for axis, value in by_hand(span).items():
            assert found[axis].value == pytest.approx(value, rel=1e-9), (span["traceId"], axis)


def test_what_the_traces_do_not_hold_has_no_value(measured: dict[str, dict[str, Any]]) -> None:
    assert {found["itl_ms"].value for found in measured.values()} == {None}
