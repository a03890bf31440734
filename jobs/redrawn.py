"""What a run's plan says of rows that an earlier run wrote: the probability of the draw is not part of a row's id."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from jobs.sampled import Sampled, trace_codes
from judgefleet.columns import Codes, looked_up, name_codes
from judgefleet.sample import joint_probability
from judgefleet.storage import Location
from judgefleet.upkeep import change_column

COLUMN = "inclusion_probability"
_ROWS = ["trace_id", "span_id", "other_trace_id", "fingerprint", COLUMN]


class Redrawn:
    """The probabilities of what was sampled, for rows about one of the samples, or about a pair of them."""

    def __init__(self, sampled: Sampled) -> None:
        self._sampled = sampled
        self._own = _Looked(sampled.codes, sampled.chances, sampled.units)

    @cached_property
    def _other(self) -> _Looked:
        """By the name of the trace alone; only rows of pairs ask for it."""
        sampled = self._sampled
        names = sampled.names
        order = np.argsort(names, kind="stable")
        return _Looked(names[order], sampled.chances[order], sampled.units[order])

    def of(self, rows: pa.Table) -> npt.NDArray[np.float64]:
        """For each of ``rows`` (with ``other_trace_id``); nan for what this run did not draw."""
        own, unit = self._own.at(trace_codes(rows))
        paired = ~np.asarray(pc.is_null(rows["other_trace_id"]))
        if not paired.any():
            return own
        other, its_unit = self._other.at(name_codes(rows["other_trace_id"]))
        return np.where(paired, joint_probability(own, other, (unit == its_unit) & (unit != 0)), own)

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


class _Looked(NamedTuple):
    """Probabilities and units, by the hash of a name, in the order of the hashes."""

    codes: Codes
    chances: npt.NDArray[np.float64]
    units: Codes

    def at(self, codes: Codes) -> tuple[npt.NDArray[np.float64], Codes]:
        at, here = looked_up(self.codes, codes)
        if not here.any():
            return np.full(len(codes), np.nan), np.zeros(len(codes), np.uint64)
        return np.where(here, self.chances[at], np.nan), np.where(here, self.units[at], np.uint64(0))
