"""Exceptions that cross between two processes, so that ``except`` and ``raises`` work on either side."""

import builtins
import sys
from collections.abc import Callable
from typing import Any

from judges.checks.sandbox_remote import is_remote

# Where a local class keeps the number of the class it stands for, and an exception the one it stands for.
NUMBER, SOURCE = "_number_there", "_raised_there"


def local_class(content: list[Any], child: Callable[[Any], Any]) -> type[BaseException]:
    """A local class for an exception of the other end: a standard one where there is one, else one of the same base."""
    module, name, above, number = content
    found = getattr(sys.modules.get(module), name, None) if module.partition(".")[0] in _libraries() else None
    if isinstance(found, type) and issubclass(found, BaseException):
        return found
    base = child(above)
    if not (isinstance(base, type) and issubclass(base, BaseException)):
        raise ValueError("no exception")
    return type(str(name).rpartition(".")[2], (base,), {NUMBER: number, "__getattr__": _ask_source})


def _libraries() -> frozenset[str]:
    # A skipped test has not passed: what the code raises never counts as unittest.SkipTest.
    return frozenset(sys.stdlib_module_names) - {"unittest", "builtins"}


def _ask_source(error: BaseException, name: str) -> Any:
    source = error.__dict__.get(SOURCE)
    if source is None or name.startswith("__"):
        raise AttributeError(name)
    return getattr(source, name)


def made(kind: Any, args: Any, source: Any) -> BaseException:
    """The exception that the other end raised: of class ``kind``, its attributes to be asked from ``source``."""
    if not (isinstance(kind, type) and issubclass(kind, BaseException)):
        return RuntimeError("the code raised what is no exception")
    standard = vars(builtins).get(kind.__name__) is kind
    try:
        error = kind(*args) if standard else kind.__new__(kind, *args)
    except Exception:  # noqa: BLE001 - a constructor that wants other arguments
        error = kind.__new__(kind)
    error.args = tuple(args)
    error.__dict__[SOURCE] = source if is_remote(source) else None
    return error


def is_theirs(error: BaseException) -> bool:
    """Whether the other end raised ``error``."""
    return SOURCE in error.__dict__
