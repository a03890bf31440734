"""Langfuse's export, in every way it is written: rows become traces, runs are read by their manifests."""

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from judgefleet.trace import Latency, Message, ToolCall, Trace, Usage
from judgefleet.traces import ReadOptions, Reject, read_object
from judgefleet.traces.reader import read_parts, recognise
from judgefleet.traces.span import Span
from judgefleet.traces.spans import trace_of
from tests.judgefleet.langfuse_rows import WRITTEN, Rows, as_jsonl, as_parquet, observation, support_trace

Write = Callable[[Rows], bytes]
EXPECTED = Trace(
    trace_id="t1",
    span_id="o4",
    conversation_id="s1",
    started_at=datetime(2026, 11, 22, 6, 41, 1, 120000, tzinfo=UTC),
    messages=(Message(role="system", content="Be kind."), Message(role="user", content="Where is it?")),
    output='On its way; "soon", they say.\nReally.',
    contexts=("A doc",),
    tool_calls=(ToolCall(name="track", arguments='{"id": 7}', result="sent"),),
    usage=Usage(input_tokens=9, output_tokens=4),
    latency=Latency(ttft_ms=250.0, total_ms=1000.0),
    attributes={
        "gen_ai.request.model": "small",
        "gen_ai.usage.cost": "0.002",
        "gen_ai.usage.total": "13",
        "langfuse.observation.type": "GENERATION",
        "metadata.plan": "pro",
        "tags": '["support"]',
    },
    source_uri="u",
)


def read(data: bytes, **options: Any) -> list[Trace | Reject]:
    return list(read_object("u", data, options=ReadOptions(**options)))


def one(*rows: dict[str, Any], **options: Any) -> Trace:
    (item,) = read(as_jsonl(rows), **options)
    assert isinstance(item, Trace), item
    return item


def why(*rows: dict[str, Any]) -> str:
    (item,) = read(as_jsonl(rows))
    assert isinstance(item, Reject), item
    return item.reason


def answer(**more: Any) -> dict[str, Any]:
    return observation("o", "GENERATION", 1, input="q", output="o") | more


@pytest.mark.parametrize("write", WRITTEN.values(), ids=WRITTEN)
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["", "gzip"])
def test_every_way_of_writing_gives_the_same_trace(write: Write, pack: Callable[[bytes], bytes]) -> None:
    data = pack(write(support_trace()))
    assert recognise("u", data) == "langfuse"
    (trace,) = read(data)
    assert isinstance(trace, Trace)
    attributes = dict(trace.attributes)
    assert json.loads(attributes["tags"]) == ["support"]
    assert replace(trace, attributes=attributes | {"tags": '["support"]'}) == replace(
        EXPECTED, environment="production" if trace.environment else None
    )


def test_service_and_environment() -> None:
    trace = one(
        answer(environment="staging", metadata={"resourceAttributes": '{"service.name": "bot"}', "scope": {"a": 1}})
    )
    assert (trace.service, trace.environment) == ("bot", "staging")
    assert trace.attributes["metadata.scope"] == '{"a":1}'


@pytest.mark.parametrize(
    ("given", "question"),
    [
        ("Why?", "Why?"),
        ('[{"role": "user", "content": "Why?"}]', "Why?"),
        ([{"role": "user", "content": [{"type": "text", "text": "Why?"}]}], "Why?"),
        ({"messages": [{"role": "user", "content": "Why?"}], "tools": []}, "Why?"),
        ('{"question": "Why?", "k": 3}', "Why?"),
        ({"role": "user", "content": "Why?"}, "Why?"),
        ("[RET-1] Why?", "[RET-1] Why?"),
        ('{"city": "Bonn"}', '{"city": "Bonn"}'),
        ({"city": "Bonn"}, '{"city":"Bonn"}'),
    ],
)
def test_inputs(given: Any, question: str) -> None:
    assert one(answer(input=given)).question == question


@pytest.mark.parametrize(
    ("given", "output"),
    [
        ("So.", "So."),
        ("", ""),
        ('{"role": "assistant", "content": "So."}', "So."),
        ([{"role": "assistant", "content": "Hm."}, {"role": "assistant", "content": "So."}], "So."),
        ({"choices": [{"message": {"role": "assistant", "content": "So."}}]}, "So."),
        ('{"verdict": "So."}', '{"verdict": "So."}'),
        ({"role": "assistant", "content": '{"verdict": "So."}'}, '{"verdict": "So."}'),
        ([("verdict", "So.")], '[["verdict","So."]]'),
        ("[{ cut", "[{ cut"),
        ({"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f"}}]}, ""),
    ],
)
def test_outputs(given: Any, output: str) -> None:
    assert one(answer(output=given)).output == output


