"""Chat completions as they are logged: a request and its response on one line, or output lines of a batch API.

A line has ``request`` and ``response``, each with the body itself or under ``body``; of a batch, ``custom_id``,
``response`` with ``status_code`` and ``body``, and ``error``. Lines with only ``messages`` are of the plain form.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from judgefleet.trace import Trace
from judgefleet.traces.content import Content, Record
from judgefleet.traces.jsonl import read_record
from judgefleet.traces.reject import Reject
from judgefleet.traces.span import FINISH
from judgefleet.traces.values import as_number, first_given

_ANSWERS = ("choices", "output", "output_text")
_IDS = ("trace_id", "custom_id", "request_id", "id")
_ASKED = ("messages", "input", "prompt")


def recognises(content: Content) -> bool:
    """Whether the first JSON value has a response with a body of choices, or of a batch that failed."""
    first = content.first_record
    return isinstance(first, Mapping) and _is_exchange(first)


def read(content: Content) -> Iterator[Trace | Reject]:
    """One trace or reject a line; a request that failed is a trace without an output."""
    for record in content.records():
        if isinstance(record, Record) and isinstance(record.value, Mapping):
            record = Record(position=record.position, value=_plain(record.value), text=record.text)
        yield record if isinstance(record, Reject) else read_record(content, record)


def _is_exchange(record: Mapping[str, Any]) -> bool:
    response = record.get("response")
    failed = "custom_id" in record and "error" in record
    return failed or (isinstance(response, Mapping) and any(name in _body(response) for name in _ANSWERS))


def _body(value: Any) -> Mapping[str, Any]:
    inner = value.get("body", value) if isinstance(value, Mapping) else None
    return inner if isinstance(inner, Mapping) else {}


def _plain(record: Mapping[str, Any]) -> dict[str, Any]:
    """The same in the plain form. What was sent and came back beside the texts becomes attributes."""
    asked, given = _body(record.get("request")), _body(record.get("response"))
    rest = {name: value for name, value in record.items() if name not in ("request", "response", "error", "body")}
    sent = {f"request.{name}": value for name, value in asked.items() if name not in _ASKED}
    came = {f"response.{name}": value for name, value in given.items() if name not in (*_ANSWERS, "usage", "created")}
    question = {name: asked[name] for name in _ASKED if name in asked}
    known = {
        FINISH: _finish(given),
        "tool_calls": _message(given).get("tool_calls"),
        "usage": given.get("usage"),
        "started_at": first_given(given, ("created", "created_at")),
    }
    texts = question | {"output": _answer(given), **{k: v for k, v in known.items() if v is not None}}
    return sent | came | _failure(record) | texts | rest | {"trace_id": first_given({**given, **record}, _IDS)}


def _failure(record: Mapping[str, Any]) -> dict[str, Any]:
    """The status of a request that failed, as OpenTelemetry names it."""
    response = record.get("response")
    code = as_number(response.get("status_code")) if isinstance(response, Mapping) else None
    error = first_given(record, ("error",)) or first_given(_body(response), ("error",))
    if error is None and (code is None or code < 400):
        return {}
    return {"otel.status_code": "ERROR", "otel.status_description": error} | ({} if code is None else {"status": code})


def _message(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The message of the first choice."""
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, Mapping) else None
    return message if isinstance(message, Mapping) else {}


def _finish(body: Mapping[str, Any]) -> list[str] | None:
    """Why each choice ended; of a response why it is incomplete."""
    told = [choice.get("finish_reason") for choice in _list(body.get("choices")) if isinstance(choice, Mapping)]
    incomplete = body.get("incomplete_details")
    told += [incomplete.get("reason")] if isinstance(incomplete, Mapping) else []
    return [reason for reason in told if isinstance(reason, str) and reason] or None


def _answer(body: Mapping[str, Any]) -> Any:
    """The text of the first choice, "" where it only calls tools; of a response its message; None where none came."""
    choices = body.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], Mapping):
        found = first_given({**choices[0], **_message(body)}, ("content", "text"))
        return _joined(found) if found is not None else ""
    if isinstance(body.get("output"), list):
        parts = [part for item in body["output"] if isinstance(item, Mapping) for part in _list(item.get("content"))]
        return _joined(parts)
    return body.get("output_text")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _joined(content: Any) -> Any:
    if not isinstance(content, list):
        return content
    return "\n".join(
        part["text"] for part in content if isinstance(part, Mapping) and isinstance(part.get("text"), str)
    )
