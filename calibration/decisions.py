"""Decisions of the gate, kept in the score store: one small file each, never changed."""

import json
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any

from calibration.gate import CheckResult, GateDecision, GateState, decision_without_audit
from judgefleet.hashing import stable_hash
from judgefleet.location import open_location
from judgefleet.storage import exists, list_objects, read_bytes, write_atomic

FOLDER = "_gate"


def write_decision(store_uri: str, decision: GateDecision) -> str:
    """Add ``decision``; returns its address. The name begins with the time, so that names sort as decisions do."""
    text = json.dumps(asdict(decision), default=str, allow_nan=False, indent=1)
    at = decision.decided_at.strftime("%Y%m%dT%H%M%S%fZ") if decision.decided_at else "undated"
    name = f"{FOLDER}/{decision.fingerprint}/{at}-{stable_hash(text, 8)}.json"
    return write_atomic(open_location(store_uri).child(name), text.encode())


def read_decisions(store_uri: str) -> list[GateDecision]:
    """Every decision in the store, oldest first."""
    folder = open_location(store_uri).child(FOLDER)
    if not exists(folder):
        return []
    found = [_decision(json.loads(read_bytes(info.uri))) for info in list_objects(folder.uri)]
    return sorted(found, key=lambda d: d.decided_at or datetime.min)


def current_decision(
    decisions: Sequence[GateDecision], *, fingerprint: str, scorer: str, axis: str, now: datetime
) -> GateDecision:
    """What holds at ``now``: the latest decision about this judge and axis, STALE where it has expired, or where only
    an earlier configuration of the same scorer was audited."""
    about = [d for d in decisions if d.scorer == scorer and d.axis == axis]
    mine = [d for d in about if d.fingerprint == fingerprint]
    if mine:
        return _aged(mine[-1], now)
    if about:
        reason = (
            f"the judge changed: the audit of {_day(about[-1].decided_at)} was about {about[-1].fingerprint}, "
            f"these scores are from {fingerprint}; audit it again"
        )
        state = GateState.STALE
        return GateDecision(state=state, fingerprint=fingerprint, reason=reason, scorer=scorer, axis=axis)
    return decision_without_audit(fingerprint, scorer, axis)


def _aged(decision: GateDecision, now: datetime) -> GateDecision:
    if decision.state is not GateState.OPEN or decision.expires_at is None or now < decision.expires_at:
        return decision
    reason = f"the audit of {_day(decision.decided_at)} expired on {_day(decision.expires_at)}; audit again"
    return replace(decision, state=GateState.STALE, reason=reason)


def _day(at: datetime | None) -> str:
    return at.date().isoformat() if at else "an unknown day"


def _decision(row: dict[str, Any]) -> GateDecision:
    known = {f.name: row[f.name] for f in fields(GateDecision) if f.name in row}
    times = {k: datetime.fromisoformat(known[k]) for k in ("decided_at", "expires_at") if known.get(k)}
    checks = tuple(CheckResult(**check) for check in known.get("checks", ()))
    return GateDecision(**(known | times | {"checks": checks, "state": GateState(known["state"])}))
