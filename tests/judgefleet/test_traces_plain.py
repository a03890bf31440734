"""Plain records: JSON lines, lists, single documents and Parquet rows."""

import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from judgefleet.trace import TRACE_SCHEMA, Latency, Message, ToolCall, Trace, Usage, traces_to_table
from judgefleet.traces import Reject, read_object

FULL = {
    "trace_id": "t1",
    "span_id": "s1",
    "conversation_id": "c1",
    "started_at": "2026-11-22T06:00:00.5Z",
    "service": "bot",
    "environment": "prod",
    "experiment": "e",
    "variant": "A",
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi?"}],
    "output": "Hello.",
    "contexts": ["[RET-1] one", {"id": 2, "content": "two"}],
    "tool_calls": [{"name": "f", "arguments": {"x": 1}, "result": "y"}],
    "reference": "Hello!",
    "usage": {"input_tokens": "9", "output_tokens": 2},
    "latency": {"ttft_ms": 3, "total_ms": 4.5},
    "cost": "0.25",
    "attributes": {"tier": 3},
    "region": "eu",
}
TRACE = Trace(
    trace_id="t1",
    span_id="s1",
    conversation_id="c1",
    started_at=datetime(2026, 11, 22, 6, 0, 0, 500000, tzinfo=UTC),
    service="bot",
    environment="prod",
    experiment="e",
    variant="A",
    messages=(Message(role="system", content="Be brief."), Message(role="user", content="Hi?")),
    output="Hello.",
    contexts=("[RET-1] one", "two"),
    tool_calls=(ToolCall(name="f", arguments='{"x":1}', result="y"),),
    reference="Hello!",
    usage=Usage(input_tokens=9, output_tokens=2),
    latency=Latency(ttft_ms=3.0, total_ms=4.5),
    cost=0.25,
    attributes={"region": "eu", "tier": "3"},
    source_uri="u",
)


def read(*records: Any) -> list[Trace | Reject]:
    return list(read_object("u", "\n".join(r if isinstance(r, str) else json.dumps(r) for r in records).encode()))


def one(record: Any) -> Trace:
    (item,) = read(record)
    assert isinstance(item, Trace), item
    return item


def parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, row_group_size=2)
    return buffer.getvalue()


def test_every_field_of_a_line() -> None:
    assert one(FULL) == TRACE


def test_a_line_a_list_and_a_document_read_the_same() -> None:
    other = FULL | {"trace_id": "t2"}
    lines = read(FULL, "", other)
    assert [item.trace_id for item in lines] == ["t1", "t2"]
    assert read([FULL, other]) == lines
    assert list(read_object("u", json.dumps(FULL, indent=2).encode())) == lines[:1]


@pytest.mark.parametrize(
    ("names", "trace_field"),
    [
        (["output", "answer", "response"], "output"),
        (["contexts", "context"], "contexts"),
        (["reference", "expected", "ground_truth"], "reference"),
        (["conversation_id", "session_id"], "conversation_id"),
        (["trace_id", "id"], "trace_id"),
        (["started_at", "timestamp", "start_time", "created_at"], "started_at"),
    ],
)
def test_other_names(names: list[str], trace_field: str) -> None:
    for name in names:
        record = {k: v for k, v in FULL.items() if k not in names} | {name: FULL[names[0]]}
        assert getattr(one(record), trace_field) == getattr(TRACE, trace_field)


def test_a_second_name_of_a_field_is_kept_as_an_attribute() -> None:
    trace = one(FULL | {"id": "x", "question": "more"})
    assert (trace.trace_id, trace.question) == ("t1", "Hi?")
    assert (trace.attributes["id"], trace.attributes["question"]) == ("x", "more")


@pytest.mark.parametrize("name", ["question", "input", "prompt"])
def test_a_question_alone(name: str) -> None:
    assert one({name: "Why?", "answer": ""}).messages == (Message(role="user", content="Why?"),)
    chat = [{"role": "user", "content": [{"type": "text", "text": "Why?"}, {"type": "image_url"}]}]
    assert one({name: chat, "answer": ""}).question == "Why?\n[image_url]"


