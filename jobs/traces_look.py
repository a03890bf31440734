"""What lies at an address: formats, traces, rejects, which fields are filled, who asked when. Some objects are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from jobs.config import InputConfig
from jobs.fetch import contents, gone
from jobs.joined import SPANS_SCHEMA, Part, join, whole_and_rows
from jobs.traces_found import UNKNOWN, Found, Seen, counted
from judgefleet.errors import ConfigError, MissingError
from judgefleet.storage import ObjectInfo, list_objects
from judgefleet.trace import Trace
from judgefleet.traces.reader import read_parts, recognise
from judgefleet.traces.span import Span


def inspect(given: InputConfig, most: int, progress: Callable[[int, int], None] = lambda *_: None) -> Found:
    """Read at most ``most`` objects of ``given``, spread over all of them. Raises ConfigError where there are none.

    A trace is put together from the objects that are read, and counted as what that makes of it.
    """
    objects = objects_at(given.uri)
    found, seen = Found(objects=len(objects), bytes=sum(info.size for info in objects)), Seen()
    chosen = spread(objects, most)
    with TemporaryDirectory(prefix="judgefleet-") as scratch:
        ahead = contents((info.uri, info.size) for info in chosen)
        for number, (info, data) in enumerate(zip(chosen, ahead, strict=True)):
            rows = list(_look(info.uri, data, f"{number:09d}", given, found, seen))
            pq.write_table(pa.Table.from_pylist(rows, schema=SPANS_SCHEMA), Path(scratch, f"{number:09d}.parquet"))
            progress(number + 1, len(chosen))
        for one in join(ds.dataset(scratch, schema=SPANS_SCHEMA, format="parquet"), given.read):
            found.split += one.objects > 1
            counted(one.found, found, seen)
    found.copies, found.conversations = seen.copies, len(seen.turns)
    found.split += len(seen.split)
    found.longest_conversation = max(seen.turns.values(), default=0)
    return found


def objects_at(uri: str) -> list[ObjectInfo]:
    """Everything below ``uri``. Raises ConfigError where there is nothing, and as ``list_objects`` does."""
    objects = list_objects(uri)
    if not objects:
        raise ConfigError(f"no objects under {uri!r}; give a folder or file of traces (names with _ or . are skipped)")
    return objects


def spread(objects: Sequence[ObjectInfo], most: int) -> list[ObjectInfo]:
    """At most ``most`` of them, evenly over their names, and the first and the last among them.

    >>> infos = [ObjectInfo(uri=str(n), size=1) for n in range(10)]
    >>> [info.uri for info in spread(infos, 4)]
    ['0', '3', '6', '9']
    """
    if len(objects) <= most:
        return list(objects)
    return [objects[round(n * (len(objects) - 1) / max(most - 1, 1))] for n in range(most)]


def _look(
    uri: str, data: bytes | MissingError, place: str, given: InputConfig, found: Found, seen: Seen
) -> Iterator[dict[str, Any]]:
    """Counts what is whole; rows of SPANS_SCHEMA are for what others may hold parts of."""
    found.read += 1
    if isinstance(data, MissingError):
        counted(gone(uri), found, seen)
        return
    name = given.format
    found.formats[recognise(uri, data, given.read) or UNKNOWN if name == "auto" else name] += 1
    inside: set[str] = set()
    for item in whole_and_rows(_counting(read_parts(uri, data, name, given.read), found), uri, place):
        if isinstance(item, Mapping):
            yield item
            continue
        if isinstance(item, Trace):
            identity = f"{item.trace_id}/{item.span_id}"
            seen.copies += identity in inside
            inside.add(identity)
            seen.place(item.trace_id, found.read)
        counted(item, found, seen)


def _counting(parts: Iterable[Part], found: Found) -> Iterator[Part]:
    for part in parts:
        found.spans += isinstance(part, Span) and not part.of_log
        yield part
