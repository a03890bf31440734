"""Rows as Langfuse exports them, and every way in which an export can be written. Used by several tests."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Rows = Sequence[dict[str, Any]]
TIME = "2026-11-22 06:41:{}.120000"


def observation(number: str, kind: str, second: int, **more: Any) -> dict[str, Any]:
    """The core columns of one observation that takes a second."""
    core = {
        "id": number,
        "trace_id": "t1",
        "project_id": "p1",
        "parent_observation_id": "",
        "type": kind,
        "start_time": TIME.format(f"{second:02d}"),
        "end_time": TIME.format(f"{second + 1:02d}"),
    }
    return core | more


def support_trace() -> list[dict[str, Any]]:
    """A root, a search, a tool, and the generation that answers."""
    asked = json.dumps([{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Where is it?"}])
    return [
        observation("o1", "SPAN", 1, name="turn", session_id="s1", tags=["support"], metadata={"plan": "pro"}),
        observation("o2", "RETRIEVER", 2, name="search", parent_observation_id="o1", input="where", output='["A doc"]'),
        observation("o3", "TOOL", 3, name="track", parent_observation_id="o1", input='{"id": 7}', output="sent"),
        observation(
            "o4",
            "GENERATION",
            4,
            name="answer",
            parent_observation_id="o1",
            environment="production",
            input=asked,
            output='On its way; "soon", they say.\nReally.',
            provided_model_name="small",
            usage_details={"input": 9, "output": 4, "total": 13},
            total_cost=0.002,
            latency=1.0,
            time_to_first_token=0.25,
        ),
    ]


def as_jsonl(rows: Rows) -> bytes:
    """One object a line."""
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def as_json(rows: Rows) -> bytes:
    """One list."""
    return json.dumps(rows).encode()


def as_csv(rows: Rows) -> bytes:
    """A header of all columns; what is not text is JSON."""
    out = io.StringIO(newline="")
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(out, names)
    writer.writeheader()
    for row in rows:
        writer.writerow({k: json.dumps(v) if isinstance(v, dict | list) else v for k, v in row.items()})
    return out.getvalue().encode()


def as_parquet(rows: Rows) -> bytes:
    """Maps and lists as Arrow's own."""
    kinds = {"usage_details": pa.map_(pa.string(), pa.int64()), "metadata": pa.map_(pa.string(), pa.string())}
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: pa.array([row.get(name) for row in rows], kinds.get(name)) for name in names}
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


WRITTEN = {"jsonl": as_jsonl, "json": as_json, "csv": as_csv, "parquet": as_parquet}
