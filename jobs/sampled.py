"""What a run sampled, as numbers: a million traces are 32 MB, whatever their names are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from experiments.columns import NO_CODES, Codes, name_codes
from jobs.axis_rows import trace_codes

# The columns of a sample that this is made of.
READ = ["trace_id", "span_id", "inclusion_probability", "unit_key", "variant"]


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
        """From tables of the columns ``READ``."""
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
        if not len(self):
            return np.zeros(len(codes), np.bool_)
        at = np.minimum(np.searchsorted(self.codes, codes), len(self) - 1)
        return np.asarray(self.codes[at] == codes)


def _numbers(rows: pa.Table) -> tuple[npt.NDArray[np.generic], ...]:
    chances = np.asarray(rows["inclusion_probability"], np.float64)
    return trace_codes(rows), name_codes(rows["trace_id"]), name_codes(rows["unit_key"]), chances


_EMPTY = (NO_CODES, NO_CODES, NO_CODES, np.empty(0, np.float64))
