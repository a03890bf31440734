"""Samples that could not be scored: kept whole, with the reason, until they are replayed."""

from collections.abc import Iterator, Sequence
from typing import Any

from judgefleet.sample import Sample, sample_from_row
from judgefleet.storage import Location, read_table


def dead_rows(root: Location, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Rows of ``jobs.online.publish.DEAD_SCHEMA`` out of the files of that name."""
    for name in names:
        yield from read_table(root.child(name)).to_pylist()


def read_dead(root: Location, names: Sequence[str]) -> list[Sample]:
    """The samples, as they were drawn."""
    return [sample_from_row(row) for row in dead_rows(root, names)]
