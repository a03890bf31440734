"""Files that people bring: CSV with a header, chat completions as logged, and what lies beyond a limit."""

import csv
import gzip
import io
import json
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from judgefleet.errors import ConfigError
from judgefleet.trace import Latency, Message, ToolCall, Trace, Usage, trace_row, traces_to_table
from judgefleet.traces import ReadOptions, Reject, read_object
from judgefleet.traces.reader import recognise

FULL = Trace(
    trace_id="t1",
    conversation_id="c1",
    started_at=datetime(2026, 11, 22, 6, tzinfo=UTC),
    variant="A",
    messages=(Message(role="system", content="Be\nkind."), Message(role="user", content='Say "a, b; c"')),
    output="a, b; c\r\nd",
    contexts=("one", "two"),
    tool_calls=(ToolCall(name="f", arguments="{}", result="r"),),
    usage=Usage(input_tokens=3, output_tokens=4),
    latency=Latency(ttft_ms=1.5, total_ms=20.0),
    cost=0.5,
    attributes={"tier": "pro"},
    source_uri="v",
)


def read(data: bytes, **options: Any) -> list[Trace | Reject]:
    return list(read_object("u", data, options=ReadOptions(**options)))


def one(data: bytes, **options: Any) -> Trace:
    (item,) = read(data, **options)
    assert isinstance(item, Trace), item
    return item


def why(data: bytes, **options: Any) -> str:
    (item,) = read(data, **options)
    assert isinstance(item, Reject), item
    return item.reason


def row_of(trace: Trace) -> dict[str, Any]:
    row = trace_row(trace) | {"started_at": str(trace.started_at)}
    return {name: value for name, value in row.items() if value not in (None, "")}


def as_csv(rows: list[dict[str, Any]], delimiter: str) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, rows[0], delimiter=delimiter)
    writer.writeheader()
    writer.writerows({k: v if isinstance(v, str) else json.dumps(v) for k, v in row.items()} for row in rows)
    return out.getvalue().encode()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_a_trace_written_as_csv_comes_back(delimiter: str, start: bytes) -> None:
    data = start + as_csv([row_of(FULL)], delimiter)
    assert recognise("u", data) == "csv"
    assert one(data) == one(gzip.compress(data)) == FULL


def test_a_trace_written_as_json_lines_or_parquet_comes_back() -> None:
    assert one(json.dumps(row_of(FULL)).encode()) == FULL
    buffer = io.BytesIO()
    pq.write_table(traces_to_table([FULL]), buffer)
    assert one(buffer.getvalue()) == FULL


def test_names_of_columns_are_given_in_the_options() -> None:
    data = b"Frage,Antwort,Region\nWas?,Das.,eu\nWo?,,eu\n"
    first, second = read(data, columns={"Frage": "question", "Antwort": "output"})
    assert isinstance(first, Trace)
    assert isinstance(second, Trace)
    assert (first.question, first.output, first.attributes) == ("Was?", "Das.", {"Region": "eu"})
    assert second.output == ""
    line = b'{"Frage": "Was?", "Antwort": "Das."}'
    assert one(line, columns={"Frage": "question", "Antwort": "output"}).output == "Das."


@pytest.mark.parametrize(
    ("data", "options", "said"),
    [
        (
            b"Frage,Antwort\nWas?,Das.\n",
            {},
            "found the columns Frage, Antwort; a table of traces has columns for question",
        ),
        (b"question,answer\nq,a\n", {"columns": {"tag": "variant"}}, "not tag, which input.read.columns names"),
        (b"question,answer\nq,a,b\n", {}, "found 3 fields; the header has 2: quote a field"),
        (b'question,answer\nq,"' + b"x" * 200_000 + b'"\n', {"max_text": 1000}, "max_text is 1,000"),
    ],
)
def test_tables_that_cannot_be_read(data: bytes, options: dict[str, Any], said: str) -> None:
    assert said in why(data, **options)


def test_options_that_cannot_be() -> None:
    with pytest.raises(ConfigError, match="found the field 'questoin' for the column 'Frage'; did you mean 'question'"):
        ReadOptions(columns={"Frage": "questoin"})
    with pytest.raises(ConfigError, match="found max_text 0; a whole number of at least 1"):
        ReadOptions(max_text=0)


