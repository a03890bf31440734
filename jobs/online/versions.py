"""What each sampled trace was put together from, so that it can be put together again when more of it comes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jobs.online.log import Log
from jobs.online.seen import hashed
from judgefleet.errors import MissingError
from judgefleet.sample import Sample
from judgefleet.storage import Location, explained, folder_entries, read_table
from judgefleet.store import day_of
from judgefleet.trace import Trace
from judgefleet.traces.packed import packed, unpacked
from judgefleet.traces.span import Span

_DRAWN = ("stratum", "plan_hash", "unit_key", "inclusion_probability")
_TEXTS = ("trace_id", "days", "source_uri", "stratum", "plan_hash", "unit_key")
VERSION_SCHEMA = pa.schema(
    [*((name, pa.string()) for name in _TEXTS), ("spans", pa.binary()), ("inclusion_probability", pa.float64())]
)
# Traces of which this is kept, as of those that are known to be decided; and commits, since a start reads all of them.
_MOST_TRACES, _MOST_FILES = 250_000, 2_000
_READ_AT_A_TIME = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """A trace as far as it came, and how it was drawn. ``days``: under which its rows may lie, with commas."""

    trace_id: str
    days: str
    source_uri: str
    stratum: str
    plan_hash: str
    unit_key: str
    inclusion_probability: float
    spans: tuple[Span, ...]

    @classmethod
    def of(cls, sample: Sample, spans: Iterable[Span], days: str = "") -> Version:
        """That of a sample; ``days``: of the versions before it."""
        trace = sample.trace
        return cls(
            trace_id=trace.trace_id,
            days=",".join(sorted({day_of(trace.started_at), *filter(None, days.split(","))})),
            source_uri=trace.source_uri or "",
            spans=tuple(spans),
            **{name: getattr(sample, name) for name in _DRAWN},
        )

    def sample(self, trace: Trace) -> Sample:
        """``trace``, which has more of the same, drawn as this was."""
        return Sample(trace=trace, **{name: getattr(self, name) for name in _DRAWN})

    def row(self) -> dict[str, Any]:
        """One row of ``VERSION_SCHEMA``."""
        return {name: getattr(self, name) for name in VERSION_SCHEMA.names} | {"spans": packed(self.spans)}


class Versions:
    """Those of the last traces of a stream, in files below ``root`` that entries of its log name."""

    def __init__(self, root: Location, most_traces: int = _MOST_TRACES, most_files: int = _MOST_FILES) -> None:
        self._root, self._most_traces, self._most_files = root, most_traces, most_files
        self._in_work: set[int] = set()
        self._files: OrderedDict[str, list[int]] = OrderedDict()
        self._newest: dict[int, str] = {}
        self._traces = 0
        for name, trace_ids in _committed(root):
            self.committed(name, trace_ids)

    def __contains__(self, trace_id: str) -> bool:
        return (code := hashed(trace_id)) in self._newest or code in self._in_work

    def begin(self, trace_id: str) -> None:
        """It is decided, and its version not committed yet."""
        self._in_work.add(hashed(trace_id))

    def in_work(self, trace_id: str) -> bool:
        """Whether a version of it is yet to be committed."""
        return hashed(trace_id) in self._in_work

    def committed(self, name: str | None, trace_ids: Iterable[str]) -> None:
        """The versions of ``trace_ids`` are in the file ``name``, that an entry of the log names."""
        if name is not None:
            codes = self._files[name] = [hashed(trace_id) for trace_id in trace_ids]
            self._newest |= dict.fromkeys(codes, name)
            self._in_work.difference_update(codes)
            self._traces += len(codes)

    def find(self, trace_id: str) -> Version | None:
        """The newest version of a trace, None where there is none. Raises StoreError when it cannot be read now."""
        if (name := self._newest.get(hashed(trace_id))) is None:
            return None
        try:
            table = read_table(self._root.child(name))
        except MissingError:  # somebody deleted it
            self._forget(name)
            return None
        rows = table.filter(pc.equal(table["trace_id"], trace_id)).to_pylist()
        return Version(**rows[0] | {"spans": tuple(unpacked(rows[0]["spans"]))}) if rows else None

    def trim(self) -> None:
        """Delete the oldest files while there are more traces or files than are kept."""
        while self._traces > self._most_traces or len(self._files) > self._most_files:
            name = next(iter(self._files))
            _delete(self._root.child(name))
            self._forget(name)

    def _forget(self, name: str) -> None:
        codes = self._files.pop(name)
        self._traces -= len(codes)
        for code in codes:
            if self._newest.get(code) == name:
                del self._newest[code]


def _committed(root: Location) -> Iterator[tuple[str, list[str]]]:
    """Files that the log names, oldest first; those of a process that was killed before its entry are deleted."""
    infos = folder_entries(root.child("versions"))
    names = sorted(f"versions/{info.base_name}" for info in infos if info.base_name[:9].isdigit())
    log = Log(root)

    def look(name: str) -> list[str] | None:
        entry = log.read(int(name.partition("/")[2][:9]))
        if entry is not None and entry.versions == name:
            return [str(i) for i in read_table(root.child(name), ["trace_id"])["trace_id"].to_pylist()]
        if entry is not None:
            _delete(root.child(name))
        return None

    with ThreadPoolExecutor(_READ_AT_A_TIME) as pool:
        found = zip(names, pool.map(look, names), strict=True)
        yield from ((name, trace_ids) for name, trace_ids in found if trace_ids is not None)


def _delete(place: Location) -> None:
    with suppress(MissingError), explained("delete", place):
        place.fs.delete_file(place.path)
