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
GENAI = "gen_ai."
# Where the name of an event stood before log records had a field for it.
OLDER_NAME = "event.name"
# Of records of one moment, who speaks first.
_ORDER = {name: n for n, name in enumerate(("system", "user", "assistant", "tool"))}


def says_of_genai(name: Any) -> bool:
    """Whether an event of this name may say something of a span."""
    return isinstance(name, str) and name.startswith(GENAI)


def log_span(
    *, trace_id: str, span_id: str, at: tuple[int | None, int | None], event: SpanEvent, body: Any, position: str
) -> Span:
    """A record's part of its trace, the body's entries beside its attributes. ``at``: made, and observed."""
    told = body if isinstance(body, Mapping) else {} if body in (None, "") else {"content": body}
    made, observed = at
    return Span(
        trace_id=trace_id,
        span_id=span_id,
        start_ns=made or observed,
        end_ns=observed,
        events=(SpanEvent(name=event.name, attributes={**told, **event.attributes}),),
        position=position,
        of_log=True,
    )


def to_their_spans(parts: Iterable[Span]) -> list[Span]:
    """The spans of one trace with what log records say of them, in order of time.

    A record that was sent again counts once, and so does what is an event of the span as well. Raises UnreadableError
    where there are records and no span at all.
    """
    spans: list[Span] = []
    said: dict[str, dict[tuple[Any, ...], SpanEvent]] = defaultdict(dict)
    for part in parts:
        if part.of_log:
            said[part.span_id] |= {_place(part, event): event for event in part.events}
        else:
            spans.append(part)
    if said and not spans:
        raise UnreadableError("log records without their spans: the objects with the spans lie elsewhere, or are gone")
    return [_with(span, said[span.span_id]) if span.span_id in said else span for span in spans]


def _place(part: Span, event: SpanEvent) -> tuple[Any, ...]:
    """Orders records, the same ones always in the same way."""
    role = event.name.removeprefix(GENAI).removesuffix(".message")
    return part.start_ns or 0, part.end_ns or 0, _ORDER.get(role, len(_ORDER)), _told(event)


def _told(event: SpanEvent) -> str:
    return as_text([event.name, dict(event.attributes)])


def _with(span: Span, said: Mapping[tuple[Any, ...], SpanEvent]) -> Span:
    known = set(map(_told, span.events))
    events = [said[place] for place in sorted(said) if place[-1] not in known]
    return replace(span, events=(*span.events, *events))
