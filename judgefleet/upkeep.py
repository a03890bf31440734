"""What is changed in a store that is there already. A file is replaced before it is deleted: no reader misses a row."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from judgefleet.score import SCORE_SCHEMA
from judgefleet.storage import Location, ObjectInfo, explained, open_location
from judgefleet.store import SIGNIFICANT, first_of_each, read_files, score_files, score_ids, write_scores


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
        mask = keep(read_files(store, [info], SIGNIFICANT))
        if pc.all(mask).as_py():
            continue
        table = read_files(store, [info], SCORE_SCHEMA.names)
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
        rows = read_files(store, [info], columns)
        values = change(rows)
        differ = pc.sum(pc.not_equal(values, rows[name].cast(values.type))).as_py() or 0
        if not differ:
            continue
        table = read_files(store, [info], SCORE_SCHEMA.names)
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
    merged = first_of_each(read_files(store, files, SCORE_SCHEMA.names))
    write_scores(store, merged, replacing=f"{len(files)} files")
    for info in files:
        _delete(store, info)
    return len(files) - 1


def _delete(store: Location, info: ObjectInfo) -> None:
    with explained("write", store):
        store.fs.delete_file(open_location(info.uri).path)
