"""Anything that can be read becomes Parquet of ``TRACE_SCHEMA``, part by part, and goes on where it was stopped.

A part holds the traces of some input objects and is named by a hash of them (address, size, time): one that is there is
done. It appears whole or not at all, after the rejects of the same objects.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.traces_look import objects_at
from judgefleet.errors import ConfigError
from judgefleet.hashing import stable_hash
from judgefleet.storage import (
    Location,
    ObjectInfo,
    ensure_writable,
    exists,
    explained,
    folder_entries,
    open_location,
    read_bytes,
    read_table,
    write_atomic,
    write_table_atomic,
)
from judgefleet.trace import TRACE_SCHEMA, Trace, traces_to_table
from judgefleet.traces.reader import read_object
from judgefleet.traces.reject import Reject

# Input of one part.
_PART_BYTES = 32 * 2**20
_PART_OBJECTS = 2_000
# Traces held at a time.
_ROWS = 1_000
_REJECTS = pa.schema([(name, pa.string()) for name in ("source_uri", "position", "reason", "trace_id", "excerpt")])
_RECORD = "_convert.json"


@dataclass(frozen=True, kw_only=True)
class Part:
    """Some objects, and the name of what becomes of them."""

    objects: Sequence[ObjectInfo]
    name: str = field(default="")

    def __post_init__(self) -> None:
        known = [(info.uri, info.size, f"{info.modified:.6f}") for info in self.objects]
        object.__setattr__(self, "name", f"part-{stable_hash(known, length=16)}.parquet")


@dataclass(kw_only=True)
class Converted:
    """What was done. ``traces`` and ``rejects`` count all parts, ``parts_written`` those that were not there before."""

    objects: int = 0
    traces: int = 0
    rejects: int = 0
    parts: int = 0
    parts_written: int = 0

    @property
    def rejected_share(self) -> float:
        """Of all that was found."""
        return self.rejects / (self.rejects + self.traces) if self.rejects else 0.0


def convert(
    uri: str,
    out: str,
    format: str = "auto",  # noqa: A002
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Converted:
    """Write all traces below ``uri`` to Parquet files in the folder ``out``, and rejects to ``out/_rejects``.

    Raises ConfigError: nothing there, ``out`` inside of it or holding something else; StoreError when a store does not
    answer: then the same call goes on from there.
    """
    _apart(uri, out)
    objects = objects_at(uri)
    folder = ensure_writable(out)
    _claim(folder, uri, format)
    done = Converted(objects=len(objects))
    parts = list(_parts(objects))
    for part in parts:
        _convert(part, folder, format, done)
        progress(done.parts, len(parts))
    _remove_others(folder, {part.name for part in parts})
    return done


def _apart(uri: str, out: str) -> None:
    inside, outside = (open_location(place).path.rstrip("/") + "/" for place in (uri, out))
    if outside.startswith(inside):
        raise ConfigError(f"the output {out!r} lies inside the input {uri!r}, and would be read; give another folder")


def _claim(folder: Location, uri: str, name: str) -> None:
    """One folder holds one conversion: parts of another input would be taken for its own."""
    record, mine = folder.child(_RECORD), {"input": uri, "format": name}
    if exists(record):
        found = json.loads(read_bytes(record.uri))
        if found != mine:
            raise ConfigError(f"{folder.uri}: found a conversion of {found}, not of {mine}; give another folder")
        return
    if others := [info.base_name for info in folder_entries(folder) if not info.base_name.startswith(".")]:
        raise ConfigError(f"{folder.uri}: found {sorted(others)[0]!r} in it; give a new folder, or an empty one")
    write_atomic(record, json.dumps(mine).encode())


def _parts(objects: Sequence[ObjectInfo]) -> Iterator[Part]:
    held: list[ObjectInfo] = []
    size = 0
    for info in objects:
        if held and (size + info.size > _PART_BYTES or len(held) >= _PART_OBJECTS):
            yield Part(objects=held)
            held, size = [], 0
        held.append(info)
        size += info.size
    yield Part(objects=held)


def _convert(part: Part, folder: Location, name: str, done: Converted) -> None:
    place, rejects = folder.child(part.name), folder.child(f"_rejects/{part.name}")
    if not exists(place):
        _write(part, place, folder, name)
        done.parts_written += 1
    done.parts += 1
    with explained("read", place):
        done.traces += pq.read_metadata(place.path, filesystem=place.fs).num_rows
        done.rejects += pq.read_metadata(rejects.path, filesystem=place.fs).num_rows


def _write(part: Part, place: Location, folder: Location, name: str) -> None:
    """Through a file on this machine, so that no more than some traces are held."""
    found: list[Reject] = []
    with TemporaryDirectory(prefix="judgefleet-") as scratch:
        path = Path(scratch, "part.parquet")
        with pq.ParquetWriter(path, TRACE_SCHEMA, compression="zstd") as writer:
            traces = _traces(part.objects, name, found)
            while held := list(islice(traces, _ROWS)):
                writer.write_table(traces_to_table(held))
        write_table_atomic(folder, f"_rejects/{part.name}", pa.Table.from_pylist(list(map(_row, found)), _REJECTS))
        write_atomic(place, path.read_bytes())


def _traces(objects: Sequence[ObjectInfo], name: str, rejects: list[Reject]) -> Iterator[Trace]:
    for info in objects:
        for item in read_object(info.uri, format=name):
            if isinstance(item, Trace):
                yield item
            else:
                rejects.append(item)


def _row(reject: Reject) -> dict[str, Any]:
    here = {name: getattr(reject, name) for name in ("position", "reason", "trace_id", "excerpt")}
    return here | {"source_uri": reject.uri}


def _remove_others(folder: Location, kept: set[str]) -> None:
    """Parts of an input that has changed since."""
    for place in (folder, folder.child("_rejects")):
        for info in folder_entries(place):
            if info.base_name.startswith("part-") and info.base_name not in kept:
                with explained("write", place):
                    place.fs.delete_file(info.path)


def rejects_in(out: str) -> Iterator[dict[str, Any]]:
    """What was rejected, part by part."""
    folder = open_location(out).child("_rejects")
    for info in sorted(folder_entries(folder), key=lambda info: str(info.base_name)):
        yield from read_table(folder.child(info.base_name)).to_pylist()
