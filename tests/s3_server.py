"""An S3 server on loopback for tests: moto, with its conditional PUT made one step.

moto looks whether a key is there and stores it later, so of two uploads with ``If-None-Match: *`` at the same moment
both may be told that they made it. S3 lets one of them win, and what claims a lease relies on that.
``python tests/s3_server.py -H 127.0.0.1 -p PORT`` is the same server in a process of its own.
"""

import threading
from typing import Any

import moto.moto_server.threaded_moto_server as in_a_thread
import moto.server as in_a_process
from moto.moto_server.werkzeug_app import DomainDispatcherApplication

# moto's dispatcher has a lock of its own, which it takes within a request.
_ONE_WRITER = threading.Lock()


class OneWriter(DomainDispatcherApplication):  # type: ignore[misc]
    """Answers one conditional upload at a time."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if "HTTP_IF_NONE_MATCH" not in environ:
            return super().__call__(environ, start_response)
        with _ONE_WRITER:
            return super().__call__(environ, start_response)


in_a_thread.DomainDispatcherApplication = OneWriter
in_a_process.DomainDispatcherApplication = OneWriter
S3Server = in_a_thread.ThreadedMotoServer

if __name__ == "__main__":
    in_a_process.main()
