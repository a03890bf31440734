"""Current GenAI conventions with the content on an event of the span instead of the span itself."""

from dataclasses import replace
from typing import Any

from judgefleet.traces.span import Span

_DETAILS = "gen_ai.client.inference.operation.details"


def on_the_span(span: Span) -> Span:
    """``span`` with the attributes of its details events; its own come first."""
    details = [event.attributes for event in span.events if event.name == _DETAILS]
    if not details:
        return span
    merged: dict[str, Any] = {key: value for found in details for key, value in found.items()}
    return replace(span, attributes=merged | dict(span.attributes))