def test_a_question_beside_a_system_message() -> None:
    trace = one({"messages": [{"role": "system", "content": "s"}], "question": "q", "output": "o"})
    assert [m.role for m in trace.messages] == ["system", "user"]


def test_a_chat_log_ends_with_its_answer() -> None:
    turns = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]},
        {"role": "tool", "content": "r"},
        {"role": "assistant", "content": "b"},
    ]
    trace = one({"messages": turns})
    assert (trace.output, len(trace.messages), trace.messages[1].content) == ("b", 3, '[tool_call [{"id":"1"}]]')
    assert one({"messages": turns, "output": "c"}).output == "c"


def test_an_empty_answer_an_absent_one_and_none_at_all() -> None:
    assert one({"question": "q", "output": ""}).output == ""
    assert one({"question": "q", "output": None}).output is None
    (reject,) = read({"question": "q"})
    assert isinstance(reject, Reject)
    assert reject.reason.startswith("no answer: give 'output'")


def test_the_id_of_a_record_without_one_is_its_content() -> None:
    record = {"question": "q", "output": "o\ud800", "extra": 1.5}
    first, second = (one(r).trace_id for r in (record, dict(reversed(record.items()))))
    assert first == second == "8e9b20497fc18343659b35b190bf4564"
    assert one(record | {"extra": 2}).trace_id != first


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-22T06:00:00", "2026-11-22T06:00:00"),
        ("2026-11-22 06:00:00.123456789", "2026-11-22T06:00:00.123456"),
        ("2026-11-22T08:00:00+02:00", "2026-11-22T06:00:00"),
        (1795327200, "2026-11-22T06:00:00"),
        ("1795327200.25", "2026-11-22T06:00:00.250000"),
        (1795327200_123, "2026-11-22T06:00:00.123000"),
        (1795327200_123456, "2026-11-22T06:00:00.123456"),
        ("1795327200123456789", "2026-11-22T06:00:00.123457"),
        ("", None),
    ],
)
def test_times(value: Any, expected: str | None) -> None:
    found = one({"question": "q", "output": "o", "started_at": value}).started_at
    assert found == (None if expected is None else datetime.fromisoformat(expected).replace(tzinfo=UTC))


def test_numbers_that_are_none_stay_as_attributes() -> None:
    trace = one(
        {
            "question": "q",
            "output": "o",
            "usage": {"input_tokens": 1.5, "total": 7},
            "latency": {"ttft_ms": "soon"},
            "cost": "free",
        }
    )
    assert (trace.usage, trace.latency, trace.cost) == (Usage(), Latency(), None)
    assert trace.attributes == {
        "usage.input_tokens": "1.5",
        "usage.total": "7",
        "latency.ttft_ms": "soon",
        "cost": "free",
    }


