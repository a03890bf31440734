"""The score store: zstd Parquet under scores/date=YYYY-MM-DD/scorer=NAME/, one row per trace, scorer and axis.

Folders that begin with ``_`` hold what belongs to a run (its samples, rejects and summary); readers of Parquet
pass them over, so ``pandas.read_parquet(STORE)`` sees score rows and nothing else.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from judgefleet.errors import ConfigError
from judgefleet.hashing import stable_hash
from judgefleet.ids import IdSet
from judgefleet.sample import SAMPLE_SCHEMA
from judgefleet.score import SCORE_SCHEMA
from judgefleet.storage import Location, ObjectInfo, exists, explained, list_objects, open_location, write_table_atomic

# The scorer is the name of the folder: a column of the same name in the files would clash with it.
FILE_SCHEMA = SCORE_SCHEMA.remove(SCORE_SCHEMA.get_field_index("scorer"))
UNDATED = "undated"
# Enough to decide whether a row stays.
SIGNIFICANT = ["score_id", "supersedes", "trace_id", "fingerprint", "status"]
# How the name of a file ends whose samples stand for older ones of their traces.
NEWER = "-newer.parquet"
_IDENTITY = ["score_id", "supersedes"]
# How a dataset is gone through. Kept for a second time, the footers of ten thousand files are more than a gigabyte;
# with threads, batches are read ahead of a slower consumer until all are held; and a distant store is waited for less
# often where more files are asked for at a time.
ONCE: Mapping[str, Any] = MappingProxyType({"cache_metadata": False, "use_threads": False, "fragment_readahead": 16})
_BATCH_ROWS = 65_536
_TRIES = 5
T = TypeVar("T")
_PARTITIONS = ds.partitioning(pa.schema([("date", pa.string()), ("scorer", pa.string())]), flavor="hive")


def write_scores(store: Location, rows: pa.Table, replacing: str = "") -> int:
    """Commit ``rows`` (SCORE_SCHEMA, one run): one file per date and scorer, each there whole or not at all.

    A file's name comes from the run and the ids in it: the same rows written twice are one file. ``replacing``: the
    name of a file these are left of, so that they never take the name of a third. Returns the rows.
    """
    dates = pc.fill_null(pc.strftime(rows["trace_started_at"], format="%Y-%m-%d"), UNDATED)
    for date, scorer in sorted(set(zip(dates.to_pylist(), rows["scorer"].to_pylist(), strict=True))):
        mine = pc.and_(pc.equal(dates, date), pc.equal(rows["scorer"], scorer))
        _write_part(store, date, scorer, rows.filter(mine), replacing)
    return int(rows.num_rows)


def _write_part(store: Location, date: str, scorer: str, rows: pa.Table, replacing: str) -> None:
    run = rows["run_id"][0].as_py()
    name = stable_hash(sorted(rows["score_id"].to_pylist()) + [replacing] * bool(replacing), length=20)
    table = rows.drop_columns(["scorer"]).cast(FILE_SCHEMA)
    write_table_atomic(store, f"scores/date={date}/scorer={scorer}/{run}-{name}.parquet", table)


def day_of(started_at: datetime | None) -> str:
    """The folder of a trace's rows: the day in UTC on which it began.

    >>> day_of(datetime(2026, 11, 20, 23, 59, tzinfo=UTC)), day_of(None)
    ('2026-11-20', 'undated')
    """
    return started_at.astimezone(UTC).strftime("%Y-%m-%d") if started_at else UNDATED


def score_files(store: Location, day: str | None = None) -> list[ObjectInfo]:
    """Every committed score file, or those of traces of one day (YYYY-MM-DD); none where the store is new."""
    folder = store.child(f"scores/date={day}" if day else "scores")
    found = list_objects(folder.uri) if exists(folder) else []
    return [info for info in found if open_location(info.uri).path.endswith(".parquet")]


def read_scores(uri: str, columns: list[str] | None = None) -> pa.Table:
    """All score rows as one table, with the columns of SCORE_SCHEMA (or those asked for), and no row twice.

    A row that another one supersedes is left out. Raises ConfigError when there is no store at ``uri``, StoreError when
    it cannot be read.
    """
    store = open_location(uri)
    if not exists(store):
        raise ConfigError(f"no score store at {uri!r}; give the one that 'judgefleet batch' printed as store")
    wanted = columns or SCORE_SCHEMA.names
    names = list(dict.fromkeys([*wanted, *_IDENTITY]))
    table = _while_files_merge(lambda: _read(store, score_files(store), names))
    return _current(_first_of_each(table)).select(wanted)


def score_batches(uri: str, columns: list[str], fingerprints: list[str]) -> Iterator[pa.Table]:
    """The rows of ``fingerprints`` some ten thousand at a time, each row once: for stores that are larger than memory.

    A row that another one supersedes is left out. Raises ConfigError when there is no store at ``uri``, StoreError when
    it cannot be read.
    """
    store, mine = open_location(uri), _is_one_of("fingerprint", fingerprints)
    files = score_files(store)  # once, so that no row is read whose successor is not, and the other way round
    if not exists(store) or score_ids(store, files).copies:
        yield read_scores(uri, list(dict.fromkeys([*columns, "fingerprint"]))).filter(mine).select(columns)
        return
    held: list[pa.RecordBatch] = []
    if len(replaced := superseded(store, files)):
        mine &= ~ds.field("score_id").isin(replaced)
    with explained("read", store):
        for batch in _dataset(store, files).to_batches(columns=columns, filter=mine, **ONCE):
            held.append(batch)
            if sum(map(len, held)) >= _BATCH_ROWS:
                yield pa.Table.from_batches(held)
                held = []
    if held:
        yield pa.Table.from_batches(held)


def scores_of(
    uri: str, trace_ids: list[str], fingerprints: list[str], days: Iterable[str | None] = (None,)
) -> pa.Table:
    """All columns of the rows that ``fingerprints`` gave to ``trace_ids``, but of those that others supersede.

    ``days``: look only among traces that began then (as ``day_of`` writes it).
    """
    store = open_location(uri)
    mine = _is_one_of("fingerprint", fingerprints) & _is_one_of("trace_id", trace_ids)

    def read() -> pa.Table:
        files = [info for day in days for info in score_files(store, day)]
        return _read(store, files, SCORE_SCHEMA.names, mine)

    return _current(_first_of_each(_while_files_merge(read)))


def superseded(store: Location, files: list[ObjectInfo] | None = None) -> pa.Array:
    """The ids of all rows that other rows supersede, in ``files`` or everywhere."""
    return _column(store, files, "supersedes", ds.field("supersedes").is_valid()).combine_chunks()


def traces_with_rows(store: Location, trace_ids: list[str]) -> set[str]:
    """Those of ``trace_ids`` about which there is any row, whoever wrote it."""
    return set(_column(store, None, "trace_id", _is_one_of("trace_id", trace_ids)).to_pylist()) if trace_ids else set()


def _column(store: Location, files: list[ObjectInfo] | None, name: str, mine: ds.Expression) -> pa.ChunkedArray:
    """One column of the rows that ``mine`` is true for, in ``files`` or everywhere."""
    return _while_files_merge(lambda: _read(store, score_files(store) if files is None else files, [name], mine))[name]


def _current(table: pa.Table) -> pa.Table:
    return _without(table, "score_id", table["supersedes"].drop_null())


def _without(table: pa.Table, column: str, values: pa.ChunkedArray) -> pa.Table:
    """The rows whose ``column`` is none of ``values``."""
    return table.filter(pc.invert(pc.is_in(table[column], values.combine_chunks()))) if len(values) else table


def _is_one_of(column: str, values: list[str]) -> ds.Expression:
    # Of an empty list Arrow would guess a type that no column has.
    return ds.field(column).isin(pa.array(values, pa.string()))


def score_ids(store: Location, files: list[ObjectInfo] | None = None) -> IdSet:
    """The ids of all committed rows, in ``files`` or everywhere."""

    def read() -> IdSet:
        with explained("read", store):
            found = _dataset(store, score_files(store) if files is None else files)
            batches = found.to_batches(columns=["score_id"], **ONCE)
            return IdSet.of(batch.column(0) for batch in batches)

    return _while_files_merge(read)


def _while_files_merge(read: Callable[[], T]) -> T:
    """``read`` lists files and reads them; where one was merged into another in between, it does so again."""
    for _ in range(_TRIES - 1):
        try:
            return read()
        except ConfigError as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                raise
    return read()


def _read(store: Location, files: list[ObjectInfo], columns: list[str], mine: ds.Expression | None = None) -> pa.Table:
    with explained("read", store):
        return _dataset(store, files).to_table(columns=columns, filter=mine, **ONCE)


def _dataset(store: Location, files: list[ObjectInfo]) -> ds.Dataset:
    schema = pa.schema([*FILE_SCHEMA, ("date", pa.string()), ("scorer", pa.string())])
    paths = [open_location(info.uri).path for info in files]
    return ds.dataset(paths, schema=schema, format="parquet", filesystem=store.fs, partitioning=_PARTITIONS)


def _delete(store: Location, info: ObjectInfo) -> None:
    with explained("write", store):
        store.fs.delete_file(open_location(info.uri).path)


def _first_of_each(table: pa.Table) -> pa.Table:
    """A score id names one row; a second copy (see ``drop_duplicates``) is not a second score."""
    return _one_of_each(table, "score_id", "min")


def _one_of_each(table: pa.Table, key: str, which: str) -> pa.Table:
    """Of the rows that share a ``key`` the first (``which``: min) or the last (max)."""
    numbered = table.append_column("_row", pa.array(range(table.num_rows), pa.int64()))
    chosen = numbered.group_by(key).aggregate([("_row", which)])[f"_row_{which}"]
    return table if len(chosen) == table.num_rows else table.take(chosen)


def drop_duplicates(store: Location) -> int:
    """Remove second copies of rows, which a process killed while it was writing may leave. Returns how many."""
    if not score_ids(store).copies:
        return 0
    seen: set[str] = set()

    def first_seen(table: pa.Table) -> pa.Array:
        ids = table["score_id"].to_pylist()
        fresh = [i not in seen for i in ids]
        seen.update(ids)
        return pa.array(fresh, pa.bool_())

    return keep_rows(store, first_seen)


def keep_rows(store: Location, keep: Callable[[pa.Table], pa.Array]) -> int:
    """Leave only the rows that ``keep`` is true for. Returns how many went.

    ``keep`` sees the columns of ``SIGNIFICANT``. A file is replaced by one without those rows before it is deleted, so
    no reader ever misses a row that stays.
    """
    dropped = 0
    for info in score_files(store):
        mask = keep(_read(store, [info], SIGNIFICANT))
        if pc.all(mask).as_py():
            continue
        table = _read(store, [info], SCORE_SCHEMA.names)
        kept = table.filter(mask)
        dropped += table.num_rows - kept.num_rows
        if kept.num_rows:
            write_scores(store, kept, replacing=info.uri)
        _delete(store, info)
    return dropped


def change_column(store: Location, name: str, columns: list[str], change: Callable[[pa.Table], pa.Array]) -> int:
    """Give ``name`` the values that ``change`` makes of ``columns``, ``name`` among them. Returns how many differ.

    A file is replaced by one of another name before it is deleted, as by ``keep_rows``.
    """
    changed = 0
    for info in score_files(store):
        rows = _read(store, [info], columns)
        values = change(rows)
        differ = pc.sum(pc.not_equal(values, rows[name].cast(values.type))).as_py() or 0
        if not differ:
            continue
        table = _read(store, [info], SCORE_SCHEMA.names)
        at = table.schema.get_field_index(name)
        table = table.set_column(at, table.schema.field(at), values.cast(table.schema.field(at).type))
        write_scores(store, table, replacing=info.uri)
        _delete(store, info)
        changed += differ
    return changed


def merge_files(store: Location, files: list[ObjectInfo]) -> int:
    """Put the rows of ``files``, all of one date and scorer, into one file of a new name; returns how many files went.

    It is written whole before the others are deleted: for that moment a row may be there twice, as ``read_scores``
    knows it may, and never not at all.
    """
    merged = _first_of_each(_read(store, files, SCORE_SCHEMA.names))
    write_scores(store, merged, replacing=f"{len(files)} files")
    for info in files:
        _delete(store, info)
    return len(files) - 1


def committed_rows(store: Location, known: dict[str, int]) -> Iterator[tuple[str, int]]:
    """Files that are not in ``known`` yet, with their rows: reads footers only, so progress is cheap to follow."""
    for info in score_files(store):
        if info.uri not in known:
            with explained("read", store):
                rows = ds.dataset(open_location(info.uri).path, filesystem=store.fs).count_rows()
            yield info.uri, rows


def read_samples(
    uri: str, run_id: str, columns: list[str] | None = None, trace_ids: list[str] | None = None
) -> pa.Table:
    """The samples that a run scored (SAMPLE_SCHEMA, or ``columns`` of it), all or those of ``trace_ids``.

    None where nothing was drawn. Of a trace that was scored again because more of it came, the newest.
    """
    store = open_location(uri)
    folder, wanted = store.child(f"_samples/{run_id}"), columns or SAMPLE_SCHEMA.names
    if not exists(folder):
        return SAMPLE_SCHEMA.empty_table().select(wanted)
    mine = None if trace_ids is None else _is_one_of("trace_id", trace_ids)
    names = list(dict.fromkeys([*wanted, "trace_id"]))
    paths = [open_location(info.uri).path for info in list_objects(folder.uri)]
    newer = [path for path in paths if path.endswith(NEWER)]

    def read(chosen: list[str]) -> pa.Table:
        if not chosen:
            return SAMPLE_SCHEMA.empty_table().select(names)
        found = ds.dataset(chosen, schema=SAMPLE_SCHEMA, format="parquet", filesystem=store.fs)
        return found.to_table(columns=names, filter=mine, **ONCE)

    with explained("read", folder):
        last = _one_of_each(read(newer), "trace_id", "max")
        first = read([path for path in paths if not path.endswith(NEWER)])
    return pa.concat_tables([_without(first, "trace_id", last["trace_id"]), last]).select(wanted)
