"""Rows that a run removes before it scores: those to be scored again, and those that its plan has overtaken."""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from jobs.plan import Plan
from jobs.prepare import Prepared
from jobs.remaining import load_chunk, planned_ids
from judgefleet.ids import IdSet
from judgefleet.score import Status
from judgefleet.store import score_files, superseded
from judgefleet.upkeep import keep_rows

_ENGINE_FAILED = {Status.ENGINE_ERROR.value, Status.TIMEOUT.value}


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """What a plan covers: the ids it gives, the traces it scores, and the fingerprints that score them.

    ``superseded``: ids in the store that others there supersede.
    """

    ids: IdSet
    traces: frozenset[str]
    fingerprints: frozenset[str]
    superseded: frozenset[str] = frozenset()

    def stays(self, row: Mapping[str, str | None], *, fresh: bool, retry: bool) -> bool:
        """Whether a row of the store is left alone.

        A row of the same scorer about a planned trace that the plan does not give is overtaken: it says that a trace
        has no partner, and now it has one. So are one that supersedes another and that other: the plan
        has all that came of their trace, and scores it once.
        """
        foreign = row["fingerprint"] not in self.fingerprints or row["trace_id"] not in self.traces
        if row["supersedes"] is not None or row["score_id"] in self.superseded or row["score_id"] not in self.ids:
            return foreign
        return not (fresh or (retry and row["status"] in _ENGINE_FAILED))


def forget(prepared: Prepared, plan: Plan, *, fresh: bool, retry: bool) -> int:
    """Remove rows (``fresh``: all that the plan gives, ``retry``: those whose engine failed). Returns how many."""
    if not score_files(prepared.store):
        return 0
    planned = find_planned(prepared, plan)

    def keep(rows: pa.Table) -> pa.Array:
        return pa.array([planned.stays(row, fresh=fresh, retry=retry) for row in rows.to_pylist()], pa.bool_())

    return keep_rows(prepared.store, keep)


def find_planned(prepared: Prepared, plan: Plan) -> Planned:
    """Every id that ``plan`` gives. Reads ids only, one chunk at a time."""
    ids: list[str] = []
    traces: set[str] = set()
    for chunk in plan.chunks:
        samples = load_chunk(prepared.store, chunk, light=True)
        ids += [i for stage in planned_ids(prepared, samples) for i in stage]
        traces.update(sample.trace.trace_id for sample in samples)
    fingerprints = frozenset(info.fingerprint for info in prepared.infos)
    replaced = frozenset(superseded(prepared.store).to_pylist())
    return Planned(ids=IdSet(ids), traces=frozenset(traces), fingerprints=fingerprints, superseded=replaced)
