"""The pages as text: templates that escape everything, and first make visible what escaping leaves."""

from importlib.resources import files
from typing import Any

from fastapi.responses import HTMLResponse

from calibration.audit import PAIR, AuditItem
from jobs.labelling.choices import MOST_BUTTONS, Choice, chosen
from jobs.labelling.desk import LONGEST_NOTE, Desk
from jobs.labelling.order import item_key
from jobs.labelling.raters import LONGEST_NAME
from jobs.labelling.texts import parts_of, shown_parts
from jobs.templating import environment

ASSETS = {"label.css": "text/css; charset=utf-8", "label.js": "text/javascript; charset=utf-8"}


def page(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A template of this package as a response."""
    return HTMLResponse(environment("jobs.labelling").get_template(template).render(values), status_code=status)


def message_page(title: str, text: str, status: int) -> HTMLResponse:
    """One sentence and the way back."""
    return page("message.html.j2", status, title=title, text=text)


def welcome_page(desk: Desk, *, name: str = "", problem: str = "", status: int = 200) -> HTMLResponse:
    """Asks who labels."""
    info = desk.snapshot().info
    return page("welcome.html.j2", status, info=info, name=name, problem=problem, longest=LONGEST_NAME)


def known_page(desk: Desk, name: str) -> HTMLResponse:
    """Asks whether this is the person whose labels are there already."""
    return page("known.html.j2", name=name, done=desk.worklist(name).done)


def item_page(desk: Desk, name: str, item: AuditItem) -> HTMLResponse:
    """One item to label, without anything that says where it comes from."""
    info = desk.snapshot().info
    state = desk.worklist(name).history.states.get(item.item_id)
    key, choices = item_key(info.audit_id, item.item_id), desk.choices(name, item)
    return page(
        "item.html.j2",
        **_frame(desk, name),
        key=key,
        info=info,
        parts=shown_parts(key, parts_of(item, desk.order(name, item))),
        pair=info.kind == PAIR,
        choices=choices,
        typed=len(choices) > MOST_BUTTONS and not info.labels,
        ends=_ends(choices) if info.kind != PAIR and not info.labels else None,
        mine=chosen(choices, state.last if state else None),
        skipped=bool(state and state.skipped),
        note=(state.last.note or "") if state else "",
        lines=state.lines if state else 0,
        longest_note=LONGEST_NOTE,
    )


def done_page(desk: Desk, name: str) -> HTMLResponse:
    """Counts, and the items that were skipped."""
    found, work = desk.snapshot(), desk.worklist(name)
    skipped = [item_key(found.info.audit_id, i) for i in work.items if (s := work.history.states.get(i)) and s.skipped]
    return page("done.html.j2", **_frame(desk, name), skipped_keys=skipped)


def asset(name: str) -> str:
    """The text of one of our own files."""
    return (files("jobs.labelling") / "static" / name).read_text(encoding="utf-8")


def _frame(desk: Desk, name: str) -> dict[str, Any]:
    """What the head of the page shows: how far this rater is."""
    work = desk.worklist(name)
    return {"work": work, "name": name, "adjudicate": desk.adjudicate, "can_undo": bool(work.history.stack)}


def _ends(choices: list[Choice]) -> tuple[str, str]:
    return choices[0].text, choices[-1].text
