"""What one rater has done so far, read from the lines they appended."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from calibration.audit import Label


@dataclass(slots=True)
class ItemState:
    """A rater and one item. ``last``: the newest line; ``lines``: how many; ``skips``: those not taken back."""

    last: Label
    lines: int = 0
    skips: int = 0

    @property
    def done(self) -> bool:
        """Whether a label holds."""
        return not (self.last.skipped or self.last.withdrawn)

    @property
    def skipped(self) -> bool:
        """Whether the rater passed over it."""
        return self.last.skipped and not self.last.withdrawn


@dataclass(slots=True)
class History:
    """``states`` by item id; ``stack``: items with an answer or a skip that holds, the newest last."""

    states: dict[str, ItemState] = field(default_factory=dict)
    stack: dict[str, None] = field(default_factory=dict)
    lines: int = 0

    def add(self, label: Label) -> None:
        """Take in one more line."""
        state = self.states.setdefault(label.item_id, ItemState(label))
        taken_back = label.withdrawn and state.lines > 0 and state.skipped
        state.skips += 1 if label.skipped and not label.withdrawn else -1 if taken_back else 0
        state.last, state.lines, self.lines = label, state.lines + 1, self.lines + 1
        self.stack.pop(label.item_id, None)
        if not label.withdrawn:
            self.stack[label.item_id] = None

    @property
    def newest(self) -> str | None:
        """The item whose answer or skip is taken back next."""
        return next(reversed(self.stack), None)


def history(log: Iterable[Label], rater: str, items: Iterable[str]) -> History:
    """What ``rater`` did about ``items`` (ids), oldest line first."""
    known, found = set(items), History()
    for label in log:
        if label.rater == rater and label.item_id in known:
            found.add(label)
    return found


def holding(log: Iterable[Label]) -> list[Label]:
    """The label of each rater about each item that holds; as ``Audit.labels`` has it, for lines already read."""
    last = {(label.rater, label.item_id): label for label in log}
    return [label for label in last.values() if not (label.withdrawn or label.skipped)]
