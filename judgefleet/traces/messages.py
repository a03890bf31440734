"""Messages in the forms that OpenAI, OpenTelemetry and people write them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from judgefleet.trace import Message
from judgefleet.traces.reject import UnreadableError, shown
from judgefleet.traces.values import as_text, first_given, parsed


def read_messages(value: Any, name: str, plain_role: str = "user") -> tuple[Message, ...]:
    """The messages in ``value``: a list of them or one, structured or JSON text; plain text is one of ``plain_role``.

    Raises UnreadableError naming ``name`` and the message.
    """
    found = parsed(value, name)
    if isinstance(found, str):
        return (Message(role=plain_role, content=found),)
    entries = [found] if isinstance(found, Mapping) else found
    if not isinstance(entries, Sequence):
        raise UnreadableError(f"found {name} {shown(value)}; a list of messages belongs here")
    return tuple(_message(entry, f"{name}[{number}]") for number, entry in enumerate(entries))


def text_parts(value: Any, name: str) -> list[str]:
    """The texts in a list of parts (JSON text or structured); parts that are not text are left out."""
    found = parsed(value, name)
    if isinstance(found, str):
        return [found]
    entries = [found] if isinstance(found, Mapping) else found
    if not isinstance(entries, Sequence):
        raise UnreadableError(f"found {name} {shown(value)}; a list of parts belongs here")
    return [text for part in entries if (text := _text(part)) is not None]


def first_answer(value: Any, name: str) -> str | None:
    """The text of the first output message that has any; "" when none has; None when there is no message.

    Several output messages are alternatives (``choice.count``), so they are never joined.
    """
    found = parsed(value, name)
    if isinstance(found, str):
        return found
    entries = [found] if isinstance(found, Mapping) else found
    if not isinstance(entries, Sequence):
        raise UnreadableError(f"found {name} {shown(value)}; a list of messages belongs here")
    bodies = [_body(entry, name) for entry in entries]
    texts = [body if isinstance(body, str) else "\n".join(text_parts(body, name)) for body in bodies]
    return next(filter(None, texts), "") if texts else None


def finish_reasons(value: Any, name: str) -> list[str]:
    """Why each output message ended, of those that say it."""
    found = parsed(value, name)
    entries = [found] if isinstance(found, Mapping) else found if isinstance(found, Sequence) else []
    told = [entry.get("finish_reason") for entry in entries if isinstance(entry, Mapping)]
    return [reason for reason in told if isinstance(reason, str) and reason]


def _message(entry: Any, name: str) -> Message:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("role"), str):
        raise UnreadableError(f"found {name} {shown(entry)}; a message with a role belongs here")
    body = _body(entry, name)
    if isinstance(body, str):
        return Message(role=entry["role"], content=body)
    return Message(role=entry["role"], content="\n".join(_shown_parts(body)))


def _body(entry: Any, name: str) -> Any:
    """Text or list of parts of a message; a message that calls tools may have neither."""
    if not isinstance(entry, Mapping):
        raise UnreadableError(f"found {name} {shown(entry)}; a message belongs here")
    body = first_given(entry, ("parts", "content"))
    if body is None and entry.get("tool_calls") is not None:
        return [{"type": "tool_call", "name": as_text(entry["tool_calls"])}]
    if body is None and "content" in entry and entry.get("role") == "assistant":
        return ""
    if not isinstance(body, str | list | tuple):
        raise UnreadableError(
            f"{name} has no content" if body is None else f"found {name} content {shown(body)}; text belongs here"
        )
    return body


def _shown_parts(parts: Iterable[Any]) -> list[str]:
    """Each part as a judge should see it: what is not text becomes a note in brackets, never nothing."""
    return [_text(part) if _text(part) is not None else _note(part) for part in parts]  # type: ignore[misc]


def _text(part: Any) -> str | None:
    if isinstance(part, str):
        return part
    if not isinstance(part, Mapping) or part.get("type", "text") not in ("text", "input_text", "output_text"):
        return None
    text = first_given(part, ("content", "text"))
    return text if isinstance(text, str) else None


def _note(part: Any) -> str:
    if not isinstance(part, Mapping):
        return f"[{as_text(part)}]"
    if part.get("type") == "tool_call_response":
        return as_text(first_given(part, ("response", "result", "content")) or "")
    kind = as_text(part.get("type", "part"))
    about = [as_text(part[key]) for key in ("name", "arguments", "mime_type") if part.get(key) is not None]
    return f"[{' '.join([kind, *about])}]"
