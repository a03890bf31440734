"""The items of one rater in their own order: what is done, what is next, what comes back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from calibration.audit import AuditItem, Label
from jobs.labelling.history import History, history
from jobs.labelling.order import item_order


@dataclass(frozen=True, kw_only=True, slots=True)
class Worklist:
    """``items`` by id, in the rater's order."""

    items: Mapping[str, AuditItem]
    history: History

    @classmethod
    def of(cls, audit_id: str, rater: str, items: Mapping[str, AuditItem], log: Sequence[Label]) -> "Worklist":
        """The list of ``rater`` for ``items``, given every line of the audit."""
        ordered = {item.item_id: item for item in item_order(audit_id, rater, items.values())}
        return cls(items=ordered, history=history(log, rater, ordered))

    @property
    def total(self) -> int:
        """Items in all."""
        return len(self.items)

    @property
    def done(self) -> int:
        """Items with a label that holds."""
        return sum(state.done for state in self.history.states.values())

    @property
    def skipped(self) -> int:
        """Items passed over."""
        return sum(state.skipped for state in self.history.states.values())

    @property
    def next(self) -> AuditItem | None:
        """The first item without an answer; then, once more, those that were skipped; then None."""
        states = self.history.states
        fresh = (i for i in self.items.values() if not (s := states.get(i.item_id)) or not (s.done or s.skipped))
        again = (i for i in self.items.values() if (s := states.get(i.item_id)) and s.skipped and s.skips == 1)
        return next(fresh, None) or next(again, None)