Q = {"question": "q", "output": "o"}


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"output": "o"}, "no question: give 'question' or 'messages' with a user turn"),
        ({"messages": [], "output": "o"}, "no question"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "no question"),
        ({"messages": [{"role": "user"}], "output": "o"}, "messages[0] has no content"),
        ({"messages": [{"role": "user", "content": 3}], "output": "o"}, "found messages[0] content 3"),
        ({"messages": ["x"], "output": "o"}, "found messages[0] 'x'; a message with a role belongs here"),
        ({"messages": 7, "output": "o"}, "found messages 7; a list of messages belongs here"),
        (Q | {"output": 7}, "found output 7; text belongs here"),
        (Q | {"trace_id": ""}, "the trace_id is empty"),
        (Q | {"trace_id": ["x"]}, "found trace_id ['x']; text belongs here"),
        (Q | {"variant": True}, "found variant True; text belongs here"),
        (Q | {"contexts": 5}, "found contexts 5; text or a list of texts"),
        (Q | {"contexts": [None]}, "found a document without text among contexts: None"),
        (Q | {"tool_calls": "f"}, "found tool_calls 'f'; a list belongs here"),
        (Q | {"tool_calls": [{}]}, "found the tool call {}; a mapping with a name"),
        (Q | {"attributes": [1]}, "found attributes [1]; a mapping belongs here"),
        (Q | {"usage": "lots"}, "found usage 'lots'; a mapping belongs here"),
        (Q | {"started_at": "soon"}, "found the time 'soon'; ISO 8601 or a number since 1970"),
        (Q | {"started_at": -1}, "found the time -1"),
        (Q | {"started_at": 1e300}, "found the time 1e+300"),
        (Q | {"started_at": {"a": 1}}, "found the time {'a': 1}"),
        ([1], "found [1]; a trace is a JSON object"),
        ('{"question": "q", "outp', "not JSON: Unterminated string"),
        ('{"question": "q", "output": ' + "1" * 5000 + "}", "not JSON: Exceeds the limit"),
        ('{"question": ' + "[" * 500 + "]" * 500 + "}", "JSON nested too deeply"),
        ('{"question": ' + "[" * 50_000, "JSON nested too deeply"),
    ],
)
def test_a_bad_line_is_a_reject_and_the_others_are_read(record: Any, said: str) -> None:
    before, reject, after = read(FULL, record, FULL | {"trace_id": "t2"})
    assert isinstance(reject, Reject)
    assert said in reject.reason
    assert (reject.position, reject.uri) == ("line 2", "u")
    assert reject.excerpt[:10] == (record if isinstance(record, str) else json.dumps(record))[:10]
    assert len(reject.excerpt) <= 203
    assert (before.trace_id, after.trace_id) == ("t1", "t2")


def test_a_reject_names_the_trace_where_it_can() -> None:
    (reject,) = read({"trace_id": "t9"})
    assert (reject.trace_id, reject.position) == ("t9", "document")  # type: ignore[union-attr]


def test_parquet_gives_back_what_was_written() -> None:
    traces = [
        TRACE,
        Trace(trace_id="t2", messages=TRACE.messages, output=None, source_uri="v"),
        Trace(trace_id="t3", messages=TRACE.messages, output="", source_uri="w"),
    ]
    assert list(read_object("u", parquet(traces_to_table(traces)))) == traces


def test_columns_that_are_not_ours_become_attributes() -> None:
    columns = {
        "question": ["q"],
        "answer": ["a"],
        "price": [Decimal("1.50")],
        "raw": [b"\xffx"],
        "when": pa.array([1795327200_123456789], pa.timestamp("ns")),
        "started_at": pa.array([1795327200_123456789], pa.timestamp("ns", tz="Europe/Berlin")),
        "nothing": pa.nulls(1),
    }
    (trace,) = read_object("u", parquet(pa.table(columns)))
    assert isinstance(trace, Trace)
    assert trace.attributes == {"price": "1.50", "raw": "\ufffdx", "when": "2026-11-22T06:00:00.123456"}
    assert trace.started_at == datetime(2026, 11, 22, 6, 0, 0, 123456, tzinfo=UTC)


def test_rows_of_wrong_types_are_rejects() -> None:
    table = pa.table({"trace_id": ["a", "b", "c"], "question": ["q", None, "q"], "output": ["o", "o", None]})
    first, second, third = read_object("u", parquet(table))
    assert isinstance(second, Reject)
    assert (second.position, second.trace_id, second.reason[:11]) == ("row 2", "b", "no question")
    assert [t.output for t in (first, third)] == ["o", None]  # type: ignore[union-attr]


def test_parquet_without_our_columns() -> None:
    (reject,) = read_object("u", parquet(pa.table({"a": [1]})))
    assert isinstance(reject, Reject)


def test_damaged_parquet_is_one_reject_after_what_could_be_read() -> None:
    table = traces_to_table([TRACE, TRACE, TRACE])
    whole = parquet(table.replace_schema_metadata(None))
    assert table.schema == TRACE_SCHEMA
    for damaged in (whole[:-20], whole[:200], b"PAR1", whole[:300] + b"\xff" * 200 + whole[500:]):
        *read_before, last = read_object("u", damaged)
        assert isinstance(last, Reject)
        assert last.reason.startswith("Parquet cannot be read: ")
        assert all(item == TRACE for item in read_before)
