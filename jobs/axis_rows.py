"""All rows of one scorer and axis, gathered batch by batch and held as numbers: what the summary is made of."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from experiments.columns import NEEDED, Columns, columns_of
from experiments.preference import COLUMNS as PAIR_COLUMNS
from jobs.figures import failure_name
from jobs.wording import one_line
from judgefleet.columns import Codes, name_codes

AxisKey = tuple[str, str, str]
_KEY = ("scorer", "axis", "fingerprint")
_SHARED = ("scorer_kind", "direction", "config")
_MORE = ("span_id", "reason", "probabilities", *_SHARED)
# The columns of a score row that a summary reads.
SUMMARISED = tuple(dict.fromkeys((*_KEY, *NEEDED, *PAIR_COLUMNS, *_MORE)))
_MOST_REASONS = 1000
_OTHER = "other reasons"


@dataclass(kw_only=True)
class AxisRows:
    """Rows of one scorer, axis and fingerprint. Only rows of pairs are kept as rows.

    ``failures`` counts (variant, failure, reason) of the rows without a number; ``labels`` are those of the judge;
    ``shared`` has kind, direction and configuration.
    """

    labels: set[str] = field(default_factory=set)
    variants: set[str | None] = field(default_factory=set)
    failures: Counter[tuple[str | None, str, str]] = field(default_factory=Counter)
    shared: dict[str, str] = field(default_factory=dict)
    _columns: list[Columns] = field(default_factory=list)
    _traces: list[Codes] = field(default_factory=list)
    _pairs: list[pa.Table] = field(default_factory=list)

    def add(self, rows: pa.Table) -> None:
        """Take in more rows."""
        found = columns_of(rows)
        self._columns.append(found)
        self._traces.append(trace_codes(rows))
        self.variants.update(rows["variant"].unique().to_pylist())
        self.labels.update(_labels(rows["probabilities"]))
        self._count_failures(rows.filter(pa.array(~np.isfinite(found.values))))
        for name in _SHARED:
            if not self.shared.get(name):
                self.shared[name] = next((v for v in rows[name].unique().to_pylist() if v), "")
        if rows["pair_id"].null_count + rows["other_trace_id"].null_count < 2 * len(rows):
            self._pairs.append(rows.select(PAIR_COLUMNS))

    def _count_failures(self, rows: pa.Table) -> None:
        for row in rows.select(["variant", "status", "reason"]).to_pylist():
            key = (row["variant"], failure_name(row["status"]), one_line(row["reason"] or "no reason given", 200))
            known = key in self.failures or len(self.failures) < _MOST_REASONS
            self.failures[key if known else (*key[:2], _OTHER)] += 1

    @cached_property
    def columns(self) -> Columns:
        """Every row."""
        whole = {f.name: np.concatenate([getattr(c, f.name) for c in self._columns]) for f in fields(Columns)}
        self._columns.clear()
        return Columns(**whole)

    @cached_property
    def traces(self) -> Codes:
        """The trace and span behind each row."""
        whole = np.concatenate(self._traces)
        self._traces.clear()
        return whole

    @property
    def pairs(self) -> pa.Table | None:
        """Rows of pairs (``experiments.preference.COLUMNS``), or None where the axis holds none."""
        return pa.concat_tables(self._pairs) if self._pairs else None


def gather(tables: Iterable[pa.Table]) -> dict[AxisKey, AxisRows]:
    """The rows of ``tables`` (columns ``SUMMARISED``) by scorer, axis and fingerprint, in the order of the first."""
    found: dict[AxisKey, AxisRows] = {}
    for table in tables:
        plain = _plain(table.select(SUMMARISED))
        for key in plain.group_by(list(_KEY)).aggregate([]).to_pylist():
            mask = pc.and_(
                pc.and_(pc.equal(plain["scorer"], key["scorer"]), pc.equal(plain["axis"], key["axis"])),
                pc.equal(plain["fingerprint"], key["fingerprint"]),
            )
            found.setdefault(tuple(key[name] for name in _KEY), AxisRows()).add(plain.filter(mask))
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
