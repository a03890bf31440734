"""All rows of one judge on one axis as numbers, gathered table by table: what trends are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from judgefleet.columns import Codes, Gathered, Rows, cluster_codes, name_codes, numbers_of, weights_of


class Judge(NamedTuple):
    """Who gave a row its value, and for what."""

    scorer: str
    axis: str
    fingerprint: str


SEGMENTS = ("service", "environment", "experiment", "variant", "stratum")
# The columns of a score row that it reads, beside the segment's.
COLUMNS = (
    *(*Judge._fields, "trace_id", "conversation_id", "trace_started_at", "scored_at", "inclusion_probability"),
    *("status", "value"),
)
NOT_SAID = "none"


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged(Rows):
    """One entry a row, shape (n,).

    ``started``: when the trace began, UTC, NaT where it does not say; ``values``: NaN where the row carries no number;
    ``weights``: the inverse of the inclusion probability. The others are 64-bit hashes: of the trace, of what was drawn
    as a whole (its conversation, or itself) and of the segment, whose name ``names`` tells. ``first``, ``last``: when
    rows were scored.
    """

    judge: Judge
    started: npt.NDArray[np.datetime64]
    values: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]
    traces: Codes
    clusters: Codes
    segments: Codes
    names: Mapping[int, str]
    first: datetime
    last: datetime

    def __len__(self) -> int:
        return len(self.values)

    @property
    def valued(self) -> Judged:
        """The rows that carry a number."""
        return self.where(np.isfinite(self.values))

    def by_segment(self) -> Iterator[tuple[str, Judged]]:
        """The rows of each segment, by its name."""
        for code, name in sorted(self.names.items(), key=lambda item: item[1]):
            yield name, self if len(self.names) == 1 else self.where(self.segments == np.uint64(code))


def columns_for(by: str | None) -> list[str]:
    """What ``gather_judged`` reads of a row; ``by`` as for ``segment_column``."""
    return [*COLUMNS, *segment_column(by)]


def segment_column(by: str | None) -> list[str]:
    """Where a row's segment stands; ``by``: a field of ``SEGMENTS``, or the name of an attribute; None for none."""
    return [] if by is None else [by if by in SEGMENTS else "attributes"]


def gather_judged(tables: Iterable[pa.Table], by: str | None = None) -> list[Judged]:
    """The rows of ``tables`` by judge, ``in_order``.

    ``by``: what parts them into segments, as for ``columns_for``.
    """
    found: dict[Judge, list[Judged]] = {}
    for table in tables:
        for judge, rows in by_judge(table):
            found.setdefault(judge, []).append(_numbers(judge, rows, by))
    return sorted(map(_joined, found.values()), key=lambda part: in_order(part.judge, part.last))


def in_order(judge: Judge, last: datetime) -> tuple[Any, ...]:
    """What judges are sorted by: scorer and axis by name, and of one axis the judge that scored last at the end."""
    return judge.scorer, judge.axis, last, judge.fingerprint


def by_judge(table: pa.Table) -> Iterator[tuple[Judge, pa.Table]]:
    """The rows of each scorer, axis and fingerprint; one that is not said is empty."""
    for name in Judge._fields:
        table = table.set_column(table.schema.get_field_index(name), name, pc.fill_null(table[name], ""))
    for key in table.group_by(list(Judge._fields)).aggregate([]).to_pylist():
        scorer, axis, fingerprint = (pc.field(name) == value for name, value in key.items())
        yield Judge(**key), table.filter(scorer & axis & fingerprint)


def _numbers(judge: Judge, rows: pa.Table, by: str | None) -> Judged:
    names = segments_of(rows, by)
    segments = name_codes(names)
    scored = pc.min_max(rows["scored_at"]).as_py()
    return Judged(
        judge=judge,
        started=np.asarray(rows["trace_started_at"].cast(pa.timestamp("us"))),
        values=numbers_of(rows),
        weights=weights_of(rows),
        traces=name_codes(rows["trace_id"]),
        clusters=cluster_codes(rows),
        segments=segments,
        names=dict(zip(segments.tolist(), names.to_pylist(), strict=True)),
        first=scored["min"],
        last=scored["max"],
    )


def segments_of(rows: pa.Table, by: str | None) -> pa.ChunkedArray:
    """The name of each row's segment: empty where there is one for all, ``none`` where the row does not say."""
    if by is None:
        return pa.chunked_array([pa.repeat("", len(rows))])
    said = rows[by] if by in SEGMENTS else pc.map_lookup(rows["attributes"], pa.scalar(by), "last")
    return pc.fill_null(said, NOT_SAID)


def _joined(parts: list[Judged]) -> Judged:
    found = Gathered[Judged]()
    for part in parts:
        found.add(part)
    return replace(
        found.whole(),
        names={code: name for part in parts for code, name in part.names.items()},
        first=min(part.first for part in parts),
        last=max(part.last for part in parts),
    )
