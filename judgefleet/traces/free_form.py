"""Input and output in whatever form an application logged them: text, which may hold JSON, or structured."""

from collections.abc import Mapping
from typing import Any

from judgefleet.traces.values import as_text, first_given, plain_value

_QUESTION = ("question", "query", "input", "prompt")
_TEXT = ("content", "text", "page_content", "pageContent")
_LISTS = ("documents", "results", "matches", "chunks")


def messages_of(value: Any) -> list[Any]:
    """The messages of an input: a list of them, one, those under ``messages``; anything else is one user turn."""
    found = plain_value(value)
    if isinstance(found, Mapping) and isinstance(found.get("messages"), list):
        found = found["messages"]
    if _is_message(found):
        return [found]
    if isinstance(found, list) and found and all(map(_is_message, found)):
        return found
    question = first_given(found, _QUESTION) if isinstance(found, Mapping) else value
    if not isinstance(question, str):
        question = value
    return [] if question in (None, "") else [{"role": "user", "content": as_text(question)}]


def answer_of(value: Any) -> list[Any]:
    """The answering message of an output: the message itself, the last of a list, the first of several choices.

    Anything else is the answer's text as it stands, JSON included: it may be what was asked for.
    """
    found = plain_value(value)
    if isinstance(found, Mapping) and isinstance(choices := found.get("choices"), list) and choices:
        found = choices[0].get("message") if isinstance(choices[0], Mapping) else choices[0]
        if isinstance(found, Mapping) and _is_message(found):
            found = with_finish(found, choices[0])
    if isinstance(found, list) and found and all(map(_is_message, found)):
        found = found[-1]
    return (
        [found]
        if _is_message(found)
        else [{"role": "assistant", "content": value if isinstance(value, str) else as_text(found)}]
    )


def with_finish(message: Mapping[str, Any], choice: Mapping[str, Any]) -> dict[str, Any]:
    """The message of a choice with why it ended, where the choice says so."""
    return {**message, **{name: choice[name] for name in ("finish_reason",) if name in choice}}


def documents_of(value: Any) -> list[str]:
    """The texts of what was retrieved; a document without a text of its own is shown whole."""
    found = plain_value(value)
    if isinstance(found, Mapping):
        found = next((found[name] for name in _LISTS if isinstance(found.get(name), list)), [found])
    entries = found if isinstance(found, list) else [found]
    return [_document(entry) for entry in entries if entry not in (None, "")]


def _document(entry: Any) -> str:
    text = first_given(entry, _TEXT) if isinstance(entry, Mapping) else entry
    return text if isinstance(text, str) else as_text(entry)


def _is_message(value: Any) -> bool:
    names = ("content", "parts", "tool_calls")
    return isinstance(value, Mapping) and isinstance(value.get("role"), str) and any(name in value for name in names)
