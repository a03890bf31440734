"""The gate of each judge in a store, as it stands now."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import pyarrow.compute as pc

from calibration.decisions import current_decision, read_decisions
from calibration.gate import GateDecision, GateState
from judgefleet.store import read_scores

# What a judge of several axes is worth is what its worst axis is worth.
_WORST_FIRST = (GateState.CLOSED, GateState.STALE, GateState.INSUFFICIENT, GateState.OPEN)


def gates_of(store_uri: str, now: datetime | None = None) -> list[GateDecision]:
    """The decision that holds for every LLM judge and axis in the store, by scorer and axis, the newest judge last."""
    rows = read_scores(store_uri, ["scorer_kind", "scorer", "axis", "fingerprint", "scored_at"])
    judged = rows.filter(pc.equal(rows["scorer_kind"], "LLM"))
    keys = judged.group_by(["scorer", "axis", "fingerprint"]).aggregate([("scored_at", "max")]).to_pylist()
    ordered = sorted(keys, key=lambda k: (k["scorer"], k["axis"], k["scored_at_max"], k["fingerprint"]))
    return gates_for(store_uri, [(k["scorer"], k["axis"], k["fingerprint"]) for k in ordered], now)


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
    ordered = sorted(gates, key=lambda gate: _WORST_FIRST.index(gate.state), reverse=True)
    return {gate.fingerprint: gate for gate in ordered}
