"""Samples that could not be scored: kept whole, with the reason, until they are replayed."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from judgefleet.sample import Sample, sample_from_row
from judgefleet.storage import Location, explained


def dead_rows(root: Location, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Rows of ``jobs.online.publish.DEAD_SCHEMA`` out of the files of that name."""
    for name in names:
        place = root.child(name)
        with explained("read", place):
            table: pa.Table = pq.read_table(place.path, filesystem=place.fs, partitioning=None)
        yield from table.to_pylist()


def read_dead(root: Location, names: Sequence[str]) -> list[Sample]:
    """The samples, as they were drawn."""
    return [sample_from_row(row) for row in dead_rows(root, names)]
