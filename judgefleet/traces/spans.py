"""How spans become a trace: see docs/decisions/spans-become-a-trace.md."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from judgefleet.trace import Latency, Message, ToolCall, Trace
from judgefleet.traces.answering import answering, root_of
from judgefleet.traces.clean import cleaned
from judgefleet.traces.content import Content, ReadOptions
from judgefleet.traces.dialects import in_current_names
from judgefleet.traces.limits import within
from judgefleet.traces.log_records import to_their_spans
from judgefleet.traces.messages import finish_reasons, read_messages, text_parts
from judgefleet.traces.model_calls import merged_attributes
from judgefleet.traces.plain import documents
from judgefleet.traces.reject import Reject, UnreadableError
from judgefleet.traces.span import (
    ARGUMENTS,
    DOCUMENTS,
    FINISH,
    FIRST_CHUNK,
    INPUT,
    OPERATION,
    OUTPUT,
    RESULT,
    SYSTEM,
    TOOL,
    USAGE,
    Span,
)
from judgefleet.traces.usage import usage_of
from judgefleet.traces.values import as_count, as_number, as_text, first_given, from_nanoseconds, parsed

_CONVERSATION = ("gen_ai.conversation.id", "session.id")
_COUNTS = {f"{USAGE}{count}" for count in ("input_tokens", "output_tokens", "prompt_tokens", "completion_tokens")}
_VARIANT_OLD = "feature_flag.variant"
_EVALUATION = "gen_ai.evaluation.result"
# The names that OpenTelemetry gives a status where a format has no field for it.
STATUS_CODE, _STATUS_DESCRIPTION = "otel.status_code", "otel.status_description"


def whole_traces(parts: Iterable[Span | Reject], content: Content) -> Iterator[Trace | Reject]:
    """Spans of one trace id are put together wherever they stand in the object; then one trace or reject each.

    A trace of which one span cannot be read is rejected whole: half a trace would be judged as something it was not.
    """
    spans: list[Span] = []
    spoilt: dict[str, Reject] = {}
    for item in parts:
        if isinstance(item, Span):
            spans.append(item)
        elif item.trace_id is None:
            yield item
        else:
            spoilt.setdefault(item.trace_id, item)
    yield from spoilt.values()
    yield from traces_from_spans((span for span in spans if span.trace_id not in spoilt), content)


def trace_of(spans: Iterable[Span], uri: str, options: ReadOptions) -> Trace | Reject:
    """The trace of ``spans`` of one id, or why it is none; the same one in whatever order they come."""
    ordered = sorted(spans, key=lambda span: (span.start_ns or 0, span.span_id))
    content = Content(uri=uri, data=b"", options=options)
    return within(cleaned(next(iter(traces_from_spans(ordered, content)))), options)


def traces_from_spans(spans: Iterable[Span], content: Content) -> Iterator[Trace | Reject]:
    """One trace or one reject for each trace id among ``spans``, in order of first appearance."""
    groups: dict[str, list[Span]] = defaultdict(list)
    for span in spans:
        groups[span.trace_id].append(span)
    for trace_id, group in groups.items():
        try:
            told = map(in_current_names, to_their_spans(group))
            yield _assemble(sorted(_once(told), key=lambda s: s.start_ns or 0), content)
        except UnreadableError as error:
            named = dict.fromkeys(span.name for span in sorted(group, key=lambda s: s.start_ns or 0) if span.name)
            yield content.reject(group[0].position, str(error), trace_id=trace_id, text=", ".join(named))


def _once(spans: Iterable[Span]) -> Iterable[Span]:
    """An export may write a span again: the newest version is kept, of equals the one that says more."""
    kept: dict[str, Span] = {}
    for span in spans:
        before = kept.get(span.span_id)
        kept[span.span_id] = span if before is None or before == span else max(before, span, key=_version)
    return kept.values()


def _version(span: Span) -> tuple[str, int, int, str]:
    told = as_text(span.attributes.get("updated_at") or "")
    return told, span.end_ns or 0, len(span.attributes), as_text(dict(span.attributes))


def _assemble(spans: list[Span], content: Content) -> Trace:
    options, root = content.options, root_of(spans)
    chat, output = answering(spans, root, options)
    everywhere = [root, chat, *spans]
    conversation = _find(everywhere, *_CONVERSATION)
    start = next((time for span in everywhere if (time := span.start_ns or span.end_ns)), None)
    return Trace(
        trace_id=chat.trace_id,
        span_id=chat.span_id,
        conversation_id=conversation,
        started_at=None if start is None else from_nanoseconds(start),
        service=_resource([root, chat], "service.name"),
        environment=_resource([root, chat], "deployment.environment.name", "deployment.environment"),
        experiment=_find(everywhere, options.experiment_attribute),
        variant=_find(everywhere, options.variant_attribute, _VARIANT_OLD),
        messages=_messages(chat),
        output=output,
        contexts=_contexts(spans),
        tool_calls=tuple(_tool_call(span) for span in spans if span.operation == "execute_tool"),
        usage=usage_of({k.removeprefix(USAGE): v for k, v in chat.attributes.items() if k.startswith(USAGE)}),
        latency=_latency(chat),
        attributes=_attributes(spans, root, chat, options),
        source_uri=content.uri,
    )


def _messages(chat: Span) -> tuple[Message, ...]:
    system: tuple[Message, ...] = ()
    if (instructions := chat.attributes.get(SYSTEM)) is not None:
        system = (Message(role="system", content="\n".join(text_parts(instructions, SYSTEM))),)
    asked = read_messages(chat.attributes.get(INPUT) or [], INPUT)
    if not any(message.role == "user" for message in asked):
        raise UnreadableError(f"no question: {INPUT} has no user turn")
    return system + asked


def _contexts(spans: list[Span]) -> tuple[str, ...]:
    found = [span.attributes.get(DOCUMENTS) for span in spans if span.operation == "retrieval"]
    return tuple(text for value in found for text in documents(parsed(value, DOCUMENTS), DOCUMENTS))


def _tool_call(span: Span) -> ToolCall:
    result = span.attributes.get(RESULT)
    return ToolCall(
        name=as_text(first_given(span.attributes, (TOOL,)) or span.name),
        arguments=as_text(first_given(span.attributes, (ARGUMENTS,)) or ""),
        result=None if result is None else as_text(result),
    )


def _latency(chat: Span) -> Latency:
    first_chunk = as_number(chat.attributes.get(FIRST_CHUNK))
    timed = chat.start_ns is not None and chat.end_ns is not None
    return Latency(
        ttft_ms=None if first_chunk is None else first_chunk * 1000,
        total_ms=(chat.end_ns - chat.start_ns) / 1e6 if timed else None,  # type: ignore[operator]
    )


def _find(spans: Iterable[Span], *names: str) -> str | None:
    """The first of ``names`` on the first span that has one, on the span or on one of its events."""
    for span in spans:
        for attributes in (span.attributes, *(event.attributes for event in span.events)):
            if (value := first_given(attributes, names)) is not None:
                return as_text(value)
    return None


def _resource(spans: Iterable[Span], *names: str) -> str | None:
    value = next((v for span in spans if (v := first_given(span.resource, names)) is not None), None)
    return None if value is None else as_text(value)


def _attributes(spans: list[Span], root: Span, chat: Span, options: ReadOptions) -> dict[str, str]:
    """What the root and the answering span say beyond the fields of a trace; where both do, the answering span."""
    consumed = {
        OPERATION,
        INPUT,
        OUTPUT,
        SYSTEM,
        *_CONVERSATION,
        options.variant_attribute,
        options.experiment_attribute,
    }
    merged = _status(root, chat) | _evaluations([root, chat]) | merged_attributes(spans, root, chat) | _finish(chat)
    return {k: as_text(v) for k, v in merged.items() if k not in consumed and not _understood(k, v) and v is not None}


def _status(root: Span, chat: Span) -> dict[str, Any]:
    """The status of the request: that of the root where one is set, else that of the answering span."""
    span = root if root.status else chat
    return {STATUS_CODE: span.status, _STATUS_DESCRIPTION: span.status_message or None}


def _finish(chat: Span) -> dict[str, Any]:
    """Why the answer ended, where its messages say so and the span does not."""
    if chat.attributes.get(FINISH):
        return {}
    found = finish_reasons(chat.attributes.get(OUTPUT), OUTPUT)
    return {FINISH: found} if found else {}


def _evaluations(spans: Iterable[Span]) -> dict[str, Any]:
    """What evaluation events on the spans say, in order, as a list of their attributes."""
    once = {span.span_id: span for span in spans}.values()
    found = [dict(event.attributes) for span in once for event in span.events if event.name == _EVALUATION]
    return {_EVALUATION: found} if found else {}


def _understood(name: str, value: Any) -> bool:
    """Whether the attribute has become a number of the trace; one that could not be read stays an attribute."""
    if name == FIRST_CHUNK:
        return as_number(value) is not None
    return name in _COUNTS and as_count(value) is not None
