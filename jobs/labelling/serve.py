"""Runs the page on this machine, or for others who have the token."""

import ipaddress
import os
import secrets
import socket
from urllib.parse import quote

import uvicorn
from rich.console import Console

from calibration.audit_folder import Audit
from jobs.labelling.app import create_app
from jobs.labelling.desk import Desk
from jobs.labelling.security import Access
from judgefleet.errors import ConfigError

SHORTEST_TOKEN = 16


def serve(audit: Audit, *, host: str, port: int, token: str | None, adjudicate: bool) -> None:
    """Serve until interrupted; the address goes to stdout.

    Raises ConfigError: the audit cannot be labelled, the address cannot be had, the token is empty.
    """
    desk = Desk(audit, adjudicate=adjudicate)
    access = access_for(host, token)
    app = create_app(desk, access)
    with listen(host, port) as sock:
        # Before the server starts: connections wait in the socket until it does.
        print(f"label: {address(host, sock.getsockname()[1], access)}", flush=True)  # noqa: T201
        _say(desk, host, access)
        config = uvicorn.Config(app, log_level="warning", lifespan="off", server_header=False, proxy_headers=False)
        uvicorn.Server(config).run(sockets=[sock])
    # Only an interruption ends the server; where the process was started with Ctrl-C ignored it ends without raising.
    raise KeyboardInterrupt


def access_for(host: str, token: str | None) -> Access:
    """Who may come in. Any address that others can reach needs a token; one is made where none is given."""
    if token is not None and not token.strip():
        raise ConfigError("found an empty --token; leave it out and one is made")
    if not is_loopback(host):
        return Access(token=token or secrets.token_urlsafe(24))
    return Access(token=token, hosts=("localhost", "127.0.0.1", "[::1]", bracketed(host).lower()))


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises ConfigError where the address is taken, unknown or not allowed."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=128)
    except (OSError, OverflowError, UnicodeError) as error:
        number = getattr(error, "errno", None) or 0
        # Python adds the address to the system's words, and the message has it already.
        reason = os.strerror(number) if number > 0 else getattr(error, "strerror", None) or str(error)
        raise ConfigError(
            f"cannot listen on {host}:{port} ({reason}); another --port, or 0 for any free one"
        ) from error


def address(host: str, port: int, access: Access) -> str:
    """The address to open.

    >>> address("::1", 8484, Access(token="a b"))
    'http://[::1]:8484/?token=a%20b'
    """
    token = f"?token={quote(access.token, safe='')}" if access.token else ""
    return f"http://{bracketed(host)}:{port}/{token}"


def bracketed(host: str) -> str:
    """The host as an address has it."""
    return f"[{host}]" if ":" in host else host


def _say(desk: Desk, host: str, access: Access) -> None:
    found = desk.snapshot()
    count = len(found.disputed) if desk.adjudicate else len(found.items)
    lines = [f"{count:,} items {'that raters disagree about' if desk.adjudicate else 'to label'}; Ctrl-C stops"]
    if found.without_text:
        lines.append(f"{found.without_text:,} items have no text here and are left out")
    if not is_loopback(host):
        lines.append("whoever has this address can read and label; it travels unencrypted, so use a network you trust")
    if access.token and len(access.token) < SHORTEST_TOKEN:
        lines.append(
            f"the token has {len(access.token)} characters and may be guessed; leave out --token for a long one"
        )
    for line in lines:
        Console(stderr=True, highlight=False, soft_wrap=True).print(line, markup=False)
