"""OTLP in protobuf: one ``TracesData`` or ``ExportTraceServiceRequest`` an object, as the Collector's exporters write.

Both are the same on the wire, and so are those of logs down to the single record, which are read as well (see
``log_records``). Fields are those of https://opentelemetry.io/docs/specs/otlp.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from judgefleet.trace import Trace
from judgefleet.traces.content import Content
from judgefleet.traces.otlp_proto_span import WireResource, read_log, read_span, resource_of
from judgefleet.traces.otlp_wire import FIXED64, LENGTH, CutOffError, fields_in, messages_in
from judgefleet.traces.reject import Reject, UnreadableError
from judgefleet.traces.span import Span
from judgefleet.traces.spans import whole_traces

# Numbers of fields: of a message, of what it holds of one resource, and of what that holds of one scope.
_GROUPS, _RESOURCE, _SCOPES, _LEAVES = 1, 1, 2, 2
_SPANS, _LOGS = ("resourceSpans", "scopeSpans", "spans"), ("resourceLogs", "scopeLogs", "logRecords")
# Bytes of a trace id: field 1 of a span, field 9 of a log record. When a record was made or observed, in 64 bits: of a
# span, these fields are bytes.
_TRACE_ID = 16
_TIMES_OF_LOG = {(1, FIXED64), (11, FIXED64)}
# Beside those: schema_url, and the scopes of versions before 1.0 (instrumentation_library_spans).
_OF_A_GROUP = {_RESOURCE, _SCOPES, 3, 1000}


def recognises(content: Content) -> bool:
    """Whether the object begins as OTLP does: with one resource, its scopes, and nothing else."""
    return looks_like_otlp(content.data)


def looks_like_otlp(data: bytes) -> bool:
    """Whether the first field is the group of one resource, as far as it is there."""
    if data[:1] != b"\n":  # the tag of the only field that a message has
        return False
    try:
        group = next(part for _, part in messages_in(data, cut=True))
        return {number for number, _ in messages_in(group, cut=True)} <= _OF_A_GROUP
    except UnreadableError:
        return False


def read(content: Content) -> Iterator[Trace | Reject]:
    """One trace or reject a trace id, as ``whole_traces`` puts them together."""
    return whole_traces(read_spans(content), content)


def read_spans(content: Content) -> Iterator[Span | Reject]:
    """Spans as they stand in the object, and a reject for each that cannot be read."""
    return read_message(content, content.data, "")


def read_message(content: Content, data: bytes, base: str) -> Iterator[Span | Reject]:
    """The spans of one message in ``content``. ``base`` stands before their positions."""
    cut = _is_cut_off(data)
    if cut is not None:
        yield content.reject(f"{base}resourceSpans", str(cut))
    walk = _Walk(content, cut=cut is not None)
    logs = walk.is_of_logs(data)
    for at, leaf, resource in walk.leaves(data, base, _LOGS if logs else _SPANS):
        if isinstance(leaf, Reject):
            yield leaf
        elif not logs:
            yield read_span(content, at, leaf, resource)
        elif (said := read_log(content, at, leaf)) is not None:
            yield said


def _is_log(leaf: bytes) -> bool | None:
    """Whether it is a log record or a span; None where it does not tell."""
    try:
        known = {(number, kind): len(part) for number, kind, part in fields_in(leaf, cut=True)}
    except UnreadableError:
        return None
    if known.get((1, LENGTH)) == _TRACE_ID:
        return False
    return bool(known.keys() & _TIMES_OF_LOG) or known.get((9, LENGTH)) == _TRACE_ID or None


def _is_cut_off(data: bytes) -> CutOffError | None:
    try:
        for _ in messages_in(data):
            pass
    except CutOffError as error:
        return error
    except UnreadableError:
        pass
    return None


@dataclass(frozen=True)
class _Walk:
    """One level of a message at a time; ``cut``: its end is missing, which was said."""

    content: Content
    cut: bool

    def leaves(
        self, data: bytes, base: str, names: tuple[str, str, str]
    ) -> Iterator[tuple[str, bytes | Reject, WireResource]]:
        """Each with its position and resource; a reject for what comes after damage."""
        groups, scopes, leaves = names
        for at, group in self.parts(f"{base}{groups}", data, _GROUPS):
            if isinstance(group, Reject):
                yield at, group, {}
                continue
            resource = resource_of(group)
            for scope_at, scope in self.parts(f"{at}.{scopes}", group, _SCOPES):
                if isinstance(scope, Reject):
                    yield scope_at, scope, resource
                    continue
                for leaf_at, leaf in self.parts(f"{scope_at}.{leaves}", scope, _LEAVES):
                    yield leaf_at, leaf, resource

    def is_of_logs(self, data: bytes) -> bool:
        """Whether its leaves are log records; the first that tells decides."""
        told = (_is_log(leaf) for _, leaf, _ in self.leaves(data, "", _SPANS) if isinstance(leaf, bytes))
        return next((one for one in told if one is not None), False)

    def parts(self, at: str, data: bytes, wanted: int) -> Iterator[tuple[str, bytes | Reject]]:
        """Every field ``wanted`` of a message with its position; a reject for what comes after damage."""
        number = 0
        try:
            for field, part in messages_in(data, cut=self.cut):
                if field == wanted:
                    yield f"{at}[{number}]", part
                    number += 1
        except UnreadableError as error:
            here = f"{at}[{number}]"
            yield here, self.content.reject(here, str(error))
