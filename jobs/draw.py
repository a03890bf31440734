"""Draws from a whole input: floors by window, and rates lowered until a cap holds. DuckDB counts, outside memory.

What may be drawn is known before anything is: windows are counted first, their probabilities follow from the counts,
and only then is a trace's hash looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from jobs.database import execute, in_parts, table_of
from judgefleet.errors import ConfigError
from judgefleet.inclusion import Cells, fitting_factor
from judgefleet.sampling import Cap

if TYPE_CHECKING:
    import duckdb

# What it reads of a trace, beside what a plan reads anyway.
WEIGHED = ("stratum", "unit_key", "draw", "rate", "floor", "per", "tokens")
# Of each trace of the population: its stratum, and its window where the stratum has a floor. A unit lies in the window
# in which it began, so that a conversation is not torn at midnight.
_MEMBERS = """
    select place, trace_id, span_id, group_key, group_start, stratum, unit_key, draw, rate, floor, tokens,
        case when per is not null then coalesce(strftime(date_trunc(per, min(started_at) over (partition by unit_key)),
            '%Y-%m-%dT%H:%MZ'), 'undated') end as part
    from ranked where copy = 1 and decision in ('candidate', 'not_sampled') and hash(unit_key) % {parts} = {part}
"""
_UNITS = """
    create temp table unit_cells as
    with numbered as (select stratum, part, row_number() over (order by stratum, part) - 1 as cell
        from (select distinct stratum, part from members))
    select cell, unit_key, any_value(rate) as rate, any_value(floor) as floor, count(*)::double as n,
        sum(tokens)::double as t, c.stratum, c.part
    from members m join numbered c on m.stratum = c.stratum and m.part is not distinct from c.part
    group by cell, c.stratum, c.part, unit_key
"""
_CELLS = """
    select stratum, part, any_value(rate) as rate, any_value(floor) as floor, count(*)::double as units,
        sum(n)::double as traces, sum(n * n)::double as traces2, sum(t)::double as tokens, sum(t * t)::double as tokens2
    from unit_cells group by stratum, part, cell order by cell
"""
# Of a unit with traces in several cells, all come in by one hash.
_SHARED = """
    with several as (select * from unit_cells where unit_key in (
        select unit_key from unit_cells group by unit_key having count(*) > 1))
    select a.cell as first, b.cell as second, sum(a.n * b.n) as traces, sum(a.t * b.t) as tokens
    from several a join several b using (unit_key) where a.cell < b.cell group by all order by all
"""
# Only where there is a floor are units ranked: a stratum without windows is ranked as a whole.
_DRAWN = """
    create temp table drawn as
    with drawable as (select m.*, c.floor as least, c.probability, c.threshold
        from members m join cells c on m.stratum = c.stratum and m.part is not distinct from c.part)
    select * exclude (least, threshold), draw < threshold as sampled from drawable where least = 0
    union all
    select * exclude (least, threshold, place_in_cell), draw < threshold or place_in_cell <= least as sampled
    from (select *, dense_rank() over (partition by stratum, part order by draw, unit_key) as place_in_cell
        from drawable where least > 0)
"""
# What each trace came to.
_DECIDED = """
    create temp view decided as
    select place, trace_id, span_id, group_key, group_start, probability,
        case when sampled then 'sampled' else 'not_sampled' end as decision
    from drawn
    union all
    select place, trace_id, span_id, group_key, group_start, null,
        case when copy > 1 then 'duplicate' else decision end
    from ranked where copy > 1 or decision not in ('candidate', 'not_sampled')
"""
_OUTCOME = """
    select c.stratum, c.part, c.rate, c.floor, c.threshold, c.probability, c.units::bigint, c.traces::bigint,
        count_if(d.sampled)::bigint
    from cells c join drawn d on d.stratum = c.stratum and d.part is not distinct from c.part
    group by all order by all
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """A stratum, or one window of it, and what was drawn there.

    ``lowered``: ``rate`` times the factor of a cap. ``units``: what is drawn as one: conversations, or traces.
    """

    stratum: str
    window: str | None
    rate: float
    floor: int
    lowered: float
    probability: float
    units: int
    traces: int
    sampled: int


def draw(db: duckdb.DuckDBPyConnection, cap: Cap | None) -> float:
    """Make ``decided`` (what each trace came to, with its probability) from ``ranked``; returns the factor.

    The factor is 1 without a cap, or where it holds anyway. Raises ConfigError for a cap below what floors take.
    """
    in_parts(db, "members", _MEMBERS, "ranked")
    execute(db, _UNITS)
    found, shared = (table_of(db, one) for one in (_CELLS, _SHARED))
    factor = min([1.0, *_factors(found, shared, cap)])
    cells = _cells(found, shared, "traces")
    found = found.append_column("threshold", pa.array(cells.rate * factor))
    db.register("counted", found.append_column("probability", pa.array(cells.probability(factor))))
    execute(db, "create temp table cells as select * from counted")
    execute(db, _DRAWN)
    execute(db, "drop table members")
    execute(db, _DECIDED)
    return factor


def outcome(db: duckdb.DuckDBPyConnection) -> tuple[Cell, ...]:
    """What ``draw`` did, stratum by stratum and window by window."""
    rows = zip(*(column.to_pylist() for column in table_of(db, _OUTCOME).columns), strict=True)
    return tuple(Cell(**dict(zip(Cell.__slots__, row, strict=True))) for row in rows)


def _cells(found: pa.Table, shared: pa.Table, unit: str) -> Cells:
    columns = {name: found[name].to_numpy().astype(np.float64) for name in found.column_names if name not in _TEXTS}
    return Cells(
        units=columns["units"],
        rate=columns["rate"],
        floor=columns["floor"],
        size=columns[unit],
        squares=columns[f"{unit}2"],
        first=shared["first"].to_numpy().astype(np.int64),
        second=shared["second"].to_numpy().astype(np.int64),
        shared=shared[unit].to_numpy().astype(np.float64),
    )


_TEXTS = ("stratum", "part")


def _factors(found: pa.Table, shared: pa.Table, cap: Cap | None) -> Iterator[float]:
    for unit, most in _limits(cap):
        cells = _cells(found, shared, unit)
        factor = fitting_factor(cells, most)
        if factor == 0.0:
            raise ConfigError(_too_low(cells, unit, most))
        yield factor


def _limits(cap: Cap | None) -> Iterable[tuple[str, int]]:
    given = (("traces", cap.max_traces), ("tokens", cap.max_tokens)) if cap else ()
    return [(unit, most) for unit, most in given if most is not None]


def _too_low(cells: Cells, unit: str, most: int) -> str:
    floors = cells.likely(0.0)
    if floors > most:
        windows = int((cells.floor > 0).sum())
        why = f"the floors alone take up to {floors:,.0f} in {windows:,} windows; lower the floors, or raise it"
    else:
        why = f"that is less than a millionth of the {cells.size.sum():,.0f} there are; raise it"
    return f"sampling.cap.max_{unit}: found {most:,}; {why}"
