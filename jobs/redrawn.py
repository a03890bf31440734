"""What a run's plan says of rows that an earlier run wrote: the probability of the draw is not part of a row's id."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from experiments.columns import name_codes
from jobs.axis_rows import trace_codes
from judgefleet.storage import Location
from judgefleet.store import change_column

COLUMN = "inclusion_probability"
DRAWN = ["trace_id", "span_id", COLUMN, "unit_key"]
_ROWS = ["trace_id", "span_id", "other_trace_id", "fingerprint", COLUMN]


class Redrawn:
    """The probabilities in ``samples`` (columns ``DRAWN``), for rows about one of them, or about a pair of them."""

    def __init__(self, samples: pa.Table) -> None:
        self._own = _Looked(trace_codes(samples), samples)
        self._other = _Looked(name_codes(samples["trace_id"]), samples)

    def of(self, rows: pa.Table) -> npt.NDArray[np.float64]:
        """For each of ``rows`` (with ``other_trace_id``); nan for what this run did not draw."""
        own, unit = self._own.at(trace_codes(rows))
        other, its_unit = self._other.at(name_codes(rows["other_trace_id"]))
        # The rule of judgefleet.sample.drawn_together.
        joint = np.where((unit == its_unit) & (unit != 0), np.minimum(own, other), own * other)
        paired = ~np.asarray(pc.is_null(rows["other_trace_id"]))
        return np.where(paired, joint, own)

    def told(self, rows: pa.Table) -> pa.Table:
        """``rows``, those that this run drew with its probabilities."""
        found = self.of(rows)
        said = np.asarray(rows[COLUMN].cast(pa.float64()), np.float64)
        changed = pa.array(np.where(np.isnan(found), said, found), pa.float64())
        return rows.set_column(rows.schema.get_field_index(COLUMN), COLUMN, changed)

    def raise_in(self, store: Location, fingerprints: Collection[str]) -> int:
        """Rows of ``fingerprints`` that may now come in by this run as well, with the greater of the two chances.

        Both draws go by one hash, so what the one with lower rates draws the other draws too. Returns how many.
        """
        known = pa.array(sorted(fingerprints), pa.string())

        def raised(rows: pa.Table) -> pa.Array:
            said = np.nan_to_num(np.asarray(rows[COLUMN].cast(pa.float64()), np.float64), nan=1.0)
            mine = np.asarray(pc.is_in(rows["fingerprint"].cast(pa.string()), known))
            found = self.of(rows)
            return pa.array(np.where(mine & (found > said), found, said), pa.float64())

        return change_column(store, COLUMN, _ROWS, raised)


class _Looked:
    """Probabilities and units, by the hash of a name."""

    def __init__(self, codes: npt.NDArray[np.uint64], samples: pa.Table) -> None:
        order = np.argsort(codes, kind="stable")
        self._codes = codes[order]
        self._chances = np.asarray(samples[COLUMN], np.float64)[order]
        self._units = name_codes(samples["unit_key"])[order]

    def at(self, codes: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint64]]:
        if not len(self._codes):
            return np.full(len(codes), np.nan), np.zeros(len(codes), np.uint64)
        at = np.minimum(np.searchsorted(self._codes, codes), len(self._codes) - 1)
        here = self._codes[at] == codes
        return np.where(here, self._chances[at], np.nan), np.where(here, self._units[at], np.uint64(0))
