"""Plan: from what was read to chunks of samples in the order that shares most, and what is left to score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
from pyarrow import fs

from jobs.draw import Cell, draw, outcome
from jobs.intake import INTAKE_SCHEMA
from jobs.joined import SPLIT
from jobs.spill import by_file, database, files_for
from judgefleet.sample import SAMPLE_SCHEMA
from judgefleet.sampling import SamplingPlan
from judgefleet.storage import Location, explained, write_table_atomic

if TYPE_CHECKING:
    import duckdb

# What was put together again stands for its parts.
_INTAKE = f"""
    create temp table split as {SPLIT};
    create temp view intake as select * exclude (of_spans, spans) from staged
    where of_spans is not true or trace_id not in (from split);
"""  # noqa: S608 - put together from constants
# The first of several with one id is kept. Copies are counted; one that differs is a reject, never a second trace.
_RANKED = """
    create temp table ranked as
    select place, decision, row_number() over w as copy, first_value(content_hash) over w as first_hash,
        min(started_at) over (partition by group_key) as group_start
    from intake window w as (partition by decision = 'rejected', case when decision = 'rejected' then place
        else trace_id end, span_id order by place)
"""
# What each trace came to. Where nothing is decided about the whole input, ``drawn`` is empty.
_DECIDED = """
    create temp table decided as
    select place, group_start, drawn.probability, case when copy > 1 then 'duplicate' when drawn.sampled then 'sampled'
        when drawn.sampled is not null then 'not_sampled' else decision end as decision
    from ranked left join drawn using (place)
"""
_NOT_WEIGHED = "create temp table drawn (place varchar, probability double, sampled boolean)"
_COUNTS = "select decision, count(*) from decided group by 1"
# Day by day, so that a chunk is a file or two in the store and not one for each of thirty days.
_ORDERED = """
    create temp table ordered as
    select place, decided.probability, row_number() over (
        order by date_trunc('day', group_start) nulls last, group_key, trace_id, span_id) - 1 as number
    from intake join decided using (place) where decided.decision = 'sampled'
"""
# The rows as they come; what is joined to them is narrow, and held in their stead.
_CHUNKS = """
    select wide.* exclude (of_spans) replace (
        coalesce(ordered.probability, wide.inclusion_probability) as inclusion_probability), number
    from wide join ordered using (place) where of_spans is not true or trace_id not in (from split)
"""
_WIDE = [name for name in INTAKE_SCHEMA.names if name != "spans"]
_AS_WRITTEN = "set disabled_optimizers = 'join_order,build_side_probe_side'"
_REJECTS = """
    select source_uri, position, reason, trace_id, excerpt from intake where decision = 'rejected'
    union all
    select source_uri, position, 'the same trace and span id as another trace, with other content', trace_id, excerpt
    from intake join ranked using (place)
    where ranked.decision != 'rejected' and copy > 1 and content_hash != first_hash
    order by all
"""
_MEMORY = "256MB"


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """Samples that are scored and committed together. ``path`` is below the store."""

    path: str
    samples: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What a run will score. ``counts``: traces by decision. ``factor``: what a cap multiplied all rates with.

    ``cells``: strata and windows, where they were counted.
    """

    chunks: tuple[Chunk, ...]
    counts: Mapping[str, int] = field(default_factory=Counter)
    rejects: int = 0
    factor: float = 1.0
    cells: tuple[Cell, ...] = ()


def make_plan(
    staged: ds.Dataset, store: Location, run_id: str, chunk_traces: int, weighed: SamplingPlan | None = None
) -> Plan:
    """Drop copies, put what belongs together next to each other, and write the chunks and rejects to the store.

    DuckDB sorts outside memory where the input is larger than it. ``weighed``: the plan that decides about the whole
    input, where it was read for that. Raises ConfigError for a cap that cannot hold.
    """
    with database(_MEMORY) as db:
        db.register("staged", staged)
        db.execute(_INTAKE)
        db.execute(_RANKED)
        factor, cells = (draw(db, weighed.cap), outcome(db)) if weighed else (_draw_nothing(db), ())
        db.execute(_DECIDED)
        counts = Counter(dict(db.execute(_COUNTS).fetchall()))
        rejects = db.sql(_REJECTS).to_arrow_table()
        write_table_atomic(store, f"_runs/{run_id}/rejects.parquet", rejects)
        chunks = tuple(_write_chunks(_in_order(db, staged), store, run_id, chunk_traces))
    return Plan(chunks=chunks, counts=counts, rejects=rejects.num_rows, factor=factor, cells=cells)


