"""Content in log records is put to its span, whatever object it lies in and in whatever order the objects are read."""

import itertools
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData

from judgefleet.trace import Trace
from judgefleet.traces import ReadOptions, Reject, read_object
from judgefleet.traces.reader import read_parts, recognise
from judgefleet.traces.span import Span
from judgefleet.traces.spans import trace_of
from tests.judgefleet.dialect_spans import ANSWERED, ASKED, TRACE_ID, document
from tests.judgefleet.log_records import (
    ANSWERING,
    AT,
    EVENTS,
    MESSAGES,
    SPANS,
    as_json,
    as_proto,
    logs,
    pairs,
    record,
)

WITH_EVENTS = next(iter(read_object("o", json.dumps(document(SPANS, EVENTS)).encode())))
WITHOUT = json.dumps(document(SPANS, [])).encode()
DONE = ("gen_ai.choice", {"message": {"role": "assistant", "content": "So."}})
DETAILS = {
    "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": ASKED}]}]),
    "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": ANSWERED}]}]),
}


def parts(data: bytes, uri: str = "o") -> list[Span]:
    found = list(read_parts(uri, data))
    assert all(isinstance(part, Span) for part in found), found
    return [part for part in found if isinstance(part, Span)]


def joined(*objects: Sequence[Span]) -> Trace | Reject:
    return trace_of([part for found in objects for part in found], "o", ReadOptions())


@pytest.mark.parametrize("write", [as_json, as_proto])
def test_messages_in_log_records_are_those_of_the_span(write: Any) -> None:
    data = write(logs(*MESSAGES))
    assert recognise("o", data) == ("otlp_json" if write is as_json else "otlp_proto")
    said = parts(data)
    assert [part.of_log for part in said] == [True] * 3
    for order in itertools.permutations([parts(WITHOUT), said, said[::-1]]):  # sent twice, the second time turned round
        assert joined(*order) == WITH_EVENTS


@pytest.mark.parametrize("write", [as_json, as_proto])
@pytest.mark.parametrize("older", [False, True])
def test_details_in_one_record(write: Any, older: bool) -> None:
    name = "gen_ai.client.inference.operation.details"
    called = {"attributes": pairs(DETAILS | ({"event.name": name} if older else {})), "severityNumber": 9}
    one = record(0, "" if older else name, **called)
    if older:
        del one["timeUnixNano"]  # what was not said by the application, the one who observed it says
        one["observedTimeUnixNano"] = str(AT)
    found = joined(parts(write(logs(one))), parts(WITHOUT))
    assert isinstance(found, Trace)
    assert (found.question, found.output) == (ASKED, ANSWERED)


@pytest.mark.parametrize("write", [as_json, as_proto])
def test_records_of_one_moment_have_one_order(write: Any) -> None:
    asked = [record(0, "gen_ai.user.message", {"content": text}) for text in ("first", "second")]
    answered = record(0, "gen_ai.choice", {"message": {"role": "assistant", "content": "So."}})
    instructed = record(0, "gen_ai.system.message", {"content": "Be kind."})
    objects = [parts(write(logs(one)), uri) for one, uri in zip([*asked, answered, instructed], "abcd", strict=True)]
    found = {str(joined(*order, parts(WITHOUT))) for order in itertools.permutations(objects)}
    assert len(found) == 1
    trace = joined(*objects, parts(WITHOUT))
    assert isinstance(trace, Trace)
    assert [turn.content for turn in trace.messages] == ["Be kind.", "first", "second"]


def test_what_the_span_says_as_well_counts_once() -> None:
    both = as_json(document(SPANS, EVENTS))
    same = [record(number, name, attributes=pairs(attributes)) for number, (name, attributes) in enumerate(EVENTS)]
    assert joined(parts(both), parts(as_json(logs(*same)))) == WITH_EVENTS


