"""All rows of one scorer and axis, gathered batch by batch and held as numbers: what the summary is made of."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from calibration.judged import Judge, by_judge
from experiments.columns import NEEDED, Columns, columns_of
from experiments.pairs import NEEDED as PAIR_COLUMNS
from experiments.pairs import Pairs, Sides, sides_of
from jobs.figures import failure_name
from jobs.wording import one_line
from judgefleet.columns import Codes, Gathered, name_codes

AxisKey = tuple[str, str, str]
_KEY = Judge._fields
_SHARED = ("scorer_kind", "direction", "config")
_MORE = ("span_id", "reason", "probabilities", *_SHARED)
# The columns of a score row that a summary reads.
SUMMARISED = tuple(dict.fromkeys((*_KEY, *NEEDED, *PAIR_COLUMNS, *_MORE)))
_MOST_REASONS = 1000
_OTHER = "other reasons"


@dataclass(kw_only=True)
class AxisRows:
    """Rows of one scorer, axis and fingerprint, as numbers.

    ``failures`` counts (variant, failure, reason) of the rows without a number; ``labels`` are those of the judge;
    ``shared`` has kind, direction and configuration.
    """

    labels: set[str] = field(default_factory=set)
    variants: set[str | None] = field(default_factory=set)
    failures: Counter[tuple[str | None, str, str]] = field(default_factory=Counter)
    shared: dict[str, str] = field(default_factory=dict)
    _columns: Gathered[Columns] = field(default_factory=Gathered)
    _traces: list[Codes] = field(default_factory=list)
    _paired: list[npt.NDArray[np.bool_]] = field(default_factory=list)
    _sides: Gathered[Sides] = field(default_factory=Gathered)

    def add(self, rows: pa.Table) -> None:
        """Take in more rows."""
        found = columns_of(rows)
        self._columns.add(found)
        self._traces.append(trace_codes(rows))
        self.variants.update(rows["variant"].unique().to_pylist())
        self.labels.update(_labels(rows["probabilities"]))
        self._count_failures(rows.filter(pa.array(~np.isfinite(found.values))))
        for name in _SHARED:
            if not self.shared.get(name):
                self.shared[name] = next((v for v in rows[name].unique().to_pylist() if v), "")
        paired = pc.or_(pc.is_valid(rows["pair_id"]), pc.is_valid(rows["other_trace_id"]))
        self._paired.append(np.asarray(paired))
        self._sides.add(sides_of(rows.filter(paired)))

    def _count_failures(self, rows: pa.Table) -> None:
        for row in rows.select(["variant", "status", "reason"]).to_pylist():
            key = (row["variant"], failure_name(row["status"]), one_line(row["reason"] or "no reason given", 200))
            known = key in self.failures or len(self.failures) < _MOST_REASONS
            self.failures[key if known else (*key[:2], _OTHER)] += 1

    @cached_property
    def columns(self) -> Columns:
        """Every row."""
        return self._columns.whole()

    @cached_property
    def traces(self) -> Codes:
        """The trace and span behind each row."""
        whole = np.concatenate(self._traces)
        self._traces.clear()
        return whole

    @cached_property
    def paired(self) -> npt.NDArray[np.bool_]:
        """Which rows are about a pair."""
        return np.concatenate(self._paired)

    @cached_property
    def pairs(self) -> Pairs | None:
        """Rows of pairs, or None where the axis holds none."""
        sides = self._sides.whole()
        return Pairs(columns=self.columns.where(self.paired), sides=sides) if self.paired.any() else None

    @property
    def flipped(self) -> Codes:
        """The traces of pairs whose verdict changed with the order."""
        none: Codes = self.traces[:0]
        return none if self.pairs is None else self.traces[self.paired][self.pairs.sides.consistent == 0]


def gather(tables: Iterable[pa.Table]) -> dict[AxisKey, AxisRows]:
    """The rows of ``tables`` (columns ``SUMMARISED``) by scorer, axis and fingerprint, in the order of the first."""
    found: dict[AxisKey, AxisRows] = {}
    for table in tables:
        plain = _plain(table.select(SUMMARISED))
        for judge, rows in by_judge(plain):
            found.setdefault(judge, AxisRows()).add(rows)
    return found


def trace_codes(rows: pa.Table) -> Codes:
    """A 64-bit hash of trace and span for each row."""
    return name_codes(rows["trace_id"]) + np.uint64(3) * name_codes(rows["span_id"])


def _plain(scores: pa.Table) -> pa.Table:
    """Dictionary columns decoded; the three key columns without nulls, so that they can be compared.

    The configuration stays as it is: it is the same long text in every row.
    """
    scores = scores.unify_dictionaries()
    for i, column in enumerate(scores.schema):
        if pa.types.is_dictionary(column.type) and column.name != "config":
            scores = scores.set_column(i, column.name, scores[column.name].cast(column.type.value_type))
    for name in _KEY:
        scores = scores.set_column(scores.schema.get_field_index(name), name, pc.fill_null(scores[name], ""))
    return scores


def _labels(probabilities: Any) -> set[str]:
    chunks = probabilities.chunks if isinstance(probabilities, pa.ChunkedArray) else [probabilities]
    return {str(label) for chunk in chunks for label in chunk.keys.unique().to_pylist()}
