"""The gate of each judge in a store, as it stands now."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import pyarrow.compute as pc
import pyarrow.dataset as ds

from calibration.decisions import current_decision, read_decisions
from calibration.gate import GateDecision, GateState
from calibration.judged import Judge, by_judge, in_order
from judgefleet.pieces import is_one_of
from judgefleet.store import score_batches, while_files_merge

# Rows that an LLM judge gave.
JUDGED = is_one_of("scorer_kind", ["LLM"])
# What a judge of several axes is worth is what its worst axis is worth.
_WORST_FIRST = (GateState.CLOSED, GateState.STALE, GateState.INSUFFICIENT, GateState.OPEN)


def gates_of(store_uri: str, now: datetime | None = None) -> list[GateDecision]:
    """The decision that holds for every LLM judge and axis in the store, by scorer and axis, the newest judge last."""
    latest = last_scored(store_uri, JUDGED)
    ordered = sorted(latest, key=lambda judge: in_order(judge, latest[judge]))
    return gates_for(store_uri, ordered, now)


def last_scored(store_uri: str, mine: ds.Expression, scorer: str | None = None) -> dict[Judge, datetime]:
    """When each judge or other scorer gave its last row, of the rows that ``mine`` is true for."""

    def read() -> dict[Judge, datetime]:
        found: dict[Judge, datetime] = {}
        for rows in score_batches(store_uri, [*Judge._fields, "scored_at"], mine, scorer):
            for judge, part in by_judge(rows):
                at = pc.max(part["scored_at"]).as_py()
                found[judge] = max(at, found.get(judge, at))
        return found

    return while_files_merge(read)


def gates_for(
    store_uri: str, judges: Iterable[tuple[str, str, str]], now: datetime | None = None
) -> list[GateDecision]:
    """The decision that holds for each of ``judges`` (scorer, axis, fingerprint), in their order; reads no rows."""
    decisions, at = read_decisions(store_uri), now or datetime.now(UTC)
    return [
        current_decision(decisions, fingerprint=fingerprint, scorer=scorer, axis=axis, now=at)
        for scorer, axis, fingerprint in judges
    ]


def newest(gates: Iterable[GateDecision]) -> list[GateDecision]:
    """Of each scorer and axis the judge that scored last: exit codes are about it, not about those it replaced."""
    return list({(gate.scorer, gate.axis): gate for gate in gates}.values())


def by_fingerprint(gates: Iterable[GateDecision]) -> Mapping[str, GateDecision]:
    """One decision a judge: that of its worst axis."""
    ordered = sorted(gates, key=lambda gate: (_WORST_FIRST.index(gate.state), gate.scorer, gate.axis), reverse=True)
    return {gate.fingerprint: gate for gate in ordered}
