"""What reading costs: spans a second, CPU time a trace, and whether memory stays flat as the bucket grows.

    python -m benchmarks.intake [--traces 5000 50000] [--s3 HOST:PORT] [--workers 2]

Traces of three spans (root, retrieval, chat) are written as gzip OTLP/JSON, ten an object, to an S3 server: the one
that is up, with its keys in the environment, or moto, started here. Then a process with workers that are up reads and
joins them and draws a tenth, as 'judgefleet batch' does on Ray's workers and its driver, without Ray and without
scoring. Memory is the proportional set size (PSS) of these processes together, looked at twice a second.
"""

import argparse
import gzip
import json
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from benchmarks.measuring import Cost, cost_of
from benchmarks.scale import text
from benchmarks.traffic import server
from jobs.config import BatchConfig
from jobs.intake import INTAKE_SCHEMA, Intake, listed
from jobs.joined import write_joined
from jobs.plan import make_plan, staged_dataset
from judgefleet.storage import list_objects, open_location, write_atomic

_AN_OBJECT, _SPANS, _BEGAN = 10, 3, 1_790_000_000
# Objects that a worker reads in one go, and how they are given to it.
_A_TASK = 250
_LISTED = pa.schema([("uri", pa.string()), ("place", pa.string()), ("size", pa.int64())])


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the reading process says: seconds to list, to read and join, and to draw; CPU of it and its workers."""

    list_seconds: float
    read_seconds: float
    draw_seconds: float
    cpu_seconds: float
    sampled: int
    traces: int


def span(trace: int, number: int, operation: str, said: dict[str, str]) -> dict[str, Any]:
    """Span ``number`` of ``trace``; the first is the root."""
    at = (_BEGAN + trace) * 10**9 + number * 10**6
    given = {"gen_ai.operation.name": operation, **said}
    return {
        "traceId": f"{trace + 1:032x}",
        "spanId": f"{trace * _SPANS + number + 1:016x}",
        **({"parentSpanId": f"{trace * _SPANS + 1:016x}"} if number else {}),
        "name": operation,
        "kind": 1,
        "startTimeUnixNano": str(at),
        "endTimeUnixNano": str(at + 5 * 10**8),
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in given.items()],
    }


def spans_of(trace: int) -> Iterator[dict[str, Any]]:
    """A question of about 12 words, a context of 60 and an answer of 40."""

    def turn(role: str, content: str) -> str:
        return json.dumps([{"role": role, "parts": [{"type": "text", "content": content}]}])

    where = {"gen_ai.conversation.id": f"c{trace // 2}", "feature_flag.result.variant": "AB"[trace % 2]}
    documents = json.dumps([{"id": f"RET-{trace % 50}", "content": text(trace % 50, 60)}])
    messages = {
        "gen_ai.request.model": "assistant-1",
        "gen_ai.input.messages": turn("user", text(trace, 12)),
        "gen_ai.output.messages": turn("assistant", text(trace + 1, 40)),
    }
    yield span(trace, 0, "invoke_agent", where)
    yield span(trace, 1, "retrieval", {"gen_ai.retrieval.documents": documents})
    yield span(trace, 2, "chat", messages)


def write(uri: str, count: int) -> None:
    """``count`` traces, ten an object."""
    place = open_location(uri)
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "support"}}]}

    def one(start: int) -> None:
        spans = [s for trace in range(start, min(start + _AN_OBJECT, count)) for s in spans_of(trace)]
        content = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {}, "spans": spans}]}]}
        write_atomic(place.child(f"{start:09d}.json.gz"), gzip.compress(json.dumps(content).encode(), 6))

    with ThreadPoolExecutor(4) as writers:
        list(writers.map(one, range(0, count, _AN_OBJECT)))


def read(uri: str, folder: Path, workers: int) -> Seen:
    """List, read, join, draw a tenth; rows and plan go to ``folder``."""
    content = {"name": "intake", "store": str(folder), "input": {"uri": uri}, "scorers": [{"use": "not_empty"}]}
    config = BatchConfig.model_validate(content | {"sampling": {"default_rate": 0.1}})
    intake, staged = Intake(config=config, group_by=None), folder / "staged"
    staged.mkdir()
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        list(pool.map(time.sleep, [0.5] * workers))
        list(pool.map(stage, [intake] * workers, [[]] * workers, [folder / f"{number}" for number in range(workers)]))
        began, cpu = time.monotonic(), time.process_time()
        objects = listed(list_objects(uri))
        listing = time.monotonic()
        parts = range(0, len(objects), _A_TASK)
        places = [staged / f"{part:09d}.parquet" for part in parts]
        used = list(pool.map(stage, [intake] * len(parts), [objects[at : at + _A_TASK] for at in parts], places))
        reading = time.monotonic()
        found = staged_dataset(open_location(staged))
        write_joined(intake.joined(found), INTAKE_SCHEMA, open_location(staged))
        store = open_location(folder).child("store")
        plan = make_plan(staged_dataset(open_location(staged)), store, config.run_id, config.run.chunk_traces)
        drawn = time.monotonic()
    return Seen(
        list_seconds=listing - began,
        read_seconds=reading - listing,
        draw_seconds=drawn - reading,
        cpu_seconds=sum(used) + time.process_time() - cpu,
        sampled=plan.counts["sampled"],
        traces=sum(plan.counts.values()),
    )


def stage(intake: Intake, objects: list[dict[str, Any]], path: Path) -> float:
    """As one of Ray's tasks does: table by table, to Parquet. Returns the seconds of CPU that it took."""
    cpu = time.process_time()
    with pq.ParquetWriter(path, INTAKE_SCHEMA) as writer:
        for table in intake(pa.Table.from_pylist(objects, schema=_LISTED)):
            writer.write_table(table)
    return time.process_time() - cpu