def test_a_time_of_zero_is_none() -> None:
    later = record(0, "gen_ai.user.message", {"content": "second"}, timeUnixNano="0", observedTimeUnixNano=str(AT + 9))
    first = record(0, "gen_ai.user.message", {"content": "first"})
    trace = joined(parts(as_json(logs(later, first, record(1, *DONE)))), parts(WITHOUT))
    assert isinstance(trace, Trace)
    assert [turn.content for turn in trace.messages] == ["first", "second"]


def test_an_evaluation_is_kept() -> None:
    told = {"gen_ai.evaluation.name": "tone", "gen_ai.evaluation.score.label": "kind"}
    one = record(9, "gen_ai.evaluation.result", attributes=pairs(told))
    found = joined(parts(WITHOUT), parts(as_json(logs(*MESSAGES, one))))
    assert isinstance(found, Trace)
    assert json.loads(found.attributes["gen_ai.evaluation.result"]) == [told]
    assert replace(found, attributes=WITH_EVENTS.attributes) == WITH_EVENTS  # type: ignore[union-attr]


def test_what_an_application_logs_is_no_part_of_a_trace() -> None:
    plain = {"timeUnixNano": str(AT), "severityNumber": 9, "body": {"stringValue": "listening"}}
    rest = [
        plain,
        plain | {"traceId": TRACE_ID, "spanId": ANSWERING, "attributes": []},
        record(0, "gen_ai.choice", traceId=""),
        record(0, "gen_ai.choice", traceId="0" * 32),
    ]
    for write in (as_json, as_proto):
        assert list(read_object("o", write(logs(*rest)))) == []
    assert list(read_object("o", as_json({"resourceLogs": []}))) == []


def test_records_without_their_span() -> None:
    found = joined(parts(as_json(logs(*MESSAGES))))
    assert isinstance(found, Reject)
    assert found.reason.startswith("log records without their spans")
    elsewhere = [part for part in parts(WITHOUT) if part.span_id != ANSWERING]
    found = joined(elsewhere, parts(as_json(logs(*MESSAGES))))
    assert isinstance(found, Reject)
    assert "no chat span" in found.reason


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"traceId": "xyz"}, "found traceId 'xyz'"),
        ({"spanId": "12"}, "found spanId '12'"),
        ({"timeUnixNano": "soon"}, "found startTimeUnixNano 'soon'"),
        ({"attributes": 3}, "found attributes 3; a list belongs here"),
    ],
)
def test_records_that_cannot_be_read(more: dict[str, Any], said: str) -> None:
    (found,) = read_parts("o", as_json(logs(record(0, "gen_ai.choice", {}, **more))))
    assert isinstance(found, Reject)
    assert said in found.reason
    assert found.position == "resourceLogs[0].scopeLogs[0].logRecords[0]"


@pytest.mark.parametrize("name", ["gen_ai.choice", "operators.line"])
def test_a_damaged_record_costs_its_trace_where_it_says_something_of_it(name: str) -> None:
    data = as_proto(logs(record(0, name, {"message": "So."})))
    at = data.index(b"So.")
    found = list(read_parts("o", data[:at] + b"\xff" + data[at + 1 :]))
    assert [part.trace_id for part in found if isinstance(part, Reject)] == [TRACE_ID] * (name == "gen_ai.choice")
    in_json = record(0, name, attributes=[{"key": 3}])
    found = list(read_parts("o", as_json(logs(in_json))))
    assert [part.trace_id for part in found if isinstance(part, Reject)] == [TRACE_ID] * (name == "gen_ai.choice")


def test_a_first_record_that_says_nothing_hides_no_other() -> None:
    empty: dict[str, Any] = {"scopeLogs": [{"logRecords": []}]}
    bare = {"scopeLogs": [{"logRecords": [{"body": {"stringValue": "started"}}]}]}
    message = LogsData()
    for group in (empty, bare):
        ParseDict({"resourceLogs": [group]}, message)
    message.MergeFromString(as_proto(logs(*MESSAGES)))
    assert recognise("o", message.SerializeToString()) == "otlp_proto"
    assert [part.of_log for part in parts(message.SerializeToString())] == [True] * 3
