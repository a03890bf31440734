"""The status of spans arrives with the trace, and a request that failed is a trace without an answer."""

import json
from pathlib import Path
from typing import Any

import pytest

from judgefleet.trace import Trace
from judgefleet.traces import Reject, read_object

TEXT = (Path(__file__).parent / "data/otlp_support.json").read_text()
CHAT, RETRIEVAL, PLAN, TOOL, ROOT = range(5)
OUTPUT = "gen_ai.output.messages"


def read(**changes: dict[str, Any]) -> Trace | Reject:
    """The trace after changes to spans: fields by name, attributes to ``drop`` and to ``add``."""
    document = json.loads(TEXT)
    spans = [span for scope in document["resourceSpans"][0]["scopeSpans"] for span in scope["spans"]]
    for name, change in changes.items():
        span = spans[{"chat": CHAT, "plan": PLAN, "root": ROOT}[name]]
        dropped, added = change.pop("drop", ()), change.pop("add", {})
        kept = [pair for pair in span["attributes"] if pair["key"] not in dropped]
        span["attributes"] = kept + [{"key": k, "value": {"stringValue": v}} for k, v in added.items()]
        span.update(change)
    (item,) = read_object("o", json.dumps(document).encode())
    return item


def attributes(**changes: dict[str, Any]) -> dict[str, str]:
    item = read(**changes)
    assert isinstance(item, Trace), item
    return dict(item.attributes)


OK, ERROR, UNSET = {"code": 1}, {"code": 2, "message": "the engine is gone"}, {"code": 0}


@pytest.mark.parametrize(
    ("root", "chat", "code"),
    [
        (OK, OK, "OK"),
        (UNSET, OK, "OK"),
        (UNSET, ERROR, "ERROR"),
        (ERROR, OK, "ERROR"),
        (OK, ERROR, "OK"),
        (UNSET, UNSET, None),
        ({}, None, None),
        ({"code": "STATUS_CODE_ERROR"}, OK, "ERROR"),
        ({"code": "2"}, OK, "ERROR"),
        ({"code": 7}, OK, "OK"),
        ("broken", [], None),
    ],
)
def test_the_root_decides_where_its_status_is_set(root: Any, chat: Any, code: str | None) -> None:
    found = attributes(root={"status": root}, chat={"status": chat})
    assert found.get("otel.status_code") == code


def test_the_description_comes_along() -> None:
    found = attributes(chat={"status": ERROR, "add": {"error.type": "timeout"}})
    assert found["otel.status_description"] == "the engine is gone"
    assert found["error.type"] == "timeout"


@pytest.mark.parametrize("how", [{"status": ERROR}, {"add": {"error.type": "timeout"}}])
def test_a_failed_request_is_a_trace_without_an_output(how: dict[str, Any]) -> None:
    trace = read(chat={**how, "drop": (OUTPUT,)}, plan={"drop": (OUTPUT,)})
    assert isinstance(trace, Trace), trace
    assert trace.output is None
    assert trace.question == "My parcel is eight days late."
    assert trace.span_id == "b7ad6b7169203331"


def test_without_output_and_without_failure_it_is_still_a_reject() -> None:
    rejected = read(chat={"drop": (OUTPUT,)}, plan={"drop": (OUTPUT,)}, root={"status": ERROR})
    assert isinstance(rejected, Reject)
    assert "switch the capture of message content on" in rejected.reason


def test_an_error_type_that_the_status_overrules_is_no_failure() -> None:
    overruled = read(chat={"drop": (OUTPUT,), "status": OK, "add": {"error.type": "retried"}}, plan={"drop": (OUTPUT,)})
    assert isinstance(overruled, Reject)


def test_evaluation_events_become_a_list() -> None:
    def event(name: str, value: float) -> dict[str, Any]:
        pairs = {
            "gen_ai.evaluation.name": {"stringValue": name},
            "gen_ai.evaluation.score.value": {"doubleValue": value},
        }
        return {"name": "gen_ai.evaluation.result", "attributes": [{"key": k, "value": v} for k, v in pairs.items()]}

    found = attributes(root={"events": [event("thumbs", 1.0)]}, chat={"events": [event("relevance", 0.5)]})
    assert json.loads(found["gen_ai.evaluation.result"]) == [
        {"gen_ai.evaluation.name": "thumbs", "gen_ai.evaluation.score.value": 1.0},
        {"gen_ai.evaluation.name": "relevance", "gen_ai.evaluation.score.value": 0.5},
    ]
