"""Statements of tests that check something, and marks that tell whether any was reached. On the standard library."""

import ast
from collections.abc import Iterable, Iterator

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_WITH_BLOCKS = (ast.stmt, ast.ExceptHandler, ast.match_case)
# What the marks call.
MARK = "__checked__"


def marked(tree: ast.Module) -> ast.Module:
    """The same with a call of ``MARK`` before every statement that checks something. Changes ``tree``."""
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        todo += [part for part in ast.iter_child_nodes(node) if isinstance(part, _WITH_BLOCKS)]
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list):
                setattr(node, name, [new for statement in block for new in _with_mark(statement)])
    return tree


def _with_mark(statement: ast.stmt) -> Iterator[ast.stmt]:
    if checks(statement):
        called = ast.copy_location(ast.Name(id=MARK, ctx=ast.Load()), statement)
        call = ast.copy_location(ast.Call(func=called, args=[], keywords=[]), statement)
        yield ast.copy_location(ast.Expr(value=call), statement)
    yield statement


def checks(statement: ast.stmt) -> bool:
    """An assert statement, a call of assert..., a statement that raises in one of its branches.

    >>> [checks(s) for s in ast.parse("assert f()\\nt.assertEqual(f(), 1)\\nif not f(): raise ValueError\\nf()").body]
    [True, True, True, False]
    """
    if isinstance(statement, DEFINITIONS):
        return False
    if isinstance(statement, ast.Assert) or any(isinstance(inner, ast.Raise) for inner in _inside(statement)):
        return True
    calls = (node.func for part in heading(statement) for node in ast.walk(part) if isinstance(node, ast.Call))
    names = (getattr(called, "attr", getattr(called, "id", "")) for called in calls)
    return any(name.startswith("assert") or name in ("fail", "exec") for name in names)


def loaded(block: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a block and of those within it, but not of functions, classes and what only a script runs."""
    for statement in block:
        yield statement
        if not isinstance(statement, DEFINITIONS):
            yield from loaded(_inside(statement))


def heading(statement: ast.stmt) -> Iterator[ast.AST]:
    """What of a statement is evaluated where it stands, without its blocks."""
    for part in ast.iter_child_nodes(statement):
        if isinstance(part, ast.arguments):
            yield from (default for default in (*part.defaults, *part.kw_defaults) if default is not None)
        elif not isinstance(part, _WITH_BLOCKS):
            yield part


def _inside(statement: ast.stmt) -> Iterator[ast.stmt]:
    if isinstance(statement, ast.If) and _asks_for_main(statement.test):
        yield from statement.orelse
        return
    for part in ast.iter_child_nodes(statement):
        if isinstance(part, ast.stmt):
            yield part
        elif isinstance(part, ast.ExceptHandler | ast.match_case):
            yield from part.body


def _asks_for_main(test: ast.expr) -> bool:
    names = {node.id for node in ast.walk(test) if isinstance(node, ast.Name)}
    return names == {"__name__"} and any(isinstance(node, ast.Eq) for node in ast.walk(test))
