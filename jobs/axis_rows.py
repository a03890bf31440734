"""All rows of one scorer and axis, gathered batch by batch as numbers: what the summary is made of."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
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
from jobs.parted import Parted
from jobs.sampled import trace_codes
from jobs.wording import end_of_scale, one_line
from judgefleet.columns import Codes, Gathered
from judgefleet.scorer import ScorerKind

AxisKey = tuple[str, str, str]
_KEY = Judge._fields
_SHARED = ("scorer_kind", "direction", "config")
_MORE = ("span_id", "reason", "probabilities", *_SHARED)
# The columns of a score row that a summary reads.
SUMMARISED = tuple(dict.fromkeys((*_KEY, *NEEDED, *PAIR_COLUMNS, *_MORE)))
_MOST_REASONS = 1000
_OTHER = "other reasons"


@dataclass(frozen=True, kw_only=True, slots=True)
class Scored(Columns):
    """Columns of rows, and the trace and span behind each."""

    traces: Codes


@dataclass(kw_only=True)
class AxisRows:
    """Rows of one scorer, axis and fingerprint: what is known of all, and the rows themselves in ``parts``, each of
    which has whole conversations. Only rows of pairs, and those that answer golden items, are held.

    ``failures`` counts (variant, failure, reason) of the rows without a number; ``labels`` are those of the judge;
    ``shared`` has kind, direction and configuration; ``low`` and ``high`` are the ends of the values; ``binary``: they
    are zeros and ones.
    """

    parts: Parted[Scored]
    labels: set[str] = field(default_factory=set)
    variants: set[str | None] = field(default_factory=set)
    failures: Counter[tuple[str | None, str, str]] = field(default_factory=Counter)
    shared: dict[str, str] = field(default_factory=dict)
    low: float = np.inf
    high: float = -np.inf
    binary: bool = True
    _named: Gathered[Columns] = field(default_factory=Gathered)
    _of_pairs: Gathered[Scored] = field(default_factory=Gathered)
    _sides: Gathered[Sides] = field(default_factory=Gathered)

    def add(self, rows: pa.Table) -> None:
        """Take in more rows."""
        columns = columns_of(rows)
        found = _scored(columns, rows)
        self.parts.add(found, found.clusters)
        self._named.add(columns.named)
        self._names(rows)
        there = np.isfinite(found.values)
        self._ends(found.values[there])
        self._count_failures(rows.filter(pa.array(~there)))
        paired = pc.or_(pc.is_valid(rows["pair_id"]), pc.is_valid(rows["other_trace_id"]))
        self._of_pairs.add(found.where(np.asarray(paired)))
        self._sides.add(sides_of(rows.filter(paired)))

    def _names(self, rows: pa.Table) -> None:
        self.variants.update(rows["variant"].unique().to_pylist())
        self.labels.update(_labels(rows["probabilities"]))
        for name in _SHARED:
            if not self.shared.get(name):
                self.shared[name] = next((v for v in rows[name].unique().to_pylist() if v), "")

    def _ends(self, values: npt.NDArray[np.float64]) -> None:
        self.low = float(values.min(initial=self.low))
        self.high = float(values.max(initial=self.high))
        self.binary &= bool(np.isin(values, (0.0, 1.0)).all())

    def _count_failures(self, rows: pa.Table) -> None:
        for row in rows.select(["variant", "status", "reason"]).to_pylist():
            key = (row["variant"], failure_name(row["status"]), one_line(row["reason"] or "no reason given", 200))
            known = key in self.failures or len(self.failures) < _MOST_REASONS
            self.failures[key if known else (*key[:2], _OTHER)] += 1

    @cached_property
    def named(self) -> Columns:
        """Those that answer golden items."""
        return self._named.whole()

    @cached_property
    def pairs(self) -> Pairs | None:
        """Rows of pairs, or None where the axis holds none."""
        found = Pairs(columns=self._paired, sides=self._sides.whole())
        return found if len(found) else None

    @property
    def flipped(self) -> Codes:
        """The traces of pairs whose verdict changed with the order."""
        return self._paired.traces if self.pairs is None else self._paired.traces[self.pairs.sides.consistent == 0]

    @cached_property
    def _paired(self) -> Scored:
        return self._of_pairs.whole()

    @property
    def rate(self) -> bool:
        """Whether these are passes and fails: zeros and ones only. A judge's row of nothing but ones may be the low end
        of a longer scale, so one zero or a check in code is asked for."""
        told = self.shared["scorer_kind"] == ScorerKind.CODE or self.low == 0.0
        return self.pairs is None and self.low <= self.high and self.binary and told

    @cached_property
    def scale(self) -> tuple[float, float]:
        """The numeric labels' range where the labels are numbers; else 0 to 1, fitted to the values found."""
        if self.labels and all(_is_number(label) for label in self.labels):
            grades = [float(label) for label in self.labels]
            return min(grades), max(grades)
        return float(np.floor(min(0.0, self.low))), end_of_scale(self.high)


def gather(tables: Iterable[pa.Table], folder: Path, parts: int) -> dict[AxisKey, AxisRows]:
    """The rows of ``tables`` (columns ``SUMMARISED``) by scorer, axis and fingerprint, in the order of the first.

    They lie in ``folder``, which is new, in so many parts.
    """
    found: dict[AxisKey, AxisRows] = {}
    for table in tables:
        for judge, rows in by_judge(_plain(table.select(SUMMARISED))):
            if judge not in found:
                like = _scored(columns_of(none := rows.slice(0, 0)), none)
                found[judge] = AxisRows(parts=Parted(folder / f"axis-{len(found)}", parts, like))
            found[judge].add(rows)
    return found


def _scored(columns: Columns, rows: pa.Table) -> Scored:
    return Scored(**columns.arrays, traces=trace_codes(rows))


def _plain(scores: pa.Table) -> pa.Table:
    """Dictionary columns decoded, but for the configuration: it is the same long text in every row."""
    scores = scores.unify_dictionaries()
    for i, column in enumerate(scores.schema):
        if pa.types.is_dictionary(column.type) and column.name != "config":
            scores = scores.set_column(i, column.name, scores[column.name].cast(column.type.value_type))
    return scores


def _labels(probabilities: Any) -> set[str]:
    chunks = probabilities.chunks if isinstance(probabilities, pa.ChunkedArray) else [probabilities]
    return {str(label) for chunk in chunks for label in chunk.keys.unique().to_pylist()}


def _is_number(label: str) -> bool:
    return label.isascii() and label.lstrip("-").replace(".", "", 1).isdigit()
