"""Who is at the page: the name that the browser keeps."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote, unquote

from fastapi import Depends, HTTPException, Request, Response

from calibration.audit import AuditItem
from jobs.labelling.choices import SubmitError
from jobs.labelling.desk import Desk
from jobs.labelling.raters import rater_name

RATER_COOKIE = "judgefleet-rater"
_DAYS_30 = 30 * 24 * 3600


def desk_of(request: Request) -> Desk:
    """The desk of this server."""
    desk: Desk = request.app.state.desk
    return desk


def remembered_name(request: Request) -> str | None:
    """The name in the cookie, None where there is none or it is no name."""
    try:
        return rater_name(unquote(request.cookies.get(RATER_COOKIE, "")))
    except SubmitError:
        return None


def remember(response: Response, name: str) -> None:
    """Let the browser keep the name, out of reach of scripts and of other sites."""
    response.set_cookie(RATER_COOKIE, quote(name), max_age=_DAYS_30, httponly=True, samesite="strict", path="/")


@dataclass(frozen=True, slots=True)
class Visitor:
    """A rater at the desk."""

    desk: Desk
    name: str

    def item(self, key: str) -> AuditItem:
        """The item behind a key, for showing. Answers 404 where there is none."""
        item = self.desk.snapshot().by_key.get(key)
        if item is None or item.item_id not in self.desk.worklist(self.name).items:
            raise HTTPException(404, "there is no such item to label here")
        return item

    def require(self, fields: dict[str, str]) -> None:
        """Answers 409 where the page was made for somebody else: another order, so another meaning of 1 and 2."""
        if fields.get("rater", self.name) != self.name:
            raise HTTPException(409, f"this page was opened for another name; you are {self.name} now: go on from here")


def _visitor(request: Request, desk: Annotated[Desk, Depends(desk_of)]) -> Visitor:
    name = remembered_name(request)
    if name is None:
        raise HTTPException(303, "who are you?", {"Location": "/"})
    return Visitor(desk, name)


Here = Annotated[Visitor, Depends(_visitor)]
ThisDesk = Annotated[Desk, Depends(desk_of)]