def _in_order(db: duckdb.DuckDBPyConnection, staged: ds.Dataset) -> Iterator[pa.Table]:
    """What is sampled, in the order of the chunks."""
    db.execute(_ORDERED)
    db.execute(_AS_WRITTEN)
    # Little is read ahead: with the usual settings that takes more memory than all the rest.
    db.register("wide", staged.scanner(columns=_WIDE, batch_size=1024, use_threads=False, fragment_readahead=1))
    [(rows,)] = db.execute("select count(*) from ordered").fetchall()
    reader = db.sql(_CHUNKS).to_arrow_reader(1024)
    files = files_for(rows)
    for table in by_file(reader, reader.schema, files, lambda batch: np.asarray(batch["number"]) * files // rows):
        yield table.sort_by("number").drop_columns("number")


def _draw_nothing(db: duckdb.DuckDBPyConnection) -> float:
    db.execute(_NOT_WEIGHED)
    return 1.0


def staged_dataset(folder: Location) -> ds.Dataset:
    """What ``stage_intake`` wrote; Ray writes nothing where there are no rows."""
    if folder.fs.get_file_info(folder.path).type is fs.FileType.NotFound:
        return ds.dataset(INTAKE_SCHEMA.empty_table())
    return ds.dataset(folder.path, schema=INTAKE_SCHEMA, format="parquet", filesystem=folder.fs)


def _write_chunks(ordered: Iterable[pa.Table], store: Location, run_id: str, size: int) -> Iterator[Chunk]:
    for number, table in enumerate(_chunked(ordered, size)):
        path = f"_samples/{run_id}/chunk-{number:06d}.parquet"
        write_table_atomic(store, path, table.select(SAMPLE_SCHEMA.names).cast(SAMPLE_SCHEMA))
        yield Chunk(path=path, samples=table.num_rows)


def _chunked(ordered: Iterable[pa.Table], size: int) -> Iterator[pa.Table]:
    """Tables of about ``size`` rows; rows with one group key are never parted."""
    held: pa.Table | None = None
    for part in (batch for table in ordered for batch in table.to_batches(1024)):
        rows = pa.Table.from_batches([part])
        held = rows if held is None else pa.concat_tables([held, rows])
        while (cut := _cut(held["group_key"].to_pylist(), size)) is not None:
            yield held.slice(0, cut)
            held = held.slice(cut)
    if held is not None and held.num_rows:
        yield held


def _cut(keys: list[str], size: int) -> int | None:
    """Where the first chunk ends, or None while its last group may still go on."""
    return next((i for i in range(size, len(keys)) if keys[i] != keys[i - 1]), None)


def clear_old_chunks(store: Location, run_id: str, plan: Plan) -> None:
    """Remove chunks that an earlier plan of the same run left beyond the last of this one."""
    folder = store.child(f"_samples/{run_id}")
    kept = {chunk.path.rsplit("/", 1)[-1] for chunk in plan.chunks}
    with explained("write", folder):
        for info in store.fs.get_file_info(_selector(folder)):
            if info.base_name not in kept:
                store.fs.delete_file(info.path)


def clear_staged(store: Location, run_id: str) -> None:
    """Remove what was read for an earlier plan, also by a run that was killed."""
    for info in store.fs.get_file_info(_selector(store.child(f"_runs/{run_id}"))):
        if info.base_name.startswith("staged-"):
            store.fs.delete_dir(info.path)


def _selector(folder: Location) -> Any:
    return fs.FileSelector(folder.path, allow_not_found=True)