def child(uri: str, workers: int) -> None:
    """What the measured process does; its result is one line of JSON."""
    with tempfile.TemporaryDirectory() as folder:
        seen = read(uri, Path(folder), workers)
    print(json.dumps({name: getattr(seen, name) for name in Seen.__annotations__}))  # noqa: T201 - to the parent


def measure(count: int, address: str, workers: int) -> tuple[Seen, Cost]:
    """Write ``count`` traces and read them. Raises SystemExit where some are missing."""
    uri = f"s3://traffic/intake-{count}?endpoint_override={address}&scheme=http&region=us-east-1"
    write(uri, count)
    code = f"from benchmarks.intake import child; child({uri!r}, {workers})"
    cost = cost_of([sys.executable, "-c", code])
    seen = Seen(**json.loads(cost.output))
    if seen.traces != count:
        raise SystemExit(f"{count} traces were written, {seen.traces} read")
    return seen, cost


def row(count: int, seen: Seen, cost: Cost) -> Iterator[str]:
    """The figures of one size."""
    yield f"{count:,}"
    yield f"{seen.sampled:,}"
    yield f"{count * _SPANS / (seen.read_seconds + seen.draw_seconds):,.0f}"
    yield f"{1000 * seen.cpu_seconds / count:.2f}"
    yield f"{cost.all_mib:,.0f}"
    yield from (f"{seconds:,.1f}" for seconds in (seen.list_seconds, seen.read_seconds, seen.draw_seconds))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", type=int, nargs="+", default=[5_000, 50_000])
    parser.add_argument("--s3", help="host:port of a server that is up; without it, moto")
    parser.add_argument("--workers", type=int, default=2, help="processes that read")
    given = parser.parse_args()
    names = ("traces", "sampled", "spans/s", "CPU-ms a trace", "peak MiB", "list s", "read s", "draw s")
    table = Table(*names, box=None)
    with server(given.s3) as address:
        for count in given.traces:
            table.add_row(*row(count, *measure(count, address, given.workers)))
    Console().print(table)


if __name__ == "__main__":
    main()
