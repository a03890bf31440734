"""The rows of what was staged, in the order that a plan decided on. The order is held, the rows never are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from jobs.spill import by_file, files_for
from judgefleet.columns import looked_up

if TYPE_CHECKING:
    import duckdb

# Day by day, so that a chunk is a file or two in the store and not one for each of thirty days. Rows are numbered as
# they come: a window over all of them is one that DuckDB has to hold.
_ORDERED = """
    select place, probability from decided where decision = 'sampled'
    order by date_trunc('day', group_start) nulls last, group_key, trace_id, span_id
"""
_ROWS = 65_536
_CHANCE = "inclusion_probability"


@dataclass(frozen=True, kw_only=True)
class Order:
    """Where each row goes, shape (n,), in the order of ``places``: some forty bytes a row.

    ``numbers``: from 0 on. ``chances``: the probability where the plan changed it, else nan. ``split``: ids of traces
    that were put together again; their parts go nowhere.
    """

    places: npt.NDArray[np.bytes_]
    numbers: npt.NDArray[np.int64]
    chances: npt.NDArray[np.float64]
    split: pa.Array

    @classmethod
    def of(cls, db: duckdb.DuckDBPyConnection) -> Order:
        """From ``decided`` (what each trace came to) and ``split`` (trace_id)."""
        places, chances = [np.empty(0, "S1")], [np.empty(0)]
        for batch in db.sql(_ORDERED).to_arrow_reader(_ROWS):
            places.append(_bytes(batch["place"]))
            chances.append(np.asarray(batch["probability"], np.float64))
        found = np.concatenate(places)
        numbers = np.argsort(found)
        return cls(
            places=found[numbers],
            numbers=numbers,
            chances=np.concatenate(chances)[numbers],
            split=db.sql("select trace_id from split").to_arrow_table()["trace_id"].combine_chunks(),
        )

    def __len__(self) -> int:
        return len(self.numbers)

    def of_rows(self, staged: ds.Dataset, columns: list[str]) -> Iterator[pa.Table]:
        """The rows that have a place in it, table by table, sorted; ``place``, ``of_spans`` are among ``columns``."""
        if not len(self):
            return
        # Little is read ahead: with the usual settings that takes more memory than all the rest.
        batches = staged.to_batches(columns=columns, batch_size=1024, use_threads=False, fragment_readahead=1)
        schema = pa.schema([*(staged.schema.field(name) for name in columns), ("number", pa.int64())])
        files = files_for(len(self))
        found = (self._numbered(batch).select(schema.names) for batch in batches)
        for table in by_file(found, schema, files, lambda rows: np.asarray(rows["number"]) * files // len(self)):
            yield table.sort_by("number").drop_columns("number")

    def _numbered(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        places = _bytes(rows["place"])
        at, there = looked_up(self.places, places)
        part = pc.and_(pc.fill_null(rows["of_spans"], False), pc.is_in(rows["trace_id"], self.split))
        here = there & ~np.asarray(part)
        kept, at = rows.filter(pa.array(here)), at[here]
        said = np.asarray(kept[_CHANCE].cast(pa.float64()), np.float64)
        chances = np.where(np.isnan(self.chances[at]), said, self.chances[at])
        kept = kept.set_column(kept.schema.get_field_index(_CHANCE), _CHANCE, pa.array(chances))
        return kept.append_column("number", pa.array(self.numbers[at]))


def _bytes(names: Any) -> npt.NDArray[np.bytes_]:
    return np.array(names.to_pylist(), dtype=np.bytes_)
