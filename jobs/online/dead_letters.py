"""Samples that could not be scored: kept whole, with the reason, until they are replayed."""

from collections.abc import Iterator, Sequence
from typing import Any

from jobs.online.scored import Scored
from judgefleet.sample import Sample, sample_from_row
from judgefleet.storage import Location, read_table
from judgefleet.store import traces_with_rows


def dead_rows(root: Location, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Rows of ``jobs.online.publish.DEAD_SCHEMA`` out of the files of that name."""
    for name in names:
        yield from read_table(root.child(name)).to_pylist()


def to_replay(root: Location, store: Location, names: Sequence[str]) -> list[Sample]:
    """The samples, as they were drawn, that have no rows by now.

    Of a trace put together from spans any row will do: it may be about more of the trace than what died.
    """
    rows = list(dead_rows(root, names))
    joined = [row["trace_id"] for row in rows if row.get("joined")]
    known, scored = traces_with_rows(store, joined), Scored(store)
    samples = [sample_from_row(row) for row in rows if not (row.get("joined") and row["trace_id"] in known)]
    return [sample for sample in samples if scored.add(sample.trace, joined=False)]
