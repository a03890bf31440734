"""Valid objects of every format, to be damaged. A format without seeds of its own is given those of all others."""

import gzip
import io
import json
from functools import cache
from pathlib import Path

import pyarrow.parquet as pq
import zstandard

from judgefleet.trace import Message, ToolCall, Trace, traces_to_table
from judgefleet.traces.reader import FORMATS, recognise
from tests.judgefleet.dialect_spans import WRITTEN as CONVENTIONS
from tests.judgefleet.dialect_spans import document, phoenix_objects
from tests.judgefleet.langfuse_rows import WRITTEN, support_trace
from tests.judgefleet.log_records import MESSAGES, as_json, as_proto, logs
from tests.judgefleet.otlp_wire import framed, message

_DATA = Path(__file__).parent / "data"
_CHAT = {
    "custom_id": "r1",
    "request": {"model": "m", "messages": [{"role": "user", "content": "q"}]},
    "response": {"body": {"id": "c", "created": 1795327200, "choices": [{"message": {"role": "assistant"}}]}},
}
_PLAIN = {
    "trace_id": "t",
    "started_at": "2026-11-22T06:00:00Z",
    "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": [{"type": "text", "text": "q"}]}],
    "output": "o",
    "contexts": ["c", {"content": "d"}],
    "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}, "result": "r"}],
    "usage": {"input_tokens": "1", "output_tokens": 2},
    "latency": {"ttft_ms": 1.5},
    "attributes": {"tier": 3},
}
_MANIFEST = {
    "version": 1,
    "projectId": "p1",
    "exportSource": "OBSERVATIONS_V2",
    "files": [{"key": "p1/observations_v2/2026-11-22T06-40-00.jsonl", "rowCount": 4}],
}


@cache
def seeds() -> dict[str, tuple[bytes, ...]]:
    """By format: objects that it reads."""
    found: dict[str, list[bytes]] = {name: [] for name in FORMATS}
    for data in (*_made(), *(path.read_bytes() for path in sorted(_DATA.iterdir()) if path.is_file())):
        if (name := recognise("u", data)) is not None:
            found[name].append(data)
    everything = [data for several in found.values() for data in several]
    return {name: tuple(several or everything) for name, several in found.items()}


def _made() -> list[bytes]:
    trace = Trace(
        trace_id="t",
        messages=(Message(role="user", content="q"),),
        output="o",
        contexts=("c",),
        tool_calls=(ToolCall(name="f"),),
        attributes={"a": "b"},
    )
    buffer = io.BytesIO()
    pq.write_table(traces_to_table([trace] * 3), buffer)
    lines = "\n".join(json.dumps(_PLAIN | {"trace_id": str(n)}) for n in range(3)).encode()
    rows = b'trace_id;question;answer;contexts;usage\n1;"a ""b""\nc";d;"[""e""]";"{""input_tokens"": 1}"\n2;q;;;\n'
    spoken = [document(*spans) for spans in CONVENTIONS.values()]
    wire = [message(spans).SerializeToString() for spans in spoken]
    return [
        *(write(support_trace()) for write in WRITTEN.values()),
        *(json.dumps(spans).encode() for spans in spoken),
        *wire,
        *(write(logs(*MESSAGES)) for write in (as_json, as_proto)),
        framed(*wire),
        framed(gzip.compress(wire[0]), zstandard.compress(json.dumps(spoken[0]).encode())),
        *phoenix_objects(),
        *(json.dumps(value).encode() for value in (_CHAT, _PLAIN, _MANIFEST)),
        *(buffer.getvalue(), lines, rows),
        *(gzip.compress(lines), zstandard.compress(rows), gzip.compress(zstandard.compress(lines))),
    ]
