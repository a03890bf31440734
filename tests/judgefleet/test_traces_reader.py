"""One object, whatever it holds: recognised by content, unpacked, cleaned, and never an exception."""

import gzip
import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psutil import Process

from judgefleet.errors import ConfigError
from judgefleet.trace import Message, Trace, traces_to_table
from judgefleet.traces import FORMATS, ReadOptions, Reject, read_object
from judgefleet.traces.clean import SANITISED
from judgefleet.traces.content import unpacked

OTLP = (Path(__file__).parent / "data/otlp_support.json").read_bytes()
LINE = json.dumps(
    {"trace_id": "t", "question": "q", "output": "o", "usage": {"input_tokens": 1}, "contexts": ["c"]}
).encode()
LINES = b"\n".join([LINE] * 3)


def parquet() -> bytes:
    buffer = io.BytesIO()
    trace = Trace(trace_id="t", messages=(Message(role="user", content="q"),), output="o", attributes={"a": "b"})
    pq.write_table(traces_to_table([trace] * 3), buffer)
    return buffer.getvalue()


PARQUET = parquet()


@pytest.mark.parametrize(("data", "count"), [(OTLP, 1), (LINES, 3), (PARQUET, 3), (b"\xef\xbb\xbf\n " + OTLP, 1)])
def test_content_decides_and_not_the_name(data: bytes, count: int) -> None:
    plain = list(read_object("x.parquet.gz", data))
    assert [type(item) for item in plain] == [Trace] * count
    for packed in (gzip.compress(data), zstandard.compress(data), gzip.compress(zstandard.compress(data))):
        assert list(read_object("x.parquet.gz", packed)) == plain


def test_packed_in_several_members() -> None:
    packed = gzip.compress(LINE + b"\n") + gzip.compress(LINES)
    assert len(list(read_object("u", packed))) == 4


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
@pytest.mark.parametrize("after", [b"", b"\0" * 20, b"abc"])
def test_what_follows_packed_content(pack: Callable[[bytes], bytes], after: bytes) -> None:
    *items, last = read_object("u", pack(LINES) + after)
    assert len(items) == (3 if after == b"abc" else 2)
    if after == b"abc":
        assert "found something else after it, beginning with b'abc'" in last.reason  # type: ignore[union-attr]


def test_damaged_packed_objects_leave_no_memory_behind() -> None:
    before = Process().memory_info().rss
    for data in (gzip.compress(LINES)[:-9], zstandard.compress(LINES)[:-3], gzip.compress(LINES) + b"x"):
        for _ in range(500):
            assert unpacked(data, 1 << 20)[1] is not None
    assert Process().memory_info().rss - before < 20 << 20


def test_what_lies_before_the_damage_of_a_packed_object_is_read() -> None:
    lines = b"\n".join(json.dumps({"question": str(n), "output": str(n * 7919 % 1000)}).encode() for n in range(20_000))
    *items, last = read_object("u", gzip.compress(lines)[:-3000])
    assert isinstance(last, Reject)
    assert last.reason.startswith("only the beginning could be unpacked: gzip: ")
    assert sum(isinstance(item, Trace) for item in items) > 10_000
    assert sum(isinstance(item, Reject) for item in items) <= 1


def test_an_object_that_unpacks_to_too_much() -> None:
    *_, last = read_object("u", gzip.compress(LINE + b" " * 500_000), options=ReadOptions(max_bytes=1000))
    assert "gzip: unpacks to more than max_bytes 1,000; split the object" in last.reason  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the object is empty"),
        (b" \n\n", "the object is empty"),
        (gzip.compress(b"", mtime=0), "the object is empty"),
        (b"hello", "unknown content, beginning with b'hello'; known formats: langfuse, "),
        (b"\xff\xfe{\x00", "unknown content"),
        (b"null", "unknown content"),
        (b"{", "not JSON: Expecting property name"),
        (b"[1, 2", "not JSON: "),
        (b"\x1f\x8b", "only the beginning could be unpacked: gzip: truncated"),
    ],
)
def test_what_holds_no_traces_is_one_reject(data: bytes, said: str) -> None:
    (reject,) = read_object("u", data)
    assert isinstance(reject, Reject)
    assert said in reject.reason
    assert reject.position == "object"


def test_a_format_by_name() -> None:
    assert isinstance(next(read_object("u", LINE, format="jsonl")), Trace)
    for name, data in (("otlp_json", LINE), ("jsonl", OTLP), ("parquet", LINE)):
        assert [type(item) for item in read_object("u", data, format=name)] == [Reject]
    with pytest.raises(ConfigError, match="found the trace format 'jsonnl'; did you mean 'jsonl'"):
        read_object("u", LINE, format="jsonnl")


