"""Anything that can be read becomes Parquet of ``TRACE_SCHEMA``, part by part, and goes on where it was stopped.

A part is some input objects, named by a hash of them (address, size, time). It has up to three files: the traces that
are whole in their object; below ``_spans`` what others may hold parts of; and below ``_rejects``, written last, what
was rejected: where that is there, the part is done. When all are, what has spans is put together (``joined-*``).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jobs.config import InputConfig
from jobs.traces_look import objects_at
from jobs.traces_parts import Part, is_done, rows_in, write_joined, write_part
from judgefleet.errors import ConfigError
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
)

# Input of one part.
_PART_BYTES = 32 * 2**20
_PART_OBJECTS = 2_000
_RECORD = "_convert.json"


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


def convert(given: InputConfig, out: str, progress: Callable[[int, int], None] = lambda *_: None) -> Converted:
    """Write all traces of ``given`` to Parquet files in the folder ``out``, and rejects to ``out/_rejects``.

    Raises ConfigError: nothing there, ``out`` inside of it or holding something else; StoreError when a store does not
    answer: then the same call goes on from there.
    """
    _apart(given.uri, out)
    objects = objects_at(given.uri)
    folder = ensure_writable(out)
    _claim(folder, given)
    done = Converted(objects=len(objects))
    parts = list(_parts(objects))
    for part in parts:
        if not is_done(folder, part.name):
            write_part(part, folder, given)
            done.parts_written += 1
        done.parts += 1
        progress(done.parts, len(parts))
    names = [part.name for part in parts]
    names += write_joined(folder, names, given.read)
    _remove_others(folder, set(names))
    done.traces = sum(rows_in(folder.child(name)) for name in names)
    done.rejects = sum(rows_in(folder.child(f"_rejects/{name}")) for name in names)
    return done


def _apart(uri: str, out: str) -> None:
    inside, outside = map(_whole_path, (uri, out))
    if outside.startswith(inside):
        raise ConfigError(f"the output {out!r} lies inside the input {uri!r}, and would be read; give another folder")


def _whole_path(uri: str) -> str:
    """With what tells two stores apart, and where links lead to."""
    found = open_location(uri)
    if found.is_local:
        return f"{os.path.realpath(found.path)}/"
    return f"{found.fs.type_name}{found.uri.partition('?')[2]}/{found.path.rstrip('/')}/"


def _claim(folder: Location, given: InputConfig) -> None:
    """One folder holds one conversion: parts of another input would be taken for its own."""
    record, mine = folder.child(_RECORD), {"input": given.uri, "format": given.format}
    if read := given.model_dump(mode="json", exclude_defaults=True, include={"read"}).get("read"):
        mine["read"] = read
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


def _remove_others(folder: Location, kept: set[str]) -> None:
    """Parts of an input that has changed since."""
    for place in (folder, folder.child("_rejects"), folder.child("_spans")):
        for info in folder_entries(place):
            if info.base_name.startswith(("part-", "joined-")) and info.base_name not in kept:
                with explained("write", place):
                    place.fs.delete_file(info.path)


def rejects_in(out: str) -> Iterator[dict[str, Any]]:
    """What was rejected, part by part."""
    folder = open_location(out).child("_rejects")
    for info in sorted(folder_entries(folder), key=lambda info: str(info.base_name)):
        yield from read_table(folder.child(info.base_name)).to_pylist()
