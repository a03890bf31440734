"""What a run sampled, as numbers: of most runs eight bytes a trace, whatever its name is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from judgefleet.columns import Codes, Gathered, Rows, looked_up, name_codes
from judgefleet.sample import SAMPLE_SCHEMA
from judgefleet.stored_samples import sample_pieces

# The columns of a sample that this is made of.
_READ = ["trace_id", "span_id", "inclusion_probability", "unit_key", "variant"]
_SPAN = np.uint64(3)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sampled(Rows):
    """One entry a sample, shape (n,), in the order of ``codes``.

    ``codes``: the hash of trace and span; ``spans``: of the span; ``units``: of what was drawn as a whole, 0 for none.
    ``chances``: the inclusion probability. ``variants``: how many samples each has.
    """

    codes: Codes
    spans: Codes
    units: Codes
    chances: npt.NDArray[np.float64]
    variants: Mapping[str | None, int]

    def __len__(self) -> int:
        return len(self.codes)

    @classmethod
    def of(cls, tables: Iterable[pa.Table]) -> Sampled:
        """From tables of the columns ``_READ``."""
        found, variants = Gathered[Sampled](), Counter[str | None]()
        found.add(_numbers(SAMPLE_SCHEMA.empty_table()))
        for rows in tables:
            found.add(_numbers(rows))
            variants.update({v["values"]: v["counts"] for v in rows["variant"].value_counts().to_pylist()})
        whole = found.whole()
        return replace(whole.where(np.argsort(whole.codes, kind="stable")), variants=variants)

    @property
    def names(self) -> Codes:
        """The hash of each trace's id."""
        return self.codes - _SPAN * self.spans

    @property
    def traces(self) -> int:
        """How many there are: a trace and span that was sampled twice is one."""
        return int(np.count_nonzero(self.codes[1:] != self.codes[:-1])) + bool(len(self))

    def has(self, codes: Codes) -> npt.NDArray[np.bool_]:
        """Which of ``codes`` are sampled."""
        return looked_up(self.codes, codes)[1]


def read_sampled(store: str, run_id: str) -> Sampled:
    """All that a run sampled."""
    return Sampled.of(sample_pieces(store, run_id, _READ))


def trace_codes(rows: pa.Table) -> Codes:
    """A 64-bit hash of trace and span for each row."""
    return name_codes(rows["trace_id"]) + _SPAN * name_codes(rows["span_id"])


def _numbers(rows: pa.Table) -> Sampled:
    spans = name_codes(rows["span_id"])
    return Sampled(
        codes=name_codes(rows["trace_id"]) + _SPAN * spans,
        spans=spans,
        units=name_codes(rows["unit_key"]),
        chances=np.asarray(rows["inclusion_probability"], np.float64),
        variants={},
    )
