"""What forms send: small, URL-encoded, read with the standard library."""

from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, HTTPException, Request

MOST_BYTES = 100_000
MOST_FIELDS = 20


async def _fields(request: Request) -> dict[str, str]:
    """The last value of each field. Answers 413, 415 or 400 where this is no form of ours."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise HTTPException(413, f"the form has more than {MOST_BYTES:,} bytes; shorten the note")
    if body and not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise HTTPException(415, "found another content type; a form is sent as application/x-www-form-urlencoded")
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError as error:
        raise HTTPException(400, f"the form cannot be read: {error}") from error


Fields = Annotated[dict[str, str], Depends(_fields)]


def whole_number(text: str | None) -> int | None:
    """The number in a hidden field, None where it has none.

    >>> whole_number("3"), whole_number("x"), whole_number(None)
    (3, None, None)
    """
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else None
