"""The frozen items of an audit: the same judge, asked again, should say the same."""

from collections.abc import Mapping, Sequence

from calibration.drift import paired_flips
from calibration.gate import GateDecision
from calibration.matched import Matched

# Chance of a false alarm in one comparison; a judge that is not deterministic flips both ways, which is no drift.
ALARM = 0.01


def anchor_verdicts(found: Matched) -> dict[str, str]:
    """What the judge said about the anchors, by item."""
    rows = zip(found.items, found.judge, strict=True)
    return {item.item_id: found.classes[place] for item, place in rows if item.anchor}


def anchor_alarm(found: Matched, history: Sequence[GateDecision]) -> str | None:
    """Why the anchors speak against an earlier audit of this very judge, or None.

    Exact McNemar test of how many anchors it got right then and gets right now, against the first decision that has
    anchors: what a served model becomes in small steps is seen from where it began.
    """
    before = next((decision.anchors for decision in history if decision.anchors), None)
    if before is None:
        return None
    human = {item.item_id: found.classes[place] for item, place in zip(found.items, found.human, strict=True)}
    now = anchor_verdicts(found)
    both = [item_id for item_id in before if item_id in now]
    if not both:
        return None
    flips = paired_flips(*([_right(said, human, i) for i in both] for said in (before, now)))
    if flips.p_value >= ALARM:
        return None
    return f"anchor alarm: of {len(both)} anchors the judge lost {flips.lost} and gained {flips.gained} since its audit"


def _right(said: Mapping[str, str], human: Mapping[str, str], item_id: str) -> int:
    return int(said[item_id] == human[item_id])
