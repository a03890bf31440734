"""Earlier forms of the GenAI conventions: content under indexed attributes, as JSON text, or on events of the span.

Indexed ``gen_ai.prompt.0.content`` is OpenLLMetry's; ``gen_ai.prompt`` and the events ``gen_ai.user.message`` to
``gen_ai.choice`` were OpenTelemetry's up to version 1.36.
"""

from collections.abc import Mapping
from typing import Any

from judgefleet.traces.dialects.indexed import Flat, entries, keys_of, without
from judgefleet.traces.free_form import answer_of, messages_of, with_finish
from judgefleet.traces.span import INPUT, OPERATION, OUTPUT, Span, SpanEvent
from judgefleet.traces.values import as_text, first_given, plain_value

_PROMPT, _COMPLETION = "gen_ai.prompt", "gen_ai.completion"
_ROLES = {f"gen_ai.{role}.message": role for role in ("system", "user", "assistant", "tool")}
_CHOICE = "gen_ai.choice"
_EVENTS = {*_ROLES, _CHOICE, "gen_ai.content.prompt", "gen_ai.content.completion"}


def speaks(span: Span) -> bool:
    """Whether the span has content in an earlier form, and none in the current one."""
    if OUTPUT in span.attributes or INPUT in span.attributes:
        return False
    spread = any(name in span.attributes or keys_of(span.attributes, name) for name in (_PROMPT, _COMPLETION))
    return spread or any(event.name in _EVENTS for event in span.events)


def said(span: Span) -> Mapping[str, Any]:
    """The attributes under current names; without an operation it is a chat."""
    found: Flat = {key: value for event in span.events if event.name in _EVENTS for key, value in _content(event)}
    found |= span.attributes
    asked = _indexed(found, _PROMPT) or messages_of(found.get(_PROMPT)) or _by_events(span)
    answered = _indexed(found, _COMPLETION) or _choices(span)
    if not answered and found.get(_COMPLETION) is not None:
        answered = answer_of(found[_COMPLETION])
    known = {OPERATION: "chat"} | without(found, _PROMPT, _COMPLETION)
    return known | ({INPUT: asked} if asked else {}) | ({OUTPUT: answered} if answered else {})


def _content(event: SpanEvent) -> list[tuple[str, Any]]:
    """What ``gen_ai.content.*`` events carry is what the attributes of the span were before."""
    return [(name, event.attributes[name]) for name in (_PROMPT, _COMPLETION) if name in event.attributes]


def _indexed(found: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    return [_message(entry) for entry in entries(found, name) if "content" in entry or "role" in entry]


def _message(entry: Flat) -> dict[str, Any]:
    body = plain_value(entry.get("content"))
    parts = list(body) if isinstance(body, list) else [] if body is None else [as_text(entry["content"])]
    calls = entries(entry, "tool_calls")
    parts += [{"type": "tool_call", "name": call.get("name"), "arguments": call.get("arguments")} for call in calls]
    return with_finish({"role": as_text(entry.get("role") or "user"), "parts": parts}, entry)


def _by_events(span: Span) -> list[dict[str, Any]]:
    return [
        _message({**event.attributes, "role": event.attributes.get("role", _ROLES[event.name])})
        for event in span.events
        if event.name in _ROLES
    ]


def _choices(span: Span) -> list[dict[str, Any]]:
    found = [event.attributes for event in span.events if event.name == _CHOICE]
    told = [plain_value(first_given(choice, ("message",))) for choice in found]
    return [
        _message({"role": "assistant", **(with_finish(message, choice) if isinstance(message, Mapping) else choice)})
        for choice, message in zip(found, told, strict=True)
    ]
