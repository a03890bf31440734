"""Rows of pairs as columns of numbers, as ``experiments.columns`` has those of single answers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from experiments.columns import Columns
from judgefleet.columns import Codes, Rows, looked_up, name_codes

WIN, LOSS, TIE = "win", "loss", "tie"
FIRST, SECOND = "first", "second"
LABELS, SLOTS = (WIN, LOSS, TIE), (FIRST, SECOND, TIE)
NOTHING, ANOTHER = -1, 3
NEEDED = ("trace_id", "other_trace_id", "pair_id", "label", "order_consistent", "orders")
Places = npt.NDArray[np.int8]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sides(Rows):
    """One entry a row, shape (n,): a pair is two mirrored rows, one a trace, with the same ``keys``.

    ``keys``, ``traces`` and ``others`` (the trace compared with) are hashes. ``labels``: the place in ``LABELS``.
    ``own_first``, ``other_first``: the place in ``SLOTS`` of what was said where this trace's answer stood first, and
    where the other's did; ``ANOTHER`` for another word. ``consistent``: 1 where both orders agree, 0 where they do not.
    ``NOTHING`` stands for all that is not known.
    """

    keys: Codes
    traces: Codes
    others: Codes
    labels: Places
    consistent: Places
    own_first: Places
    other_first: Places


@dataclass(frozen=True, kw_only=True, slots=True)
class Pairs:
    """Rows of pairs, shape (n,): what every row has, and what only those of pairs have."""

    columns: Columns
    sides: Sides

    def __len__(self) -> int:
        return len(self.columns)

    def where(self, chosen: npt.NDArray[Any]) -> "Pairs":
        """The rows that a mask, or numbers of rows, choose."""
        return Pairs(columns=self.columns.where(chosen), sides=self.sides.where(chosen))

    @property
    def valued(self) -> "Pairs":
        """The rows that carry a number."""
        return self.where(np.isfinite(self.columns.values))

    @property
    def once(self) -> "Pairs":
        """One row a pair, with a number where one of them has; always the same, whatever the order of the rows."""
        valued = np.isfinite(self.columns.values)
        order = np.lexsort((self.sides.traces, self.columns.variants, valued, self.sides.keys))
        keys = self.sides.keys[order]
        return self.where(order[np.append(keys[1:] != keys[:-1], True)]) if len(self) else self

    def between(self, baseline: str, candidate: str) -> "Pairs":
        """The candidate's rows whose other trace belongs to the baseline, one a pair."""
        theirs = np.sort(self.sides.traces[self.columns.is_of(baseline)])
        return self.where(self.columns.is_of(candidate) & looked_up(theirs, self.sides.others)[1]).once


def sides_of(rows: pa.Table) -> Sides:
    """Of score rows (``NEEDED`` of SCORE_SCHEMA)."""
    traces, others = name_codes(rows["trace_id"]), name_codes(rows["other_trace_id"])
    low, high = np.minimum(traces, others), np.maximum(traces, others)
    named = name_codes(rows["pair_id"])
    own_first, other_first = _asked(rows)
    return Sides(
        # The same for both rows, whichever trace is the row's own.
        keys=np.where(named == 0, low + np.uint64(3) * high, named),
        traces=traces,
        others=others,
        labels=_places(rows["label"], LABELS, NOTHING),
        consistent=np.asarray(pc.fill_null(rows["order_consistent"].cast(pa.int8()), NOTHING), np.int8),
        own_first=own_first,
        other_first=other_first,
    )


def _asked(rows: pa.Table) -> tuple[Places, Places]:
    """What each order said: the two columns of ``Sides``."""
    found = np.full((2, len(rows)), NOTHING, np.int8)
    orders = rows["orders"].combine_chunks()
    row, said = np.asarray(pc.list_parent_indices(orders)), pc.list_flatten(orders)
    if len(said):
        own = np.asarray(pc.fill_null(pc.equal(said.field("first"), rows["trace_id"].take(pa.array(row))), False))
        found[np.where(own, 0, 1), row] = _places(said.field("label"), SLOTS, ANOTHER)
    return found[0], found[1]


def _places(words: Any, known: tuple[str, ...], unknown: int) -> Places:
    """The place of each of ``words`` in ``known``; ``NOTHING`` for a null, or an empty one."""
    words = pc.fill_null(words.cast(pa.string()), "")
    places = pc.fill_null(pc.index_in(words, pa.array(known)), unknown)
    return np.asarray(pc.if_else(pc.equal(words, ""), NOTHING, places)).astype(np.int8)