@pytest.mark.parametrize(
    ("given", "contexts"),
    [
        ('["one", {"page_content": "two"}]', ("one", "two")),
        ({"documents": [{"content": "one"}]}, ("one",)),
        ("one text", ("one text",)),
        ([{"score": 1}], ('{"score":1}',)),
        (None, ()),
    ],
)
def test_retrieved_documents(given: Any, contexts: tuple[str, ...]) -> None:
    assert one(observation("r", "RETRIEVER", 0, input="q", output=given), answer()).contexts == contexts


def test_a_failed_generation_is_a_trace_without_an_answer() -> None:
    trace = one(answer(output=None, level="ERROR", status_message="overloaded"))
    assert trace.output is None
    assert {"otel.status_code": "ERROR", "otel.status_description": "overloaded"}.items() <= trace.attributes.items()


def test_latencies_of_older_integrations_are_milliseconds() -> None:
    row = answer(end_time=None, latency=1500, time_to_first_token=200)
    assert one(row, langfuse_milliseconds=True).latency == Latency(ttft_ms=200.0, total_ms=1500.0)
    assert one(row | {"latency": 1.5, "time_to_first_token": 0.2}).latency == Latency(ttft_ms=200.0, total_ms=1500.0)
    first = answer(completion_start_time="2026-11-22 06:41:01.620000")
    assert one(first).latency.ttft_ms == 500.0


def test_parts_of_the_tokens_and_of_the_cost() -> None:
    details = {"input": 200, "input_cached_tokens": 800, "output": 100, "total": 1100}
    trace = one(answer(usage_details=details, cost_details={"input": 0.1, "output": 0.2, "total": 0.3}))
    assert trace.usage == Usage(input_tokens=1000, output_tokens=100)
    assert trace.attributes["gen_ai.usage.cache_read.input_tokens"] == "800"
    assert trace.attributes["gen_ai.usage.cost"] == "0.3"
    assert one(answer(cost_details={"total": 0.3}, total_cost=0.4)).attributes["gen_ai.usage.cost"] == "0.4"


def test_a_request_that_failed_before_a_generation() -> None:
    root = observation("o", "SPAN", 1, input="Why?", level="ERROR", status_message="no such user")
    above = legacy(input="Why?")
    for rows in ([root], [above, root]):
        parts = [part for row in rows for part in read_parts("u", as_jsonl([row]))]
        trace = trace_of((part for part in parts if isinstance(part, Span)), "u", ReadOptions())
        assert isinstance(trace, Trace)
        assert (trace.question, trace.output, trace.span_id) == ("Why?", None, "o")
        assert trace.attributes["otel.status_code"] == "ERROR"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": ""}, "found id ''; text that is not empty belongs here"),
        ({"trace_id": 7}, "found trace_id 7; text belongs here"),
        ({"start_time": "soon"}, "start_time: found the time 'soon'"),
        ({"end_time": "2020-01-01 00:00:00"}, "the observation ends (2020-01-01 00:00:00) before it starts"),
        ({"type": "SPAN", "output": ""}, "no chat span"),
        ({"output": None}, "switch the capture of message content on"),
        ({"input": None}, "no question"),
    ],
)
def test_rows_that_are_no_traces(change: dict[str, Any], said: str) -> None:
    assert said in why(answer(**change))


def test_a_trace_of_which_one_row_is_bad_is_rejected_whole() -> None:
    bad = observation("x", "TOOL", 2, start_time="soon")
    other = answer(trace_id="t2")
    reject, trace = read(as_jsonl([answer(), bad, other]))
    assert isinstance(reject, Reject)
    assert (reject.trace_id, reject.position) == ("t1", "line 2")
    assert isinstance(trace, Trace)
    assert trace.trace_id == "t2"


def legacy(**more: Any) -> dict[str, Any]:
    row = {"id": "t1", "project_id": "p1", "timestamp": "2026-11-22 06:41:00.000000", "name": "turn"}
    return row | {"session_id": "s1", "user_id": "anna", "tags": ["a"], "release": "r1", "metadata": {}} | more


def test_a_legacy_trace_answers_where_no_generation_does() -> None:
    trace = one(legacy(input="Why?", output="So."))
    assert (trace.question, trace.output, trace.span_id, trace.conversation_id) == ("Why?", "So.", "", "s1")
    assert trace.started_at == datetime(2026, 11, 22, 6, 41, tzinfo=UTC)
    assert {"user.id": "anna", "release": "r1", "trace_name": "turn"}.items() <= trace.attributes.items()


def test_a_root_answers_where_there_is_no_generation() -> None:
    root = observation("o", "SPAN", 1, input={"question": "Why?"}, output="So.")
    trace = one(root, observation("p", "RETRIEVER", 2, parent_observation_id="o", input="why", output="A doc"))
    assert (trace.span_id, trace.question, trace.output) == ("o", "Why?", "So.")
    assert trace.contexts == ("A doc",)


