"""Score rows as columns of numbers: a million rows are some tens of megabytes, whatever their names are."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from judgefleet.columns import Codes, Gathered, Rows, cluster_codes, name_codes, numbers_of, weights_of
from judgefleet.moments import Moments

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

    def arm(self, variant: str | None) -> Self:
        """The rows of one variant."""
        return self.where(self.is_of(variant))

    @property
    def valued(self) -> Self:
        """The rows that carry a number."""
        return self.where(np.isfinite(self.values))

    @property
    def named(self) -> Self:
        """The rows that answer a golden item."""
        return self.where(self.items != 0)

    @property
    def moments(self) -> Moments:
        """What estimates of the mean need of the rows that carry a number."""
        rows = self.valued
        return Moments.of(rows.values, rows.weights, rows.clusters)


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
        items=item_codes(rows["attributes"], key),
        values=numbers_of(rows),
        weights=weights_of(rows),
    )


def item_codes(attributes: Any, key: str | None = ITEM_KEY) -> Codes:
    """The golden item that each trace answers, from its attributes; 0 for none."""
    if key is None or pa.types.is_null(attributes.type):
        return np.zeros(len(attributes), np.uint64)
    if not pa.types.is_map(attributes.type):
        return name_codes(attributes)
    return name_codes(pc.map_lookup(attributes, pa.scalar(key), "last"))
