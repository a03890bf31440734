"""Runs tests against objects of the other process and says how it went. On the standard library alone."""

import ast
import builtins
import importlib
import inspect
import io
import json
import os
import sys
import traceback
import types
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NoReturn

from judges.checks.sandbox_code import SHARED_MODULES
from judges.checks.sandbox_errors import is_theirs
from judges.checks.sandbox_line import PeerGone
from judges.checks.sandbox_peer import Peer
from judges.checks.sandbox_remote import Remote, is_remote

_FILE = "<tests>"


def report_on_tests(peer: Peer, source: str, line: int, nonce: str, layers: list[str]) -> NoReturn:
    """Wait for the process with the code, say that both are ready, run the tests, say how it went. Ends the process."""
    sys.stdout = io.StringIO()
    try:
        there = peer.greeted()
    except PeerGone:
        _report(line, {"nonce": nonce, "verdict": "broken", "reason": "the process of the code did not begin"})
        os._exit(0)
    _report(line, {"nonce": nonce, "ready": [layers, there]})
    try:
        found = run_tests(peer, source)
    except BaseException as error:  # noqa: BLE001 - what the code returned has used up all memory
        found = {
            "verdict": "fail",
            "reason": f"what the code gave cannot be handled: {type(error).__name__}",
            "tests": 0,
        }
    _report(line, {"nonce": nonce, **found})
    os._exit(0)


def _report(line: int, content: Mapping[str, Any]) -> None:
    os.write(line, json.dumps(content).encode() + b"\n")


def run_tests(peer: Peer, source: str) -> dict[str, Any]:
    """``verdict`` (pass, fail, broken), ``reason`` and ``tests`` (how many passed)."""
    passed, what = 0, ""
    try:
        tests = _module("tests")
        code = compile(source, _FILE, "exec")
        what = "the code does not load:"
        _bring(peer, tests.__dict__, ast.parse(source))
        what = ""
        exec(code, tests.__dict__)  # noqa: S102 - what this process is for
        for test in _found(tests.__dict__):
            test()
            passed += 1
        if peer.swallowed is not None:
            raise peer.swallowed
    except PeerGone:
        return _gone(peer, passed)
    except BaseException as error:  # noqa: BLE001 - also what the code raised
        return _raised(peer, error, source, passed, what)
    return _gone(peer, passed) if peer.gone else {"verdict": "pass", "reason": "", "tests": max(passed, 1)}


def _module(name: str) -> types.ModuleType:
    module = sys.modules[name] = types.ModuleType(name)
    return module


def _bring(peer: Peer, namespace: dict[str, Any], tree: ast.AST) -> None:
    """Load the code and bring the names that the tests use and do not have: none of them hides a builtin."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - set(vars(builtins))
    module, found = Remote(peer, 0)(sorted(names))
    if not is_remote(module) or not isinstance(found, dict):
        peer.leave("an answer that cannot be read")
    _module("solution").__dict__["__getattr__"] = partial(_public, module)
    for name in names & set(found):
        how, *what = found[name]
        namespace[name] = what[0] if how == "value" else _shared(*what)


def _public(module: Remote, name: str) -> Any:
    # An __all__ of the code's own would let ``import *`` hide builtins.
    if name.startswith("__"):
        raise AttributeError(name)
    return getattr(module, name)


def _shared(module: str, name: str | None = None) -> Any:
    if module.partition(".")[0] not in SHARED_MODULES:
        raise ImportError(f"tests do not import {module!r} for the code")
    found = importlib.import_module(module)
    if name is None:
        return found
    thing = None if name.startswith("_") else getattr(found, name)
    if not callable(thing):
        raise ImportError(f"tests do not import {name!r} for the code")
    return thing


def _found(namespace: Mapping[str, Any]) -> Iterator[Callable[[], None]]:
    """Functions called test..., and the tests of unittest.TestCase classes, in the order of the file."""
    for name, thing in list(namespace.items()):
        if is_remote(thing) or getattr(thing, "__module__", None) != "tests":
            continue
        if (
            isinstance(thing, types.FunctionType)
            and name.startswith("test")
            and not inspect.signature(thing).parameters
        ):
            yield _function(thing)
        elif isinstance(thing, type) and "unittest" in sys.modules:
            yield from _methods(thing)


def _function(test: Callable[[], Any]) -> Callable[[], None]:
    def run() -> None:
        made = test()
        if inspect.iscoroutine(made):
            import asyncio

            asyncio.run(made)

    return run


def _methods(kind: type[Any]) -> Iterator[Callable[[], None]]:
    import unittest

    if issubclass(kind, unittest.TestCase):
        for test in unittest.defaultTestLoader.loadTestsFromTestCase(kind):
            yield lambda test=test: _run_method(test)  # type: ignore[misc]


def _run_method(test: Any) -> None:
    """One method with its fixtures. What it raises is raised."""
    import unittest

    class Result(unittest.TestResult):
        raised: BaseException | None = None

        def addError(self, _test: Any, error: Any) -> None:  # noqa: N802
            self.raised = self.raised or error[1]

        def addFailure(self, _test: Any, error: Any) -> None:  # noqa: N802
            self.raised = self.raised or error[1]

        def addSubTest(self, _test: Any, _sub: Any, error: Any) -> None:  # noqa: N802
            self.raised = self.raised or (error and error[1])

    result = Result()
    unittest.TestSuite([test]).run(result)
    if result.raised is not None:
        raise result.raised
    if result.unexpectedSuccesses:
        raise AssertionError(f"{test.id()} was expected to fail")


def _gone(peer: Peer, passed: int) -> dict[str, Any]:
    return {"verdict": "fail", "reason": f"the code is gone: {peer.gone}", "tests": passed}


def _raised(peer: Peer, error: BaseException, source: str, passed: int, what: str) -> dict[str, Any]:
    if peer.gone:
        return _gone(peer, passed)
    if isinstance(error, SystemExit | KeyboardInterrupt) and not is_theirs(error):
        return {"verdict": "broken", "reason": f"the tests end themselves ({type(error).__name__})", "tests": passed}
    return {"verdict": "fail", "reason": f"{what or _where(error, source)}{_what(error)}", "tests": passed}


def _where(error: BaseException, source: str) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == _FILE]
    if not frames or not frames[-1].lineno:
        return "the tests:"
    lines, number = source.splitlines(), frames[-1].lineno
    name = "" if frames[-1].name == "<module>" else f"{frames[-1].name}, "
    return f"{name}line {number}: {lines[number - 1].strip()[:120] if number <= len(lines) else ''}:"


def _what(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - arguments of the code's making
        text = ""
    if isinstance(error, AssertionError):
        return f" false{' ' * bool(text)}{text[:300]}"
    return f" {type(error).__name__}{': ' * bool(text)}{text[:300]}"
