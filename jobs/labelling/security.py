"""Who may ask for a page, and what a browser may do with it."""

import hashlib
import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from jobs.labelling.pages import message_page

ACCESS_COOKIE = "judgefleet-access"
# Without any of the audit in them, so that a browser that has no cookie yet can show them.
OPEN_PATHS = ("/enter", "/static/label.css", "/static/label.js", "/favicon.ico")

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'none'; connect-src 'none'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # No other site learns anything. With "no-referrer" browsers would also send "Origin: null" with our own forms,
    # and over plain HTTP in a local network that header is all there is against forged ones.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, kw_only=True)
class Access:
    """``token``: what a browser must have been given, None for nothing; ``hosts``: names the server answers to,
    empty for any."""

    token: str | None = None
    hosts: tuple[str, ...] = ()

    @property
    def cookie(self) -> str:
        """What the browser keeps instead of the token."""
        return hashlib.sha256((self.token or "").encode()).hexdigest()

    def opened_by(self, token: str) -> bool:
        """Whether this is the token, in a time that does not tell how much of it was right."""
        return secrets.compare_digest(hashlib.sha256(token.encode("utf-8", "replace")).hexdigest(), self.cookie)

    def opened_before(self, cookie: str) -> bool:
        """Whether a browser brings what it was given."""
        return secrets.compare_digest(cookie.encode("utf-8", "replace"), self.cookie.encode())


def turned_away(request: Request, access: Access) -> Response | None:
    """The answer to a request that goes no further, or None."""
    host = _name(request.headers.get("host", ""))
    if access.hosts and host not in access.hosts:
        # A page of another site may have had its name pointed at this machine (DNS rebinding).
        return _refused(f"found the host {host!r:.80}; open the address that the server printed", 400)
    if request.url.path in OPEN_PATHS:
        return None
    return _without_token(request, access) or _from_elsewhere(request)


def _without_token(request: Request, access: Access) -> Response | None:
    given = request.query_params.get("token")
    if access.token is None:
        return None
    if given is not None and request.method == "GET":
        return _let_in(access) if access.opened_by(given) else _refused("the token in the address is not right", 403)
    if access.opened_before(request.cookies.get(ACCESS_COOKIE, "")):
        return None
    return _refused("open the address with the token that the server printed, then come back here", 403)


def _let_in(access: Access) -> Response:
    """Swap the token for a cookie, so that it does not stay in the address bar."""
    response = RedirectResponse("/enter", status_code=303)
    response.set_cookie(ACCESS_COOKIE, access.cookie, httponly=True, samesite="strict", path="/")
    return response


def _from_elsewhere(request: Request) -> Response | None:
    """Another site's link begins anew from our own page, where the browser sends its cookies; its forms are refused."""
    site = request.headers.get("sec-fetch-site")
    if request.method in ("GET", "HEAD"):
        return RedirectResponse("/enter", status_code=303) if site in ("cross-site", "same-site") else None
    origin = urlsplit(request.headers.get("origin", "")).netloc
    # Browsers tell the site over HTTPS and on this machine; elsewhere they tell the origin.
    if site == "same-origin" or (site is None and origin and origin == request.headers.get("host")):
        return None
    return _refused("this form was not sent from this page; open the page again and answer there", 403)


def _name(host: str) -> str:
    """The host without its port.

    >>> _name("127.0.0.1:8484"), _name("[::1]:8484"), _name("localhost")
    ('127.0.0.1', '[::1]', 'localhost')
    """
    head, colon, port = host.rpartition(":")
    return (head if colon and port.isdigit() else host).lower()


def _refused(text: str, status: int) -> Response:
    return message_page("Not allowed", text, status)
