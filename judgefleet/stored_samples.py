"""The samples of a run, in its store under _samples/RUN/: what was scored, and with which chance it was drawn."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from judgefleet.pieces import is_one_of, one_of_each, one_table, pieces, without
from judgefleet.sample import SAMPLE_SCHEMA
from judgefleet.storage import ObjectInfo, exists, list_objects, open_location

# How the name of a file ends whose samples stand for older ones of their traces.
NEWER = "-newer.parquet"


def read_samples(
    uri: str, run_id: str, columns: list[str] | None = None, trace_ids: list[str] | None = None
) -> pa.Table:
    """The samples that a run scored (SAMPLE_SCHEMA, or ``columns`` of it), all or those of ``trace_ids``.

    None where nothing was drawn. Of a trace that was scored again because more of it came, the newest.
    """
    wanted = columns or SAMPLE_SCHEMA.names
    return one_table(sample_pieces(uri, run_id, wanted, trace_ids), SAMPLE_SCHEMA, wanted)


def sample_pieces(uri: str, run_id: str, columns: list[str], trace_ids: list[str] | None = None) -> Iterator[pa.Table]:
    """What ``read_samples`` gives, some ten thousand at a time: for runs that are larger than memory."""
    store = open_location(uri)
    folder = store.child(f"_samples/{run_id}")
    files = list_objects(folder.uri) if exists(folder) else []
    mine = None if trace_ids is None else is_one_of("trace_id", trace_ids)
    newer = [info for info in files if _is_newer(info)]
    names = list(dict.fromkeys([*columns, "trace_id"]))
    last = one_of_each(
        one_table(pieces(folder, newer, SAMPLE_SCHEMA, names, mine), SAMPLE_SCHEMA, names), "trace_id", "max"
    )
    first = [info for info in files if not _is_newer(info)]
    for rows in pieces(folder, first, SAMPLE_SCHEMA, names, mine):
        yield without(rows, "trace_id", last["trace_id"]).select(columns)
    if len(last):
        yield last.select(columns)


def _is_newer(info: ObjectInfo) -> bool:
    return open_location(info.uri).path.endswith(NEWER)
