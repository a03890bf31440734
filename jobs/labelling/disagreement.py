"""Items that raters do not agree about, for somebody to decide."""

from collections.abc import Iterable

from calibration.audit import Label


def disputed(labels: Iterable[Label]) -> set[str]:
    """Ids of the items with two different labels that hold, decisions left aside.

    >>> disputed([Label(item_id="q", rater="ana", label="A"), Label(item_id="q", rater="bo", label="TIE")])
    {'q'}
    """
    said: dict[str, set[tuple[str | None, float | None]]] = {}
    for label in labels:
        if not label.adjudicated:
            said.setdefault(label.item_id, set()).add((label.label, label.score))
    return {item for item, answers in said.items() if len(answers) > 1}


def decided_by_others(labels: Iterable[Label], rater: str) -> set[str]:
    """Ids of the items that somebody else than ``rater`` has decided."""
    return {label.item_id for label in labels if label.adjudicated and label.rater != rater}
