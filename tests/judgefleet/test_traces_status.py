"""The status of spans arrives with the trace, and a request that failed is a trace without an answer."""

import json
from pathlib import Path
from typing import Any

import pytest

from judgefleet.trace import Trace
from judgefleet.traces import Reject, read_object

TEXT = (Path(__file__).parent / "data/otlp_support.json").read_text()
CHAT, RETRIEVAL, PLAN, TOOL, ROOT = range(5)
OUTPUT, FINISH = "gen_ai.output.messages", "gen_ai.response.finish_reasons"


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


ASKED = "gen_ai.input.messages"
QUESTION = {ASKED: '[{"role": "user", "content": "Where?"}]'}
AGENT_ASKED = {"gen_ai.operation.name": "invoke_agent"} | QUESTION
NO_CHAT = {"add": {"gen_ai.operation.name": "plan"}, "drop": ("gen_ai.operation.name", ASKED, OUTPUT)}


@pytest.mark.parametrize(
    ("root", "others", "span"),
    [
        ({"status": ERROR, "add": QUESTION}, NO_CHAT, "00f067aa0ba902b7"),
        ({"add": {"error.type": "timeout"} | QUESTION}, NO_CHAT, "00f067aa0ba902b7"),
        ({"status": ERROR, "add": QUESTION}, {"drop": (OUTPUT,)}, "00f067aa0ba902b7"),
        # The agent that failed, below a root that does not say what was asked.
        ({"status": ERROR}, NO_CHAT | {"status": ERROR, "add": AGENT_ASKED}, "b7ad6b7169203331"),
        ({}, NO_CHAT | {"status": ERROR, "add": AGENT_ASKED}, "b7ad6b7169203331"),
    ],
)
def test_a_request_that_failed_before_a_model_was_asked(
    root: dict[str, Any], others: dict[str, Any], span: str
) -> None:
    trace = read(root=dict(root), chat=dict(others), plan=dict(NO_CHAT))
    assert isinstance(trace, Trace), trace
    assert (trace.output, trace.question, trace.span_id) == (None, "Where?", span)


@pytest.mark.parametrize(
    ("root", "chat", "said"),
    [
        ({"status": ERROR}, NO_CHAT, "no chat span"),
        ({"status": OK, "add": QUESTION | {"error.type": "retried"}}, NO_CHAT, "no chat span"),
        ({"add": QUESTION}, NO_CHAT, "no chat span"),
        ({"status": ERROR, "add": {ASKED: "[]"}}, NO_CHAT, "no question"),
        # One agent of several failed, and the root does not say that the request did.
        ({}, NO_CHAT | {"status": ERROR, "add": AGENT_ASKED}, "switch the capture of message content on"),
    ],
)
def test_what_says_nothing_of_the_request_is_a_reject(root: dict[str, Any], chat: dict[str, Any], said: str) -> None:
    plan = {"drop": (OUTPUT,)} if "switch" in said else NO_CHAT
    rejected = read(root=dict(root), chat=dict(chat), plan=dict(plan))
    assert isinstance(rejected, Reject)
    assert said in rejected.reason


@pytest.mark.parametrize(
    ("messages", "reasons"),
    [
        ([{"role": "assistant", "parts": [], "finish_reason": "length"}], '["length"]'),
        ([{"role": "assistant", "content": "a", "finish_reason": r} for r in ("stop", "error")], '["stop","error"]'),
        ([{"role": "assistant", "content": "a", "finish_reason": None}], None),
        ([{"role": "assistant", "content": "a", "finish_reason": ["length"]}], None),
        ([{"role": "assistant", "content": "a"}], None),
    ],
)
def test_why_the_answer_ended(messages: list[dict[str, Any]], reasons: str | None) -> None:
    told = {"add": {OUTPUT: json.dumps(messages)}, "drop": (OUTPUT, FINISH)}
    assert attributes(chat=told).get(FINISH) == reasons


def test_what_the_span_says_of_its_end_comes_first() -> None:
    messages = json.dumps([{"role": "assistant", "content": "a", "finish_reason": "length"}])
    assert attributes(chat={"add": {OUTPUT: messages}, "drop": (OUTPUT,)})[FINISH] == '["stop"]'
    added = {"add": {OUTPUT: messages}, "drop": (OUTPUT, FINISH)}
    assert attributes(chat=added, root={"add": {FINISH: '["stop"]'}})[FINISH] == '["length"]'


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
