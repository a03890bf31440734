"""Reject: something in an input object that could not be read as a trace, and why."""

from dataclasses import dataclass

_LONGEST_EXCERPT = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Reject:
    """What was passed over. ``position`` says where in the object: ``line 3``, ``row 7``, a span's path, ``object``."""

    uri: str
    position: str
    reason: str
    trace_id: str | None = None
    excerpt: str = ""


class UnreadableError(Exception):
    """Raised and caught inside the readers: this part of the input is not a trace; the text says why."""


def excerpt(text: str) -> str:
    """The beginning of ``text``, short enough for a table of rejects."""
    return text if len(text) <= _LONGEST_EXCERPT else f"{text[:_LONGEST_EXCERPT]}..."


def shown(value: object) -> str:
    """``value`` as an error message shows it."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}..."
