"""The files of a conversion: one part of the input after the other, and what is put together from all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from jobs.config import InputConfig
from jobs.fetch import contents, gone
from jobs.joined import SPANS_SCHEMA, join, whole_and_rows
from judgefleet.errors import MissingError
from judgefleet.hashing import stable_hash
from judgefleet.storage import Location, ObjectInfo, exists, explained, folder_entries, write_atomic
from judgefleet.trace import Trace, traces_to_table
from judgefleet.traces.clean import safe
from judgefleet.traces.content import ReadOptions
from judgefleet.traces.reader import read_parts
from judgefleet.traces.reject import Reject

# Traces held at a time, and those of one file that is put together.
_ROWS, _A_FILE = 1_000, 50_000
_REJECTS = pa.schema([(name, pa.string()) for name in ("source_uri", "position", "reason", "trace_id", "excerpt")])
Found = Trace | Reject | Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Part:
    """Some objects, and the name of what becomes of them."""

    objects: Sequence[ObjectInfo]
    name: str = field(default="")

    def __post_init__(self) -> None:
        known = [(safe(info.uri), info.size, f"{info.modified:.6f}") for info in self.objects]
        object.__setattr__(self, "name", f"part-{stable_hash(known, length=16)}.parquet")


def is_done(folder: Location, name: str) -> bool:
    """Whether the part is there with all its files."""
    return exists(folder.child(f"_rejects/{name}"))


def rows_in(place: Location) -> int:
    """Rows of a Parquet file; 0 where there is none."""
    if not exists(place):
        return 0
    with explained("read", place):
        return int(pq.read_metadata(place.path, filesystem=place.fs).num_rows)


def write_part(part: Part, folder: Location, given: InputConfig) -> None:
    """Read the objects of ``part`` and write its files."""

    def found() -> Iterator[Found]:
        ahead = contents((info.uri, info.size) for info in part.objects)
        for number, (info, data) in enumerate(zip(part.objects, ahead, strict=True)):
            if isinstance(data, MissingError):
                yield gone(info.uri)
                continue
            parts = read_parts(info.uri, data, given.format, given.read)
            yield from whole_and_rows(parts, info.uri, f"{part.name}/{number:09d}")

    _write(found(), folder, part.name)


def write_joined(folder: Location, names: Sequence[str], options: ReadOptions) -> list[str]:
    """Put together what the parts ``names`` have spans of; the names of the files. Nothing is done that is done."""
    spans = [place.path for name in names if exists(place := folder.child(f"_spans/{name}"))]
    if not spans:
        return []
    stem = f"joined-{stable_hash(sorted(names), length=16)}"
    if not is_done(folder, f"{stem}.parquet"):
        staged = ds.dataset(spans, schema=SPANS_SCHEMA, format="parquet", filesystem=folder.fs)
        numbered = enumerate(one.found for one in join(staged, options))
        for file, group in groupby(numbered, key=lambda one: one[0] // _A_FILE):
            _write((item for _, item in group), folder, f"{stem}-{file:06d}.parquet")
        _write((), folder, f"{stem}.parquet")
    return [info.base_name for info in folder_entries(folder.child("_rejects")) if info.base_name.startswith(stem)]


def _write(items: Iterable[Found], folder: Location, name: str) -> None:
    """Through files on this machine, so that no more than some traces are held."""
    with TemporaryDirectory(prefix="judgefleet-") as scratch:
        traces = _Sink(Path(scratch, "traces"), traces_to_table)
        spans = _Sink(Path(scratch, "spans"), lambda rows: pa.Table.from_pylist(rows, schema=SPANS_SCHEMA))
        rejects = _Sink(Path(scratch, "rejects"), lambda found: pa.Table.from_pylist(list(map(_row, found)), _REJECTS))
        for item in items:
            (traces if isinstance(item, Trace) else rejects if isinstance(item, Reject) else spans).add(item)
        traces.publish(folder.child(name))
        spans.publish(folder.child(f"_spans/{name}"))
        rejects.publish(folder.child(f"_rejects/{name}"), even_empty=True)


class _Sink:
    """Rows of one file, some held at a time."""

    def __init__(self, path: Path, to_table: Callable[[list[Any]], pa.Table]) -> None:
        self._path, self._to_table, self._held = path, to_table, list[Any]()
        self._writer: pq.ParquetWriter | None = None

    def add(self, item: Any) -> None:
        self._held.append(item)
        if len(self._held) >= _ROWS:
            self._flush()

    def publish(self, place: Location, *, even_empty: bool = False) -> None:
        """Write it to ``place``; without rows only where that is wanted."""
        if self._held or (even_empty and self._writer is None):
            self._flush()
        if self._writer is not None:
            self._writer.close()
            write_atomic(place, self._path.read_bytes())

    def _flush(self) -> None:
        table, self._held = self._to_table(self._held), []
        self._writer = self._writer or pq.ParquetWriter(self._path, table.schema, compression="zstd")
        self._writer.write_table(table)


def _row(reject: Reject) -> dict[str, Any]:
    here = {name: getattr(reject, name) for name in ("position", "reason", "trace_id", "excerpt")}
    return here | {"source_uri": reject.uri}
