"""The rows of what was staged, in the order that a plan decided on. The order is held, the rows never are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from jobs.database import execute, table_of
from jobs.spill import by_file, files_for
from judgefleet.columns import chosen_of, joined, looked_up, shared

if TYPE_CHECKING:
    import duckdb

# Day by day, so that a chunk is a file or two in the store and not one for each of thirty days. Rows are numbered as
# they come: a window over all of them is one that DuckDB has to hold.
_ORDERED = """
    create temp table ordered as
    select replace(place, '-', '')::bigint as place, coalesce(probability, 0) as probability
    from decided where decision = 'sampled'
    order by date_trunc('day', group_start) nulls last, group_key, trace_id, span_id
"""
_ROWS = 65_536
_CHANCE = "inclusion_probability"


@dataclass(frozen=True, kw_only=True)
class Order:
    """Where each row goes, shape (n,), in the order of ``places``: of most plans twelve bytes a row.

    ``places``: as numbers. ``numbers``: from 0 on. ``chances``: the probability where the plan changed it, else 0.
    ``split``: ids of traces that were put together again; their parts go nowhere.
    """

    places: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.int32]
    chances: npt.NDArray[np.float64]
    split: pa.Array

    @classmethod
    def of(cls, db: duckdb.DuckDBPyConnection) -> Order:
        """From ``decided`` (what each trace came to) and ``split`` (trace_id)."""
        execute(db, _ORDERED)
        places, chances = [np.empty(0, np.int64)], [np.empty(0)]
        for batch in db.sql("select * from ordered").to_arrow_reader(_ROWS):
            places.append(np.asarray(batch["place"]))
            chances.append(shared(np.asarray(batch["probability"], np.float64)))
        found = joined(places)
        numbers = np.argsort(found).astype(np.int32)
        return cls(
            places=found[numbers],
            numbers=numbers,
            chances=chosen_of(shared(joined(chances)), numbers),
            split=table_of(db, "select trace_id from split")["trace_id"].combine_chunks(),
        )

    def __len__(self) -> int:
        return len(self.numbers)

    def of_rows(self, staged: ds.Dataset, columns: list[str]) -> Iterator[pa.Table]:
        """The rows that have a place in it, table by table, sorted; ``place``, ``of_spans`` are among ``columns``."""
        if not len(self):
            return
        # Little is read ahead: with the usual settings that takes more memory than all the rest.
        batches = staged.to_batches(columns=columns, batch_size=1024, use_threads=False, fragment_readahead=1)
        schema = pa.schema([*(staged.schema.field(name) for name in columns), ("number", pa.int32())])
        files = files_for(len(self))
        found = (self._numbered(batch).select(schema.names) for batch in batches)
        file_of = partial(_file_of, files=files, rows=len(self))
        for table in by_file(found, schema, files, file_of):
            yield table.sort_by("number").drop_columns("number")

    def _numbered(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        places = np.asarray(pc.replace_substring(rows["place"], "-", "").cast(pa.int64()))
        at, there = looked_up(self.places, places)
        part = pc.and_(pc.fill_null(rows["of_spans"], False), pc.is_in(rows["trace_id"], self.split))
        here = there & ~np.asarray(part)
        kept, at = rows.filter(pa.array(here)), at[here]
        said = np.asarray(kept[_CHANCE].cast(pa.float64()), np.float64)
        chances = np.where(self.chances[at] == 0, said, self.chances[at])
        kept = kept.set_column(kept.schema.get_field_index(_CHANCE), _CHANCE, pa.array(chances))
        return kept.append_column("number", pa.array(self.numbers[at]))


def _file_of(table: pa.Table, files: int, rows: int) -> npt.NDArray[np.int64]:
    """The file of each row, all of one size; ``rows``: how many there are in all."""
    return np.asarray(table["number"], np.int64) * files // rows
