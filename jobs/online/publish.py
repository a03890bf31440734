"""From a committed entry to the score store, as often as need be: the same entry gives the same files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

import pyarrow as pa
import pyarrow.compute as pc

from jobs.online.log import Entry, Spent
from jobs.online.micro_batch import Batch
from jobs.online.settle import Dead
from jobs.online.versions import VERSION_SCHEMA
from judgefleet.sample import SAMPLE_SCHEMA, Sample, sample_row, samples_to_table
from judgefleet.score import SCORE_SCHEMA
from judgefleet.storage import Location, explained, folder_entries, read_table, write_table_atomic
from judgefleet.store import write_scores
from judgefleet.stored_samples import NEWER

_REJECTS = pa.schema([(name, pa.string()) for name in ("uri", "position", "reason", "trace_id", "excerpt")])
# ``joined``: put together from spans, so that any row about its trace is about it, or about more of it.
DEAD_SCHEMA = pa.schema([*SAMPLE_SCHEMA, ("reason", pa.string()), ("tries", pa.int64()), ("joined", pa.bool_())])


def stage(
    root: Location, number: int, nonce: str, batch: Batch, rows: pa.Table, dead: Sequence[Dead]
) -> dict[str, str]:
    """Write what an entry will name, under names that no other writer uses. Returns the names by their field."""
    samples, newer = _samples_of(batch, dead)
    tables = {
        "rows": rows,
        "samples": samples_to_table(samples),
        "newer": samples_to_table(newer),
        "dead": pa.Table.from_pylist([_dead_row(d, batch) for d in dead], schema=DEAD_SCHEMA),
        "rejects": pa.Table.from_pylist([asdict(reject) for reject in batch.rejects], schema=_REJECTS),
        "versions": pa.Table.from_pylist([v.row() for v in batch.versions.values()], schema=VERSION_SCHEMA),
    }
    names = {field: f"{field}/{number:09d}-{nonce[:12]}.parquet" for field, table in tables.items() if table.num_rows}
    for field, name in names.items():
        write_table_atomic(root, name, tables[field])
    return names


def publish(store: Location, root: Location, entry: Entry) -> None:
    """Bring the rows and samples of a committed entry where readers look for them."""
    if entry.rows is not None:
        write_scores(store, _of_now(read_table(root.child(entry.rows))))
    for staged, ending in ((entry.samples, ".parquet"), (entry.newer, NEWER)):
        if staged is not None:
            name = f"_samples/{entry.run_id}/online-{entry.number:09d}{ending}"
            write_table_atomic(store, name, read_table(root.child(staged)).cast(SAMPLE_SCHEMA))


def _samples_of(batch: Batch, dead: Sequence[Dead]) -> tuple[list[Sample], list[Sample]]:
    """Those that are new to the store, and those that are newer than what it has: of the dead that stays."""
    again = {version.trace_id for version in batch.superseded}
    gone = {one.sample.trace.trace_id for one in dead}
    newer = [sample for sample in batch.samples if sample.trace.trace_id in again - gone]
    new = [] if batch.replayed else [sample for sample in batch.samples if sample.trace.trace_id not in again]
    return new, newer


def forget_staged(root: Location, published: int) -> None:
    """Delete staged rows and samples of entries that are in the store, and of those that were never committed."""
    for folder in ("rows", "samples", "newer"):
        place = root.child(folder)
        with explained("write", place):
            for info in folder_entries(place):
                if info.base_name[:9].isdigit() and int(info.base_name[:9]) <= published:
                    place.fs.delete_file(info.path)


def statuses(rows: pa.Table) -> Counter[str]:
    """Rows by ``scorer/status``."""
    names = zip(rows["scorer"].to_pylist(), rows["status"].to_pylist(), strict=True)
    return Counter(f"{scorer}/{status}" for scorer, status in names)


def tokens_of(rows: pa.Table) -> Spent:
    """Tokens of the rows; both rows of a pair carry the sums of both orders, so a pair counts once."""
    pairs = rows["pair_id"].to_pylist()
    seen: set[tuple[str, str, str]] = set()
    first = []
    for pair, scorer, axis in zip(pairs, rows["scorer"].to_pylist(), rows["axis"].to_pylist(), strict=True):
        first.append(pair is None or (pair, scorer, axis) not in seen)
        seen |= {(pair, scorer, axis)} if pair else set()
    once = rows.filter(pa.array(first, pa.bool_()))
    names = ("prompt_tokens", "cached_tokens", "completion_tokens")
    return Spent(**{name: pc.sum(once[name]).as_py() or 0 for name in names})


def _of_now(rows: pa.Table) -> pa.Table:
    """Staged rows, perhaps by a program of an older version, that knew fewer columns."""
    return pa.concat_tables([SCORE_SCHEMA.empty_table(), rows], promote_options="default").cast(SCORE_SCHEMA)


def _dead_row(dead: Dead, batch: Batch) -> dict[str, object]:
    joined = dead.sample.trace.trace_id in batch.versions
    return {**sample_row(dead.sample), "reason": dead.reason, "tries": dead.tries, "joined": joined}
