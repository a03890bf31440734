"""Spans said in other conventions, in the names of OpenTelemetry's current GenAI conventions.

Each dialect is a module with ``speaks`` (whether a span's attributes are in it) and ``said`` (the span's attributes,
with those it understands under the current names). What a dialect does not understand stays as it is.
"""

from dataclasses import replace

from judgefleet.traces.dialects import genai_details, genai_older, langfuse_sdk, mlflow, openinference
from judgefleet.traces.span import Span

# The first that a span speaks is taken: instrumentations that speak two say the same in both.
_DIALECTS = (openinference, mlflow, langfuse_sdk, genai_older)


def in_current_names(span: Span) -> Span:
    """``span`` with what it says under the current names. Raises UnreadableError for what cannot be read."""
    span = genai_details.on_the_span(span)
    dialect = next((dialect for dialect in _DIALECTS if dialect.speaks(span)), None)
    return span if dialect is None else replace(span, attributes=dialect.said(span))
