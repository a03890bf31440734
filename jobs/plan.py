"""Plan: from what was read to chunks of samples in the order that shares most, and what is left to score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
from pyarrow import fs

from jobs.database import database, execute, table_of
from jobs.draw import WEIGHED, Cell, draw, outcome
from jobs.intake import INTAKE_SCHEMA
from jobs.ordered import Order
from jobs.ranked import rank
from judgefleet.memory import give_back
from judgefleet.sample import SAMPLE_SCHEMA
from judgefleet.sampling import SamplingPlan
from judgefleet.storage import Location, explained, write_table_atomic

# What each trace came to, where each was decided about as it was read.
_DECIDED = """
    create temp view decided as
    select place, trace_id, span_id, group_key, group_start, null::double as probability,
        case when copy > 1 then 'duplicate' else decision end as decision
    from ranked
"""
_COUNTS = "select decision, count(*) as traces from decided group by 1"
_WIDE = [name for name in INTAKE_SCHEMA.names if name != "spans"]
_REJECTS = """
    select source_uri, position, reason, trace_id, excerpt from intake where decision = 'rejected'
    union all
    select source_uri, position, 'the same trace and span id as another trace, with other content', trace_id, excerpt
    from intake where place in (
        select place from ranked where decision != 'rejected' and copy > 1 and content_hash != first_hash)
    order by all
"""
_MEMORY = "64MiB"


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
        rank(db, staged, WEIGHED if weighed else ())
        factor, cells = 1.0, tuple[Cell, ...]()
        if weighed:
            factor, cells = draw(db, weighed.cap), outcome(db)
        else:
            execute(db, _DECIDED)
        counts = Counter({row["decision"]: row["traces"] for row in table_of(db, _COUNTS).to_pylist()})
        rejects = table_of(db, _REJECTS)
        write_table_atomic(store, f"_runs/{run_id}/rejects.parquet", rejects)
        order = Order.of(db)
    give_back()
    chunks = tuple(_write_chunks(order.of_rows(staged, _WIDE), store, run_id, chunk_traces))
    return Plan(chunks=chunks, counts=counts, rejects=rejects.num_rows, factor=factor, cells=cells)


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
