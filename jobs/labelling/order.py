"""What chance decides, so that it is the same after a reload and different for the next rater."""

import hashlib
import json
from collections.abc import Iterable

from calibration.audit import AuditItem
from judgefleet.hashing import unit_interval


def shown_order(audit_id: str, rater: str, item_id: str, responses: int) -> tuple[int, ...]:
    """Positions in ``AuditItem.responses`` in the order in which this rater sees them.

    >>> shown_order("a", "ana", "q1", 2), shown_order("a", "eli", "q1", 2), shown_order("a", "ana", "q1", 1)
    ((1, 0), (0, 1), (0,))
    """
    swapped = responses == 2 and unit_interval(_text(audit_id, rater, item_id), "order of answers") < 0.5
    return (1, 0) if swapped else tuple(range(responses))


def item_order(audit_id: str, rater: str, items: Iterable[AuditItem]) -> list[AuditItem]:
    """The items in this rater's own order, so that no two raters are tired at the same ones."""
    return sorted(items, key=lambda item: unit_interval(_text(audit_id, rater, item.item_id), "order of items"))


def item_key(audit_id: str, item_id: str) -> str:
    """What stands for the item in addresses and forms: ids may name models or slices, and raters are blind to both.

    >>> item_key("a", "gpt-answers/7")
    '19775b0c55ad2574'
    """
    return hashlib.sha256(_text(audit_id, item_id).encode()).hexdigest()[:16]


def _text(*parts: str) -> str:
    """One text for several, ASCII: ids from JSON may hold lone surrogates, which cannot be hashed as UTF-8."""
    return json.dumps(parts, ensure_ascii=True)