ASKED = {"model": "small", "temperature": 0, "messages": [{"role": "user", "content": "Why?"}]}
SAID = {"role": "assistant", "content": "So."}
ANSWERED = {"id": "chatcmpl-1", "model": "small-1", "created": 1795327200, "choices": [{"index": 0, "message": SAID}]}
ANSWERED |= {"usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}}


@pytest.mark.parametrize(
    "line",
    [
        {"request": ASKED, "response": ANSWERED},
        {"request": {"body": ASKED}, "response": {"status_code": 200, "body": ANSWERED}, "error": None},
        {"request": {"input": "Why?"}, "response": ANSWERED | {"choices": None, "output_text": "So."}},
    ],
)
def test_requests_and_responses(line: dict[str, Any]) -> None:
    data = json.dumps({"custom_id": "r1"} | line).encode()
    assert recognise("u", data) == "chat"
    trace = one(data)
    assert (trace.trace_id, trace.question, trace.output) == ("r1", "Why?", "So.")
    assert trace.usage == Usage(input_tokens=3, output_tokens=4)
    assert trace.started_at == datetime(2026, 11, 22, 6, tzinfo=UTC)
    assert trace.attributes["response.model"] == "small-1"


def test_answers_in_parts_tools_and_none() -> None:
    output = [{"type": "message", "content": [{"type": "output_text", "text": "So."}]}]
    assert one(json.dumps({"request": {"input": "q"}, "response": {"output": output}}).encode()).output == "So."
    called = {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}
    trace = one(json.dumps({"request": ASKED, "response": {"choices": [{"message": called}]}}).encode())
    assert (trace.output, trace.tool_calls) == ("", (ToolCall(name="f", arguments="{}"),))
    failed = {"custom_id": "r", "request": ASKED, "response": {"status_code": 429, "body": {}}, "error": {"code": "x"}}
    trace = one(json.dumps(failed).encode())
    assert (trace.output, trace.attributes["otel.status_code"], trace.attributes["status"]) == (None, "ERROR", "429.0")
    (reject,) = read(json.dumps({"custom_id": "r", "response": {"body": ANSWERED}, "error": None}).encode())
    assert "no question" in reject.reason  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("response", "reasons"),
    [
        ({"choices": [{"message": SAID, "finish_reason": "length"}]}, '["length"]'),
        ({"choices": [{"message": SAID, "finish_reason": "stop"}, {"finish_reason": "error"}]}, '["stop","error"]'),
        ({"output_text": "So.", "incomplete_details": {"reason": "max_output_tokens"}}, '["max_output_tokens"]'),
        ({"choices": [{"message": SAID, "finish_reason": None}]}, None),
        ({"choices": [{"message": SAID, "finish_reason": 3}]}, None),
    ],
)
def test_why_the_answer_ended(response: dict[str, Any], reasons: str | None) -> None:
    trace = one(json.dumps({"request": ASKED, "response": response}).encode())
    assert trace.attributes.get("gen_ai.response.finish_reasons") == reasons


@pytest.mark.parametrize(
    ("usage", "read", "told"),
    [
        (
            {"prompt_tokens": 20, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 15}, "cost": 0.7},
            20,
            {"usage.prompt_tokens_details.cached_tokens": "15", "usage.cost": "0.7"},
        ),
        ({"input_tokens": 20, "input_tokens_details": {"cached_tokens": 15}, "total_tokens": 21}, 20, {}),
        # Anthropic's input tokens have no cached ones among them, and there is no total.
        ({"input_tokens": 2, "cache_read_input_tokens": 15, "cache_creation_input_tokens": 3}, 20, {}),
        ({"input_tokens": 20, "cache_read_input_tokens": 15, "total_tokens": 21}, 20, {}),
        ({"prompt_tokens": 20, "cache_read_input_tokens": 15}, 20, {"usage.cache_read_input_tokens": "15"}),
        ({"input_tokens": 20, "cache_read_input_tokens": None}, 20, {}),
        ({"input_tokens": "many", "cache_read_input_tokens": 15}, None, {"usage.input_tokens": "many"}),
    ],
)
def test_tokens_from_a_cache(usage: dict[str, Any], read: int | None, told: dict[str, str]) -> None:
    logged = one(json.dumps({"request": ASKED, "response": ANSWERED | {"usage": usage}}).encode())
    plain = one(json.dumps({"question": "Why?", "output": "So.", "usage": usage}).encode())
    for trace in (logged, plain):
        assert trace.usage.input_tokens == read
        assert trace.attributes.items() >= told.items()


LINE = b'{"trace_id": "t", "question": "q", "output": "%s"}'


@pytest.mark.parametrize(
    ("data", "options", "said"),
    [
        (LINE % (b"x" * 2000), {"max_text": 1000}, "output: found 2,000 characters; max_text is 1,000"),
        (LINE % (b"x" * 2000), {"max_json": 1000}, "that are one JSON value or none; max_json is 1,000"),
        (LINE % (b"x" * 2000), {"max_bytes": 1000}, "found 2,048 bytes; max_bytes is 1,000: split the object"),
        (
            b'{"question": "q", "output": "o", "a": 1, "b": 2}',
            {"max_columns": 1},
            "found 2 attributes; max_columns is 1",
        ),
        (gzip.compress(gzip.compress(gzip.compress(gzip.compress(LINE)))), {}, "packed more than 3 times over"),
        (gzip.compress(zstandard.compress(b" " * 10**7)), {"max_bytes": 10**6}, "unpacks to more than max_bytes"),
        (b'{"question": "q", "output": ' + b"[" * 10**6, {}, "JSON nested too deeply"),
    ],
    ids=["text", "json", "bytes", "attributes", "layers", "ratio", "depth"],
)
def test_limits(data: bytes, options: dict[str, Any], said: str) -> None:
    items = read(data, **options)
    assert said in items[-1].reason  # type: ignore[union-attr]
    assert not any(isinstance(item, Trace) for item in items)


def test_one_long_line_does_not_spoil_the_others() -> None:
    first, second = read(LINE % b"o" + b"\n" + LINE % (b"x" * 2000), max_json=1000)
    assert isinstance(first, Trace)
    assert isinstance(second, Reject)


@pytest.mark.parametrize(
    ("options", "said"),
    [({"max_rows": 2}, "says 3, more than max_rows 2"), ({"max_columns": 1}, "more than max_columns 1")],
)
def test_a_footer_that_promises_too_much(options: dict[str, Any], said: str) -> None:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"question": ["q"] * 3, "output": ["o"] * 3}), buffer)
    assert said in why(buffer.getvalue(), **options)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", '"NaN"'])
def test_numbers_that_are_none(value: str) -> None:
    line = b'{"question": "q", "output": "o", "cost": %b, "usage": {"input_tokens": %b}, "latency": {"total_ms": %b}}'
    trace = one(line.replace(b"%b", value.encode()))
    assert (trace.cost, trace.usage, trace.latency) == (None, Usage(), Latency())
    assert traces_to_table([trace]).num_rows == 1