def test_from_a_file_and_from_an_address(tmp_path: Path) -> None:
    path = tmp_path / "any.name"
    path.write_bytes(LINES)
    by_address, by_path = list(read_object(str(path))), list(read_object("u", path))
    assert [t.source_uri for t in by_address] == [str(path)] * 3  # type: ignore[union-attr]
    assert len(by_path) == 3
    with pytest.raises(ConfigError, match="no such file"):
        read_object(str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (rb"a\u0000b", "a\ufffdb"),
        (rb"a\ud800b", "a\ufffdb"),
        (b"a\xffb", "a\ufffdb"),
        (rb"\ud83d\ude00", "\U0001f600"),
        (b"<script>alert('x')</script>", "<script>alert('x')</script>"),
        (rb"\u001b[31m \u202e", "\x1b[31m \u202e"),
    ],
)
def test_text_is_made_safe_to_store_and_left_alone_otherwise(written: bytes, read: str) -> None:
    line = b'{"question": "q", "output": "%b", "contexts": ["%b"]}' % (written, written)
    (trace,) = read_object("u", line)
    assert isinstance(trace, Trace)
    assert (trace.output, trace.contexts) == (read, (read,))
    touched = "\ufffd" in read
    assert trace.attributes == ({SANITISED: "contexts,output"} if touched else {})
    assert traces_to_table([trace]).to_pylist()[0]["output"] == read


def test_every_text_is_cleaned() -> None:
    bad = r"x\u0000"
    record = (
        f'{{"trace_id": "{bad}", "messages": [{{"role": "user", "content": "{bad}"}}], "output": "o", '
        f'"attributes": {{"{bad}": "{bad}"}}, "tool_calls": [{{"name": "{bad}", "result": "{bad}"}}]}}'
    )
    (trace,) = read_object("u\0", record.encode())
    assert isinstance(trace, Trace)
    assert "\0" not in str(traces_to_table([trace]).to_pylist())
    assert trace.attributes["x\ufffd"] == "x\ufffd"
    assert trace.attributes[SANITISED] == "attributes,messages,source_uri,tool_calls,trace_id"
    (reject,) = read_object("u", b'{"trace_id": "a\\u0000", "x": "\xff"}')
    assert (reject.trace_id, "\udcff" in reject.excerpt) == ("a\ufffd", False)  # type: ignore[union-attr]


def test_two_megabytes_in_one_answer() -> None:
    answer = "word é " * 300_000
    (trace,) = read_object("u", json.dumps({"question": "q", "output": answer}).encode())
    assert isinstance(trace, Trace)
    assert trace.output == answer


def swallow(data: bytes) -> None:
    """Reads as every format: whatever comes out is a trace that can be stored or a reject with a reason."""
    for name in ("auto", *FORMATS):
        items = list(read_object("u", data, format=name))
        traces_to_table([item for item in items if isinstance(item, Trace)])
        assert all(item.reason for item in items if isinstance(item, Reject))
        assert items or name != "auto" or b"resource" in data or data == b"[]"


FUZZ = settings(
    max_examples=int(os.environ.get("JUDGEFLEET_FUZZ", "800")),
    derandomize="JUDGEFLEET_FUZZ" not in os.environ,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
"""The same examples each time; JUDGEFLEET_FUZZ=20000 looks for new ones."""


@FUZZ
@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"{", b"[", b"PAR1", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b'{"resourceSpans":']),
)
def test_arbitrary_bytes_never_raise(data: bytes, start: bytes) -> None:
    swallow(start + data)


@FUZZ
@given(st.sampled_from([OTLP, LINES, gzip.compress(LINES), zstandard.compress(OTLP)]), st.data())
def test_damaged_bytes_never_raise(whole: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(whole)))
    gone = data.draw(st.integers(0, 20))
    swallow(whole[:at] + data.draw(st.binary(max_size=10)) + whole[at + gone :])


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["[{", "user", "0" * 32, "ab" * 16]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "parts", "key", "value", "type", "stringValue", "name"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


def places(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] + [found for key, below in inner for found in places(below, (*path, key))]


@FUZZ
@given(st.sampled_from([OTLP, LINE]), st.data(), st.integers(1, 3))
def test_any_value_in_any_place_never_raises(whole: bytes, data: st.DataObject, changes: int) -> None:
    document = {"root": json.loads(whole)}
    for _ in range(changes):
        *above, last = data.draw(st.sampled_from(places(document)[1:]))
        target: object = document
        for key in above:
            target = target[key]  # type: ignore[index]
        target[last] = data.draw(JSON)  # type: ignore[index]
    swallow(json.dumps(document["root"]).encode())


@settings(FUZZ, max_examples=300)
@given(st.integers(0, len(PARQUET)), st.binary(max_size=8), st.booleans())
@example(at=len(PARQUET) - 8, new=b"\xff\xff\xff\x7f", insert=False)
def test_damaged_parquet_never_raises(at: int, new: bytes, insert: bool) -> None:
    swallow(PARQUET[:at] + new + PARQUET[at + (0 if insert else len(new)) :])
