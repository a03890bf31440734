"""The desk where raters take items and leave labels, several of them at once."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from calibration.audit import PAIR, AuditItem, Label
from calibration.audit_folder import Audit
from jobs.labelling.choices import Choice, SubmitError, choices_of, pick
from jobs.labelling.disagreement import decided_by_others
from jobs.labelling.order import shown_order
from jobs.labelling.raters import adjudicator
from jobs.labelling.snapshot import Reader, Snapshot
from jobs.labelling.worklist import Worklist
from judgefleet.errors import ConfigError

LONGEST_NOTE = 4000
_MAKE_LABEL: Callable[..., Label] = Label


@dataclass(frozen=True, kw_only=True, slots=True)
class Submission:
    """What a form said about an item. ``lines``: how many lines the rater had about it when the page was made."""

    key: str
    answer: str = ""
    skip: bool = False
    note: str = ""
    lines: int | None = None


class Desk:
    """One audit. ``adjudicate``: only items that raters disagree about, for somebody to decide.

    ``name`` below is the rater's name as typed. Raises ConfigError where the audit cannot be labelled.
    """

    def __init__(self, audit: Audit, *, adjudicate: bool = False) -> None:
        self.audit, self.adjudicate = audit, adjudicate
        self._reader, self._lock = Reader(audit), threading.RLock()
        found = self.snapshot()
        if not found.items:
            raise ConfigError(f"no item with its text in {audit.uri!r}; {found.without_text:,} items have none")
        choices_of(found.info, (0, 1))

    def snapshot(self) -> Snapshot:
        """The audit as it is now. Raises ConfigError for files that are wrong."""
        with self._lock:
            return self._reader.read()

    def worklist(self, name: str) -> Worklist:
        """What this rater has done and has yet to do."""
        found, rater = self.snapshot(), self.stored_name(name)
        items = found.items
        if self.adjudicate:
            wanted = found.disputed - decided_by_others(found.labels, rater)
            items = {item_id: item for item_id, item in items.items() if item_id in wanted}
        return Worklist.of(found.info.audit_id, rater, items, found.log)

    def stored_name(self, name: str) -> str:
        """The name that the labels of this rater get."""
        return adjudicator(name) if self.adjudicate else name

    def order(self, name: str, item: AuditItem) -> tuple[int, ...]:
        """The positions of the item's responses in the order shown to this rater."""
        return shown_order(self.snapshot().info.audit_id, self.stored_name(name), item.item_id, len(item.responses))

    def choices(self, name: str, item: AuditItem) -> list[Choice]:
        """What this rater may answer about the item."""
        return choices_of(self.snapshot().info, self.order(name, item))

    def submit(self, name: str, said: Submission) -> None:
        """Append what the form said; the same again adds nothing. Raises SubmitError where it cannot be stored."""
        with self._lock:
            item = self._item(name, said.key)
            label = self._answer(name, item, said)
            state = self.worklist(name).history.states.get(item.item_id)
            if said.skip:
                # A second skip puts the item aside for good: a form that is sent twice must not do that.
                again = said.lines not in (None, state.lines if state else 0)
            else:
                again = state is not None and _same(state.last, label)
            if not again:
                self.audit.append_label(label)

    def undo(self, name: str, lines: int | None = None) -> AuditItem | None:
        """Withdraw the rater's newest label or skip and return its item; None where nothing was withdrawn.

        ``lines``: how many lines the rater had when the page was made, so that a form sent twice withdraws once.
        """
        with self._lock:
            done = self.worklist(name).history
            if done.newest is None or lines not in (None, done.lines):
                return None
            item = self.snapshot().items[done.newest]
            self.audit.append_label(self._line(name, item, withdrawn=True, note=done.states[item.item_id].last.note))
            return item

    def _item(self, name: str, key: str) -> AuditItem:
        item = self.snapshot().by_key.get(key)
        if item is None or item.item_id not in self.worklist(name).items:
            raise SubmitError(f"found the item {key!r:.60}, which is not among those to label here; go to the next one")
        return item

    def _answer(self, name: str, item: AuditItem, said: Submission) -> Label:
        note = said.note.replace("\r\n", "\n").replace("\0", "\ufffd").strip()
        if len(note) > LONGEST_NOTE:
            raise SubmitError(f"the note has {len(note):,} characters; allowed: {LONGEST_NOTE:,}")
        if said.skip:
            return self._line(name, item, skipped=True, note=note or None)
        choice = pick(self.choices(name, item), said.answer)
        return self._line(name, item, label=choice.label, score=choice.score, note=note or None)

    def _line(self, name: str, item: AuditItem, **said: object) -> Label:
        return _MAKE_LABEL(
            item_id=item.item_id,
            rater=self.stored_name(name),
            adjudicated=self.adjudicate,
            order=self.order(name, item) if self.snapshot().info.kind == PAIR else (),
            at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            **said,
        )


def _same(old: Label, new: Label) -> bool:
    """Whether the two say the same, whenever they said it."""
    return all(getattr(old, part) == getattr(new, part) for part in ("label", "score", "skipped", "withdrawn", "note"))
