"""Whether a file of tests tests anything, as far as its text can tell. On the standard library alone."""

import ast
import builtins
import sys
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from judges.checks.sandbox_marks import DEFINITIONS, checks, heading, loaded

_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
_Definition: TypeAlias = _Function | ast.ClassDef
_ADVICE = "write assert statements or functions test..."


def mistake(source: str) -> str | None:
    """Why tests cannot do their work, and what to do; None where nothing is seen to be wrong.

    >>> mistake("def check(f):\\n    assert f(2) == 4")
    'found no call of check(f) and no other tests; add a line that calls it, such as check(name_of_the_function)'
    >>> mistake("def check(f):\\n    assert f(2) == 4\\ncheck(double)")
    """
    try:
        return next(_mistakes(_Tests(ast.parse(source))), None)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"found tests that are not Python ({error}); {_ADVICE}"


class _Tests:
    """A file of tests: what runs when it is loaded, its functions and classes, and which of them anything uses."""

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.statements = list(loaded(tree.body))
        self.definitions = [s for s in self.statements if isinstance(s, DEFINITIONS)]
        self.functions = [d for d in self.definitions if not isinstance(d, ast.ClassDef)]
        self.classes = [d for d in self.definitions if isinstance(d, ast.ClassDef)]
        # A decorator may give arguments.
        self.tests = [f for f in self.functions if _is_test(f.name) and (f.decorator_list or not _needed(f))]
        self.cases = [c for c in self.classes if self._may_be_a_case(c, set())]
        self.loaded = self.named([part for s in self.statements for part in heading(s)])
        self.used = self.loaded | self.named([*self.tests, *self.cases]) | {*self.tests, *self.cases}

    def named(self, parts: Iterable[ast.AST]) -> set[_Definition]:
        """The functions and classes that ``parts`` name, and those that these name."""
        todo, found = list(parts), set[_Definition]()
        while todo:
            names = set(_names(todo.pop()))
            new = [d for d in self.definitions if d.name in names and d not in found]
            found.update(new)
            todo.extend(new)
        return found

    def has_tests(self, case: ast.ClassDef) -> bool:
        """Whether a class or one above it has tests, or may get them in another way than by ``def``."""
        inside = [node for d in self.named([case]) | {case} for node in ast.walk(d)]
        names = {node.name for node in inside if isinstance(node, DEFINITIONS[:2])}
        names |= {node.id for node in inside if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        return "runTest" in names or any(map(_is_test, names)) or "setattr" in _names(self.tree)

    def _may_be_a_case(self, kind: ast.ClassDef, below: set[str]) -> bool:
        """Whether a class derives from one that is neither here nor built in, or may do so by its decorator."""
        here, below = {c.name: c for c in self.classes}, below | {kind.name}
        bases = [base.id if isinstance(base, ast.Name) else "" for base in kind.bases]
        above = [here[name] for name in bases if name in here and name not in below]
        elsewhere = any(name not in here and name not in vars(builtins) for name in bases)
        return elsewhere or bool(kind.decorator_list) or any(self._may_be_a_case(base, below) for base in above)


def _is_test(name: str) -> bool:
    return name.startswith("test")


def _names(part: ast.AST) -> Iterator[str]:
    return (node.id for node in ast.walk(part) if isinstance(node, ast.Name))


def _needed(function: _Function) -> list[str]:
    """The parameters without a default."""
    given = function.args
    places = [a.arg for a in (*given.posonlyargs, *given.args)]
    keywords = [a.arg for a, default in zip(given.kwonlyargs, given.kw_defaults, strict=True) if default is None]
    return [*places[: len(places) - len(given.defaults)], *keywords]


def _mistakes(tests: _Tests) -> Iterator[str]:
    for name in _not_there(tests.tree):
        yield f"imports {name!r}; only the standard library and solution can be imported"
    yield from _not_run(tests)
    for f in tests.tests:
        if _returns(f) and not any(map(_checks_within, tests.named([f]) | {f})):
            yield f"{_signature(f)} returns something and asserts nothing; write assert in place of return"
    if not (tests.tests or any(map(tests.has_tests, tests.cases)) or any(map(checks, tests.statements))):
        yield from _none(tests)


def _not_run(tests: _Tests) -> Iterator[str]:
    """What looks like a test and is none."""
    for f in tests.functions:
        if f not in tests.used and _is_test(f.name):
            yield f"{_signature(f)} needs arguments and is not called; let it need none, or add a line that calls it"
    for kind in tests.classes:
        if kind not in tests.used and kind.name.startswith("Test") and tests.has_tests(kind):
            yield f"class {kind.name} is no unittest.TestCase, so its tests do not run; derive it from that"


def _not_there(tree: ast.Module) -> Iterator[str]:
    """What the file imports in any case, and cannot."""
    for statement in tree.body:
        names = [alias.name for alias in statement.names] if isinstance(statement, ast.Import) else []
        if isinstance(statement, ast.ImportFrom) and not statement.level:
            names = [statement.module or ""]
        yield from (name for name in names if name.partition(".")[0] not in {*sys.stdlib_module_names, "solution"})


def _none(tests: _Tests) -> Iterator[str]:
    """Why a file has no tests, where no function that it calls checks anything."""
    if any(map(_checks_within, tests.loaded)):
        return
    for kind in tests.cases:
        yield f"class {kind.name} has no tests; begin the names of its methods with test"
    for f in filter(_checks_within, tests.functions):
        call = f"{f.name}({', '.join('name_of_the_function' for _ in _needed(f)[:1])})"
        script = " (what only a script does is not done)" * ("__name__" in _names(tests.tree))
        yield f"found no call of {_signature(f)} and no other tests{script}; add a line that calls it, such as {call}"
    yield f"found no tests; {_ADVICE}"


def _checks_within(definition: _Definition) -> bool:
    return any(isinstance(node, ast.stmt) and checks(node) for node in ast.walk(definition))


def _returns(function: _Function) -> bool:
    return any(isinstance(s, ast.Return) and s.value is not None for s in loaded(function.body))


def _signature(function: _Function) -> str:
    return f"{function.name}({', '.join(_needed(function))})"