def test_scores_are_no_traces() -> None:
    row = {"id": "s", "project_id": "p", "trace_id": "t", "name": "n", "source": "EVAL", "value": 1.0}
    assert "a table of scores" in why(row | {"data_type": "NUMERIC", "timestamp": "2026-11-22 06:41:00"})


def test_the_newest_version_of_a_row_counts() -> None:
    old, new = (answer(output=text, updated_at=f"2026-11-22 06:4{n}:00") for n, text in ((1, "old"), (2, "new")))
    assert one(old, new).output == one(new, old).output == "new"
    assert one(answer(output="a"), answer(output="b")).output == "b"


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """A run as it lies in a bucket: observations in two tables, traces, scores, a manifest, and what is not of it."""
    project = tmp_path / "exports/p1"
    files = {
        "observations_v2/2026-11-22T06-40-00.parquet": as_parquet(support_trace()),
        "traces/2026-11-22T06-40-00.jsonl.gz": gzip.compress(
            as_jsonl([legacy(), legacy(id="t2", input="q", output="o")])
        ),
        "observations/2026-11-22T06-40-00.jsonl": as_jsonl([support_trace()[3] | {"output": "legacy"}]),
        "scores/2026-11-22T06-40-00.jsonl": b'{"id": "s"}',
    }
    listed = [{"key": f"exports/p1/{name}", "rowCount": None} for name in files]
    manifest = {"version": 1, "projectId": "p1", "exportSource": "OBSERVATIONS_V2", "files": listed}
    files["manifests/2026-11-22T06-40-00.json"] = json.dumps(manifest).encode()
    files["observations_v2/2026-11-22T07-00-00.parquet"] = b"PAR1 of a run that has not ended"
    files["DEPRECATION_NOTICE.txt"] = b"old"
    for name, data in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_bytes(data)
    return project / "manifests/2026-11-22T06-40-00.json"


def test_a_manifest_says_what_belongs_together(export: Path) -> None:
    assert recognise(str(export), export.read_bytes()) == "langfuse_manifest"
    first, second = read_object(str(export))
    assert isinstance(first, Trace)
    assert isinstance(second, Trace)
    assert (first.output, first.contexts, first.attributes["user.id"]) == (EXPECTED.output, ("A doc",), "anna")
    assert first.started_at == datetime(2026, 11, 22, 6, 41, tzinfo=UTC)
    assert (second.trace_id, second.output, second.source_uri) == ("t2", "o", str(export))
    assert len(list(read_parts(str(export)))) == 6
    assert len(list(read_object(f"file://{export}"))) == 2


def test_files_without_content_belong_to_a_quiet_window(export: Path) -> None:
    for name, nothing in {
        "traces/2026-11-22T06-40-00.jsonl.gz": gzip.compress(b""),
        "observations/e.csv": b"\n",
    }.items():
        (export.parents[1] / name).write_bytes(nothing)
    manifest = json.loads(export.read_text())
    manifest["files"] = [{"key": "exports/p1/traces/2026-11-22T06-40-00.jsonl.gz"}, {"key": "p1/observations/e.csv"}]
    export.write_text(json.dumps(manifest))
    assert list(read_object(str(export))) == []


def change(export: Path, **more: Any) -> str:
    export.write_text(json.dumps(json.loads(export.read_text()) | more))
    (reject,) = read_object(str(export))
    assert isinstance(reject, Reject)
    return reject.reason


def test_a_run_with_a_file_that_is_not_there_is_one_reject(export: Path) -> None:
    (export.parents[1] / "observations_v2/2026-11-22T06-40-00.parquet").unlink()
    (reject,) = read_object(str(export))
    assert isinstance(reject, Reject)
    assert "the run lists 'observations_v2/2026-11-22T06-40-00.parquet': " in reject.reason
    assert "no such file" in reject.reason


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"files": 3}, "found files 3; a list of objects with a key belongs here"),
        ({"files": [{"key": None}]}, "a list of objects with a key"),
        ({"projectId": ""}, "no manifest of a Langfuse export"),
        ({"files": [{"key": "exports/p1/../../traces/x"}]}, "it must stay inside"),
        ({"files": [{"key": "exports/p1//etc/traces/passwd"}]}, "it must stay inside"),
        ({"files": [{"key": "exports/p1/traces/a\0b"}]}, "the run lists 'traces/a"),
        ({"files": [{"key": "exports/p1/traces/\ud800"}]}, "the run lists 'traces/"),
    ],
)
def test_manifests_that_cannot_be_followed(export: Path, more: dict[str, Any], said: str) -> None:
    assert said in change(export, **more)


def test_a_manifest_elsewhere_and_a_run_beyond_the_limit(export: Path) -> None:
    (reject,) = read_object("u", export.read_bytes())
    assert "a manifest lies in a folder manifests/" in reject.reason  # type: ignore[union-attr]
    (reject,) = read_object(str(export), options=ReadOptions(max_bytes=4000))
    assert "more than max_bytes 4,000" in reject.reason  # type: ignore[union-attr]
