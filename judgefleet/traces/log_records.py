"""Log records that carry what a span does not: GenAI content, and evaluations, as events beside their span.

https://opentelemetry.io/docs/specs/otel/logs/data-model; an exporter writes them to objects of their own, apart from
the spans. A record becomes a ``Span`` that says only which span it belongs to, and is put to that span when a trace is
put together.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from judgefleet.traces.reject import UnreadableError
from judgefleet.traces.span import Span, SpanEvent
from judgefleet.traces.values import as_text

# Every other record is what an application logs for its operators, and no part of a trace.
_GENAI = "gen_ai."
# Where the name of an event stood before log records had a field for it.
_OLDER_NAME = "event.name"


def event_of(name: Any, attributes: Mapping[str, Any], body: Any) -> SpanEvent | None:
    """What a record says, its body's entries beside its attributes; None for one that says nothing of GenAI."""
    called = name or attributes.get(_OLDER_NAME)
    if not isinstance(called, str) or not called.startswith(_GENAI):
        return None
    told = body if isinstance(body, Mapping) else {} if body in (None, "") else {"content": body}
    return SpanEvent(name=called, attributes={**told, **attributes})


def to_their_spans(parts: Iterable[Span]) -> list[Span]:
    """The spans of one trace with what log records say of them, in order of time; a record sent again counts once.

    Raises UnreadableError where there are records and no span at all.
    """
    spans: list[Span] = []
    said: dict[str, dict[tuple[int, str], tuple[SpanEvent, ...]]] = defaultdict(dict)
    for part in parts:
        if part.of_log:
            known = as_text([[event.name, dict(event.attributes)] for event in part.events])
            said[part.span_id].setdefault((part.start_ns or 0, known), part.events)
        else:
            spans.append(part)
    if said and not spans:
        raise UnreadableError("log records without their spans: the objects with the spans lie elsewhere, or are gone")
    return [_with(span, said.get(span.span_id, {})) for span in spans]


def _with(span: Span, said: Mapping[tuple[int, str], tuple[SpanEvent, ...]]) -> Span:
    events = [event for _, found in sorted(said.items(), key=lambda one: one[0][0]) for event in found]
    return replace(span, events=(*span.events, *events)) if events else span
