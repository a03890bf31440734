"""Score rows as columns of numbers: a million rows are some tens of megabytes, whatever their names are."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from judgefleet.columns import Codes, Gathered, Rows, cluster_codes, name_codes, numbers_of, weights_of
from judgefleet.statistics import Grouped, grouped

ITEM_KEY = "judgefleet.item_id"
NEEDED = ("trace_id", "conversation_id", "variant", "attributes", "inclusion_probability", "status", "value")
_ROWS = 65_536


@dataclass(frozen=True, kw_only=True, slots=True)
class Columns(Rows):
    """One entry a row, shape (n,). ``values`` is NaN where the row carries no number.

    ``weights``: the inverse of the probability with which the trace was drawn. The others are 64-bit hashes of names,
    0 for none: ``variants``, ``clusters`` (the conversation, or the trace where it belongs to none) and ``items``
    (the golden item that the trace answers). Two of a million names share a hash with probability 3e-8.
    """

    variants: Codes
    clusters: Codes
    items: Codes
    values: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.values)

    def is_of(self, variant: str | None) -> npt.NDArray[np.bool_]:
        """Which rows are of one variant."""
        return np.asarray(self.variants == name_codes(pa.array([variant], pa.string()))[0])

    def arm(self, variant: str | None) -> "Columns":
        """The rows of one variant."""
        return self.where(self.is_of(variant))

    @property
    def valued(self) -> "Columns":
        """The rows that carry a number."""
        return self.where(np.isfinite(self.values))

    @property
    def grouped(self) -> Grouped:
        """Values, weights and clusters, all of which must be there. Raises ValueError for a value that is not."""
        return grouped(self.values, self.weights, self.clusters)


def columns_of(scores: pa.Table, key: str | None = ITEM_KEY) -> Columns:
    """The columns of score rows (``NEEDED`` of SCORE_SCHEMA); ``key``: the attribute that names the golden item."""
    parts = [_columns(batch, key) for batch in scores.select(NEEDED).to_batches(max_chunksize=_ROWS)]
    found = Gathered[Columns]()
    for part in parts or [_columns(scores.schema.empty_table().select(NEEDED), key)]:
        found.add(part)
    return found.whole()


def _columns(rows: Any, key: str | None) -> Columns:
    return Columns(
        variants=name_codes(rows["variant"]),
        clusters=cluster_codes(rows),
        items=_items(rows["attributes"], key),
        values=numbers_of(rows),
        weights=weights_of(rows),
    )


def _items(attributes: Any, key: str | None) -> Codes:
    if key is None or pa.types.is_null(attributes.type):
        return np.zeros(len(attributes), np.uint64)
    if not pa.types.is_map(attributes.type):
        return name_codes(attributes)
    return name_codes(pc.map_lookup(attributes, pa.scalar(key), "last"))
