"""What a run sampled, as numbers: a million traces are 32 MB, whatever their names are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jobs.axis_rows import trace_codes
from judgefleet.columns import NO_CODES, Codes, looked_up, name_codes
from judgefleet.stored_samples import sample_pieces

# The columns of a sample that this is made of.
_READ = ["trace_id", "span_id", "inclusion_probability", "unit_key", "variant"]


@dataclass(frozen=True, kw_only=True)
class Sampled:
    """One entry a sample, shape (n,), in the order of ``codes``.

    ``codes``: the hash of trace and span; ``names``: of the trace; ``units``: of what was drawn as a whole, 0 for none.
    ``chances``: the inclusion probability. ``variants``: how many samples each has.
    """

    codes: Codes
    names: Codes
    units: Codes
    chances: npt.NDArray[np.float64]
    variants: Mapping[str | None, int]

    def __len__(self) -> int:
        return len(self.codes)

    @classmethod
    def of(cls, tables: Iterable[pa.Table]) -> Sampled:
        """From tables of the columns ``_READ``."""
        parts: list[tuple[npt.NDArray[np.generic], ...]] = [_EMPTY]
        variants: Counter[str | None] = Counter()
        for rows in tables:
            parts.append(_numbers(rows))
            variants.update({v["values"]: v["counts"] for v in rows["variant"].value_counts().to_pylist()})
        codes, names, units, chances = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.argsort(codes, kind="stable")
        numbers = {"codes": codes, "names": names, "units": units, "chances": chances}
        return cls(**{name: column[order] for name, column in numbers.items()}, variants=variants)

    def has(self, codes: Codes) -> npt.NDArray[np.bool_]:
        """Which of ``codes`` are sampled."""
        return looked_up(self.codes, codes)[1]


def read_sampled(store: str, run_id: str) -> Sampled:
    """All that a run sampled."""
    return Sampled.of(sample_pieces(store, run_id, _READ))


def _numbers(rows: pa.Table) -> tuple[npt.NDArray[np.generic], ...]:
    chances = np.asarray(rows["inclusion_probability"], np.float64)
    return trace_codes(rows), name_codes(rows["trace_id"]), name_codes(rows["unit_key"]), chances


_EMPTY = (NO_CODES, NO_CODES, NO_CODES, np.empty(0, np.float64))
