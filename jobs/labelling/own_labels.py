"""What a rater may download: their own answers as they saw them. Ids, and which answer was whose, would unblind."""

from collections.abc import Iterator

from jobs.labelling.choices import chosen
from jobs.labelling.desk import Desk
from jobs.labelling.export import table_csv
from jobs.labelling.order import item_key

COLUMNS = ("item", "answer", "note", "at")


def own_labels_csv(desk: Desk, name: str) -> str:
    """The rater's labels that hold, in the rater's order of items."""
    return table_csv(COLUMNS, _rows(desk, name))


def _rows(desk: Desk, name: str) -> Iterator[dict[str, object]]:
    audit_id, work = desk.snapshot().info.audit_id, desk.worklist(name)
    for item in work.items.values():
        state = work.history.states.get(item.item_id)
        if state and state.done:
            answer = chosen(desk.choices(name, item), state.last)
            yield {
                "item": item_key(audit_id, item.item_id),
                "answer": answer.text if answer else None,
                "note": state.last.note,
                "at": state.last.at,
            }
