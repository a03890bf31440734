"""What people said, in the form that corrects a trend: pass and fail, or numbers."""

from calibration.audit import PAIR, AuditInfo
from calibration.audit_folder import Audit
from calibration.consensus import Consensus, consensus_of
from calibration.gate import GateDecision
from calibration.matched import PASS, human_label
from calibration.trends import MEAN, PASS_RATE, People


def people_of(uri: str | None, gate: GateDecision, measure: str | None, notes: list[str]) -> People | None:
    """The labels of the audit in ``uri`` about the judge and axis of ``gate``; None, with a note, where they correct
    nothing. ``measure`` None: pass rates where the audit has a cut, else means."""
    where = f"{gate.scorer}/{gate.axis}"
    if uri is None:
        notes.append(f"{where}: no audit, so nothing is corrected; --audit names one")
        return None
    audit = Audit(uri)
    if not audit.exists:
        notes.append(f"{where}: no audit in {uri!r} any more, so nothing is corrected; --audit names another")
        return None
    info = audit.info
    found = _other_axis(info, gate) or _labels(audit, info, measure)
    if isinstance(found, People):
        return found
    notes.append(f"{where}: the audit {info.audit_id!r} {found}, so nothing is corrected")
    return None


def _other_axis(info: AuditInfo, gate: GateDecision) -> str | None:
    mine = (info.scorer or gate.scorer, info.axis or gate.axis)
    return None if mine == (gate.scorer, gate.axis) else f"is about {info.scorer}/{info.axis}"


def _labels(audit: Audit, info: AuditInfo, measure: str | None) -> People | str:
    """The labels, or why there are none to use."""
    if info.kind == PAIR:
        return "is about pairs"
    if info.cut is None and measure == PASS_RATE:
        return "says no 'cut' between pass and fail"
    cut = None if measure == MEAN else info.cut
    said = {item_id: _number(info, found, cut) for item_id, found in consensus_of(audit.labels, info.kind).items()}
    human = {
        item.trace_ids[0]: (value, 1 / item.inclusion_probability)
        for item in audit.items.values()
        if item.trace_ids and (value := said.get(item.item_id)) is not None
    }
    if not human and cut is None:
        return (
            "has no numbers from people, and no 'cut' between pass and fail" if info.cut is None else "has no numbers"
        )
    return People(
        human={trace: value for trace, (value, _) in human.items()},
        weights={trace: weight for trace, (_, weight) in human.items()},
        cut=cut,
        scale=info.scale,
    )


def _number(info: AuditInfo, said: Consensus, cut: float | None) -> float | None:
    """Pass (1) or fail (0) where there is a cut, else the number that people gave; None where they gave neither."""
    if cut is None:
        return said.score
    label = human_label(info, said)
    return None if label is None else float(label == PASS)
