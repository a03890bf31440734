"""The application: routes, what every answer carries, and how errors are told."""

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from jobs.labelling.choices import SubmitError
from jobs.labelling.desk import Desk
from jobs.labelling.pages import message_page
from jobs.labelling.routes import router
from jobs.labelling.security import HEADERS, Access, turned_away
from judgefleet.errors import JudgefleetError

_LOG = logging.getLogger(__name__)


def create_app(desk: Desk, access: Access) -> FastAPI:
    """The page of one audit, for whoever ``access`` lets in."""
    app = FastAPI(title="Labelling", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.desk = desk
    app.include_router(router)
    app.add_exception_handler(HTTPException, _told)
    app.add_exception_handler(SubmitError, _not_stored)
    app.add_exception_handler(JudgefleetError, _broken)

    @app.middleware("http")
    async def guard(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        response = turned_away(request, access) or await go_on(request)
        response.headers.update(HEADERS)
        return response

    return app


def _told(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    where = (error.headers or {}).get("Location")
    if where:
        return RedirectResponse(where, status_code=error.status_code)
    return message_page(HTTPStatus(error.status_code).phrase, str(error.detail), error.status_code)


def _not_stored(_: Request, error: Exception) -> Response:
    return message_page("Not stored", str(error), 400)


def _broken(_: Request, error: Exception) -> Response:
    # The message may quote somebody's label or a path: it is for the terminal, not for raters.
    _LOG.error("%s", error)
    return message_page(
        "The audit cannot be read or written", "Tell the person who runs this server; it says why.", 500
    )
