"""Line: messages between two processes, one of them hostile. On the standard library alone."""

import json
import os
from collections.abc import Mapping
from typing import Any, NoReturn

LONGEST_MESSAGE = 32 << 20


class PeerGone(BaseException):
    """The other end is gone or talks nonsense. Nothing can be asked any more; no ``except Exception`` hides it."""


class Line:
    """JSON objects over a pair of pipes, each after its length in eight bytes. ``guarded``: the length is limited.

    ``gone`` says why the line is dead, and stays: whoever swallows PeerGone meets it again.
    """

    def __init__(self, read_fd: int, write_fd: int, *, guarded: bool) -> None:
        self._read = os.fdopen(read_fd, "rb")
        self._write = os.fdopen(write_fd, "wb")
        self._guarded = guarded
        self.gone: str | None = None

    def send(self, message: Mapping[str, Any]) -> None:
        """Write ``message``. Raises PeerGone."""
        if self.gone:
            self.leave(self.gone)
        data = json.dumps(message).encode()
        try:
            self._write.write(len(data).to_bytes(8, "big") + data)
            self._write.flush()
        except OSError:
            self.leave("its process ended")

    def receive(self) -> dict[str, Any]:
        """The next message. Raises PeerGone."""
        size = int.from_bytes(self._exactly(8), "big")
        if size > LONGEST_MESSAGE and self._guarded:
            self.leave(f"an answer of more than {LONGEST_MESSAGE >> 20} MB")
        try:
            message = json.loads(self._exactly(size))
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            self.leave("an answer that cannot be read")
        return message

    def leave(self, why: str) -> NoReturn:
        """Remember that and why nothing can be asked any more. Raises PeerGone."""
        self.gone = self.gone or why
        raise PeerGone(self.gone)

    def _exactly(self, size: int) -> bytes:
        data = self._read.read(size)
        if len(data) < size:
            self.leave("its process ended")
        return data
