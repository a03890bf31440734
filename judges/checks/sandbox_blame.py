"""Where tests raised something, and whether that is the fault of the tests. On the standard library alone."""

import ast
import builtins
import re
import traceback
from collections.abc import Iterator
from dataclasses import dataclass

from judges.checks.sandbox_cases import BrokenTestsError
from judges.checks.sandbox_errors import is_theirs
from judges.checks.sandbox_marks import DEFINITIONS

# The name under which tests are compiled.
FILE = "<tests>"


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """The names that tests use; those of them that only the code can give a meaning."""

    used: frozenset[str] = frozenset()
    theirs: frozenset[str] = frozenset()


def names_in(tree: ast.AST) -> Names:
    """The names in tests, but for those of builtins: no name of the code hides one.

    >>> sorted(names_in(ast.parse("from solution import f\\nx = f(len(y))")).theirs)
    ['f', 'solution', 'y']
    """
    nodes = list(ast.walk(tree))
    used = {node.id for node in nodes if isinstance(node, ast.Name)} - set(vars(builtins))
    named = dict(name for node in nodes for name in _given(node))
    own = {name for name, module in named.items() if module != "solution"}
    return Names(used=frozenset(used), theirs=frozenset((used - own) | (set(named) - own) | {"solution"}))


def _given(node: ast.AST) -> Iterator[tuple[str, str]]:
    """The names that a node gives a meaning, with the module from which that is."""
    if isinstance(node, ast.ImportFrom):
        yield from ((alias.asname or alias.name, node.module or "") for alias in node.names)
    elif isinstance(node, ast.Import):
        for alias in node.names:
            module = alias.name.partition(".")[0]
            yield alias.asname or module, module
    elif isinstance(node, (*DEFINITIONS, ast.ExceptHandler)) and node.name:
        yield node.name, ""
    elif isinstance(node, ast.arg):
        yield node.arg, ""
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id, ""


def is_fault_of_tests(error: BaseException, source: str, names: Names, *, consulted: bool) -> bool:
    """Whether ``error`` would have been raised whatever the code is; False where that cannot be told.

    ``consulted``: whether the code has had a say.
    """
    if is_theirs(error) or isinstance(error, AssertionError):
        return False
    if isinstance(error, ImportError):
        return (error.name or "").partition(".")[0] != "solution"
    # A key may be a name that the code was to define.
    told = consulted or isinstance(error, KeyError) or _concerns(error, source, names)
    return isinstance(error, BrokenTestsError) or not told


def _concerns(error: BaseException, source: str, names: Names) -> bool:
    lines = source.splitlines()
    raising = [line for frame in _frames(error) for line in lines[(frame.lineno or 1) - 1 : frame.end_lineno]]
    return not names.theirs.isdisjoint(re.findall(r"\w+", "\n".join(raising)))


def where(error: BaseException, source: str) -> str:
    """The function and line of the tests that raised ``error``."""
    frames = _frames(error)
    if not frames or not frames[-1].lineno:
        return "the tests:"
    lines, number = source.splitlines(), frames[-1].lineno
    name = "" if frames[-1].name == "<module>" else f"{frames[-1].name}, "
    return f"{name}line {number}: {lines[number - 1].strip()[:120] if number <= len(lines) else ''}:"


def what(error: BaseException) -> str:
    """``error`` in words."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - arguments of the code's making
        text = ""
    if isinstance(error, AssertionError):
        return f" false{' ' * bool(text)}{text[:300]}"
    return f" {type(error).__name__}{': ' * bool(text)}{text[:300]}"


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    return [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == FILE]
