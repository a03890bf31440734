"""The score store: zstd Parquet under scores/date=YYYY-MM-DD/scorer=NAME/, one row per trace, scorer and axis.

Folders that begin with ``_`` hold what belongs to a run (its samples, rejects and summary); readers of Parquet
pass them over, so ``pandas.read_parquet(STORE)`` sees score rows and nothing else.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from judgefleet.errors import ConfigError
from judgefleet.hashing import stable_hash
from judgefleet.ids import IdSet
from judgefleet.pieces import is_one_of, one_of_each, one_table, pieces, without
from judgefleet.score import SCORE_SCHEMA
from judgefleet.storage import Location, ObjectInfo, exists, explained, list_objects, open_location, write_table_atomic

# The scorer is the name of the folder: a column of the same name in the files would clash with it.
FILE_SCHEMA = SCORE_SCHEMA.remove(SCORE_SCHEMA.get_field_index("scorer"))
UNDATED = "undated"
# Enough to decide whether a row stays.
SIGNIFICANT = ["score_id", "supersedes", "trace_id", "fingerprint", "status"]
_IDENTITY = ["score_id", "supersedes"]
_TRIES = 5
T = TypeVar("T")
_FOLDERS = pa.schema([("date", pa.string()), ("scorer", pa.string())])
_SCHEMA = pa.schema([*FILE_SCHEMA, *_FOLDERS])


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


def scorers_in(uri: str) -> list[str]:
    """The names of all scorers that gave a row. Raises as ``read_scores``."""
    return sorted({_scorer_of(info) for info in score_files(_existing(uri))})


def _scorer_of(info: ObjectInfo) -> str:
    return open_location(info.uri).path.rsplit("/", 2)[1].removeprefix("scorer=")


def read_scores(uri: str, columns: list[str] | None = None) -> pa.Table:
    """All score rows as one table, with the columns of SCORE_SCHEMA (or those asked for), and no row twice.

    A row that another one supersedes is left out. Raises ConfigError when there is no store at ``uri``, StoreError when
    it cannot be read.
    """
    store = _existing(uri)
    wanted = columns or SCORE_SCHEMA.names
    names = list(dict.fromkeys([*wanted, *_IDENTITY]))
    table = while_files_merge(lambda: read_files(store, score_files(store), names))
    return _current(first_of_each(table)).select(wanted)


def _existing(uri: str) -> Location:
    store = open_location(uri)
    if not exists(store):
        raise ConfigError(f"no score store at {uri!r}; give the one that 'judgefleet batch' printed as store")
    return store


def score_batches(uri: str, columns: list[str], mine: ds.Expression, scorer: str | None = None) -> Iterator[pa.Table]:
    """The rows that ``mine`` is true for, some ten thousand at a time, each row once: for stores larger than memory.

    ``mine`` is about what a score id names: of two copies of a row the first stands, whatever the second says.
    ``scorer``: look only at what that scorer gave.

    A row that another one supersedes is left out. Raises ConfigError when there is no store at ``uri``, StoreError when
    it cannot be read.
    """
    store = _existing(uri)
    # Listed once, so that no row is read whose successor is not, and the other way round.
    files = [info for info in score_files(store) if scorer in (None, _scorer_of(info))]
    copies, replaced = _identities(store, files)
    if len(replaced):
        mine &= ~ds.field("score_id").isin(replaced)
    if copies:
        names = list(dict.fromkeys([*columns, "score_id"]))
        yield first_of_each(read_files(store, files, names, mine)).select(columns)
    else:
        yield from score_pieces(store, files, columns, mine)


def _identities(store: Location, files: list[ObjectInfo]) -> tuple[int, pa.Array]:
    """How many rows of ``files`` are there again, and the ids of those that others supersede."""
    replaced = [pa.array([], pa.string())]

    def ids(rows: pa.Table) -> pa.Array:
        replaced.extend(rows["supersedes"].drop_null().chunks)
        return rows["score_id"].chunk(0)

    with explained("read", store):
        copies = IdSet.of(map(ids, score_pieces(store, files, _IDENTITY))).copies
    return copies, pa.concat_arrays(replaced)


def scores_of(
    uri: str, trace_ids: list[str], fingerprints: list[str], days: Iterable[str | None] = (None,)
) -> pa.Table:
    """All columns of the rows that ``fingerprints`` gave to ``trace_ids``, but of those that others supersede.

    ``days``: look only among traces that began then (as ``day_of`` writes it).
    """
    store = open_location(uri)
    mine = is_one_of("fingerprint", fingerprints) & is_one_of("trace_id", trace_ids)

    def read() -> pa.Table:
        files = [info for day in days for info in score_files(store, day)]
        return read_files(store, files, SCORE_SCHEMA.names, mine)

    return _current(first_of_each(while_files_merge(read)))


def superseded(store: Location) -> pa.Array:
    """The ids of all rows that other rows supersede."""
    return _column(store, "supersedes", ds.field("supersedes").is_valid()).combine_chunks()


def traces_with_rows(store: Location, trace_ids: list[str]) -> set[str]:
    """Those of ``trace_ids`` about which there is any row, whoever wrote it."""
    return set(_column(store, "trace_id", is_one_of("trace_id", trace_ids)).to_pylist()) if trace_ids else set()


def _column(store: Location, name: str, mine: ds.Expression) -> pa.ChunkedArray:
    """One column of the rows that ``mine`` is true for."""
    return while_files_merge(lambda: read_files(store, score_files(store), [name], mine))[name]


def _current(table: pa.Table) -> pa.Table:
    return without(table, "score_id", table["supersedes"].drop_null())


def score_ids(store: Location) -> IdSet:
    """The ids of all committed rows."""

    def read() -> IdSet:
        found = score_pieces(store, score_files(store), ["score_id"])
        with explained("read", store):
            return IdSet.of(rows["score_id"].chunk(0) for rows in found)

    return while_files_merge(read)


def while_files_merge(read: Callable[[], T]) -> T:
    """What ``read`` returns: it lists files and reads them, again where one was merged into another in between."""
    for _ in range(_TRIES - 1):
        try:
            return read()
        except ConfigError as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                raise
    return read()


def score_pieces(
    store: Location, files: list[ObjectInfo], columns: list[str], mine: ds.Expression | None = None
) -> Iterator[pa.Table]:
    """The rows of some score files that ``mine`` is true for, as they stand there, a piece at a time."""
    return pieces(store, files, _SCHEMA, columns, mine, ds.partitioning(_FOLDERS, flavor="hive"))


def read_files(
    store: Location, files: list[ObjectInfo], columns: list[str], mine: ds.Expression | None = None
) -> pa.Table:
    """The rows of some score files that ``mine`` is true for, as they stand there. Raises as ``pieces``."""
    return one_table(score_pieces(store, files, columns, mine), _SCHEMA, columns)


def first_of_each(table: pa.Table) -> pa.Table:
    """A score id names one row; a second copy (see ``drop_duplicates``) is not a second score."""
    return one_of_each(table, "score_id", "min")


def committed_rows(store: Location, known: dict[str, int]) -> Iterator[tuple[str, int]]:
    """Files that are not in ``known`` yet, with their rows: reads footers only, so progress is cheap to follow."""
    for info in score_files(store):
        if info.uri not in known:
            with explained("read", store):
                rows = ds.dataset(open_location(info.uri).path, filesystem=store.fs).count_rows()
            yield info.uri, rows
