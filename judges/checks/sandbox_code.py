"""The process with the code: loads it when the tests ask, then answers. On the standard library alone."""

import os
import sys
import types
from typing import Any

from judges.checks.sandbox_line import PeerGone
from judges.checks.sandbox_peer import Peer

# What the code imported from here, tests may use under the same name; they get it from the library, not from the code.
# Nothing in these modules makes objects that equal everything.
SHARED_MODULES = frozenset(
    {
        *("bisect", "cmath", "collections", "copy", "datetime", "decimal", "fractions", "functools", "heapq"),
        *("itertools", "json", "math", "operator", "random", "re", "statistics", "string", "time", "typing"),
    }
)


def serve_code(peer: Peer, source: str, layers: list[str]) -> None:
    """Say that all is locked, then answer until the tests are done."""

    def load(names: list[str]) -> tuple[types.ModuleType, dict[str, list[Any]]]:
        module = sys.modules["solution"] = types.ModuleType("solution")
        exec(compile(source, "<code>", "exec"), module.__dict__)  # noqa: S102 - what this process is for
        return module, {name: _described(vars(module)[name]) for name in names if name in vars(module)}

    peer.own(load)
    peer.greet(layers)
    peer.capture_prints()
    try:
        peer.serve()
    except PeerGone:
        os._exit(0)


def _described(value: Any) -> list[Any]:
    """A global of the code as ``["value", value]``, or where the tests find the same in the standard library."""
    home = value.__name__ if isinstance(value, types.ModuleType) else getattr(value, "__module__", None)
    if not isinstance(home, str) or home.partition(".")[0] not in SHARED_MODULES:
        return ["value", value]
    if isinstance(value, types.ModuleType):
        return ["shared", home]
    name = getattr(value, "__name__", None)
    found = isinstance(name, str) and getattr(sys.modules.get(home), name, None) is value
    return ["shared", home, name] if found else ["value", value]
