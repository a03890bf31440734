"""What each sampled trace was put together from, so that it can be put together again when more of it comes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from jobs.online.log import Entry, Log
from jobs.online.seen import hashed
from judgefleet.errors import MissingError
from judgefleet.sample import Sample
from judgefleet.storage import Location, explained, folder_entries, read_table
from judgefleet.store import day_of
from judgefleet.traces.packed import packed, unpacked
from judgefleet.traces.span import Span

_TEXTS = ("trace_id", "day", "source_uri", "sampled_in", "stratum", "plan_hash", "unit_key")
VERSION_SCHEMA = pa.schema(
    [*((name, pa.string()) for name in _TEXTS), ("spans", pa.binary()), ("inclusion_probability", pa.float64())]
)
# Traces of which this is kept, as of those that are known to be decided.
_MOST = 250_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """A trace as it was scored: ``day`` its rows lie under, ``sampled_in`` the file of its sample below the store."""

    trace_id: str
    day: str
    source_uri: str
    sampled_in: str
    stratum: str
    plan_hash: str
    unit_key: str
    spans: tuple[Span, ...]
    inclusion_probability: float


def version_row(sample: Sample, spans: Iterable[Span], sampled_in: str) -> dict[str, object]:
    """One row of ``VERSION_SCHEMA``."""
    drawn = {name: getattr(sample, name) for name in ("stratum", "plan_hash", "unit_key", "inclusion_probability")}
    trace = sample.trace
    place = {"source_uri": trace.source_uri, "day": day_of(trace.started_at), "sampled_in": sampled_in}
    return {"trace_id": trace.trace_id, "spans": packed(spans)} | place | drawn


class Versions:
    """Those of the last traces of a stream, in files below ``root`` that entries of its log name."""

    def __init__(self, root: Location, most: int = _MOST) -> None:
        self._root, self._most = root, most
        self._in_work: set[int] = set()
        self._files: OrderedDict[str, list[int]] = OrderedDict()
        self._newest: dict[int, str] = {}
        for name, trace_ids in _committed(root):
            self._remember(name, trace_ids)

    def __contains__(self, trace_id: str) -> bool:
        return (code := hashed(trace_id)) in self._newest or code in self._in_work

    def begin(self, trace_id: str) -> None:
        """It is decided, and its version not committed yet."""
        self._in_work.add(hashed(trace_id))

    def in_work(self, trace_id: str) -> bool:
        """Whether a version of it is yet to be committed."""
        return hashed(trace_id) in self._in_work

    def committed(self, name: str | None, trace_ids: Iterable[str]) -> None:
        """The versions of ``trace_ids`` are in the file that an entry of the log names."""
        if name is not None:
            self._in_work -= self._remember(name, trace_ids)

    def find(self, trace_id: str) -> Version | None:
        """The newest version of a trace. Raises ConfigError and StoreError when it cannot be read."""
        if (name := self._newest.get(hashed(trace_id))) is None:
            return None
        table = read_table(self._root.child(name))
        rows = table.filter(pc.equal(table["trace_id"], trace_id)).to_pylist()
        return Version(**rows[0] | {"spans": tuple(unpacked(rows[0]["spans"]))}) if rows else None

    def trim(self) -> None:
        """Delete the oldest files while there are more traces than are kept."""
        while sum(map(len, self._files.values())) > self._most:
            name, codes = next(iter(self._files.items()))
            place = self._root.child(name)
            with suppress(MissingError), explained("delete", place):
                place.fs.delete_file(place.path)
            for code in codes:
                if self._newest.get(code) == name:
                    del self._newest[code]
            del self._files[name]

    def _remember(self, name: str, trace_ids: Iterable[str]) -> set[int]:
        codes = self._files[name] = [hashed(trace_id) for trace_id in trace_ids]
        self._newest |= dict.fromkeys(codes, name)
        return set(codes)


def _committed(root: Location) -> Iterator[tuple[str, list[str]]]:
    """Files that the log names, oldest first; what a process left that was killed before its entry is no version."""
    log = Log(root)
    for info in sorted(folder_entries(root.child("versions")), key=lambda info: str(info.base_name)):
        name = f"versions/{info.base_name}"
        entry: Entry | None = log.read(int(info.base_name[:9])) if info.base_name[:9].isdigit() else None
        if entry is not None and entry.versions == name:
            yield name, read_table(root.child(name), ["trace_id"])["trace_id"].to_pylist()
