"""What each address answers."""

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse

from jobs.labelling.choices import SubmitError
from jobs.labelling.desk import Desk, Submission
from jobs.labelling.forms import Fields, whole_number
from jobs.labelling.order import item_key
from jobs.labelling.own_labels import own_labels_csv
from jobs.labelling.pages import ASSETS, asset, done_page, item_page, known_page, page, welcome_page
from jobs.labelling.raters import known_rater, rater_name
from jobs.labelling.session import RATER_COOKIE, Here, ThisDesk, remember, remembered_name
from jobs.labelling.texts import parts_of
from jobs.wording import visible

router = APIRouter()


@router.get("/")
def home(request: Request, desk: ThisDesk) -> Response:
    """The next item, or the question who labels."""
    name = remembered_name(request)
    return _next(desk, name) if name else welcome_page(desk)


@router.post("/rater")
def enter_name(fields: Fields, desk: ThisDesk) -> Response:
    """Take the name; where labels of that name are there already, ask whether this is the same person."""
    typed = fields.get("name", "")
    try:
        name = rater_name(typed)
    except SubmitError as error:
        return welcome_page(desk, name=typed[:200], problem=str(error), status=400)
    known = known_rater(name, desk.snapshot().log)
    if known and fields.get("same") != "yes":
        return known_page(desk, known)
    response = RedirectResponse("/", status_code=303)
    remember(response, known or name)
    return response


@router.post("/leave")
def leave() -> Response:
    """Forget the name."""
    response = RedirectResponse("/", status_code=303)
    response.delete_cookie(RATER_COOKIE, path="/", httponly=True, samesite="strict")
    return response


@router.get("/item/{key}")
def show(key: str, here: Here) -> Response:
    """One item."""
    return item_page(here.desk, here.name, here.item(key))


@router.post("/item/{key}")
def answer(key: str, fields: Fields, here: Here) -> Response:
    """Store an answer or a skip, and go on."""
    here.require(fields)
    said = Submission(
        key=key,
        answer=fields.get("answer", ""),
        skip="skip" in fields,
        note=fields.get("note", ""),
        lines=whole_number(fields.get("lines")),
    )
    here.desk.submit(here.name, said)
    return _next(here.desk, here.name)


@router.post("/undo")
def undo(fields: Fields, here: Here) -> Response:
    """Withdraw the newest label and go back to its item."""
    here.require(fields)
    item = here.desk.undo(here.name, whole_number(fields.get("lines")))
    if item is None:
        return _next(here.desk, here.name)
    key = item_key(here.desk.snapshot().info.audit_id, item.item_id)
    return RedirectResponse(f"/item/{key}", status_code=303)


@router.get("/done")
def done(here: Here) -> Response:
    """How far this rater is."""
    return done_page(here.desk, here.name)


@router.get("/text/{key}/{part}")
def whole_text(key: str, part: str, here: Here) -> Response:
    """A whole text, as text."""
    item = here.item(key)
    parts = parts_of(item, here.desk.order(here.name, item))
    if part not in parts:
        raise HTTPException(404, f"the item has no such text; it has: {', '.join(parts)}")
    return PlainTextResponse(visible(parts[part]))


@router.get("/export.csv")
def export(here: Here) -> Response:
    """The labels of this rater as this rater gave them; still blind."""
    headers = {"Content-Disposition": 'attachment; filename="my-labels.csv"'}
    return Response(own_labels_csv(here.desk, here.name), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/enter")
def enter() -> Response:
    """Begin from our own origin, after a link of another site: cookies are for visits that begin here."""
    return page("enter.html.j2")


@router.get("/static/{name}")
def static(name: str) -> Response:
    """Our own style and script."""
    if name not in ASSETS:
        raise HTTPException(404, "there is no such file")
    return Response(asset(name), media_type=ASSETS[name])


@router.get("/favicon.ico")
def favicon() -> Response:
    """None; browsers ask for one anyway."""
    return Response(status_code=204)


def _next(desk: Desk, name: str) -> Response:
    item = desk.worklist(name).next
    target = f"/item/{item_key(desk.snapshot().info.audit_id, item.item_id)}" if item else "/done"
    return RedirectResponse(target, status_code=303)
