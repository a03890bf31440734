"""Runs tests against objects of the other process and says how it went. On the standard library alone."""

import ast
import importlib
import io
import json
import os
import sys
import types
from collections.abc import Mapping
from functools import partial
from typing import Any, NoReturn

from judges.checks.sandbox_blame import FILE, Names, is_fault_of_tests, names_in, what, where
from judges.checks.sandbox_cases import cases_in
from judges.checks.sandbox_code import SHARED_MODULES
from judges.checks.sandbox_errors import is_theirs
from judges.checks.sandbox_line import PeerGone
from judges.checks.sandbox_marks import MARK, marked
from judges.checks.sandbox_peer import Peer
from judges.checks.sandbox_remote import Remote, is_blank, is_remote


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
    passed, loading, checked, names = 0, False, set[bool](), Names()
    try:
        tests, tree = _module("tests"), ast.parse(source)
        names = names_in(tree)
        code = compile(marked(tree), FILE, "exec")
        loading = True
        _bring(peer, tests.__dict__, names)
        loading = False
        tests.__dict__[MARK] = partial(checked.add, True)
        exec(code, tests.__dict__)  # noqa: S102 - what this process is for
        outside = len(checked)
        for test in cases_in(tests.__dict__):
            passed += test()
        if peer.swallowed is not None:
            raise peer.swallowed
    except PeerGone:
        return _gone(peer, passed)
    except BaseException as error:  # noqa: BLE001 - also what the code raised
        at = "the code does not load:" if loading else where(error, source)
        broken = not loading and is_fault_of_tests(error, source, names, consulted=peer.consulted)
        return _raised(peer, error, passed, f"{at}{what(error)}", broken=broken)
    if peer.gone:
        return _gone(peer, passed)
    return _done(peer, passed or outside, tested=bool(checked) or peer.consulted)


def _done(peer: Peer, passed: int, *, tested: bool) -> dict[str, Any]:
    """Nothing was raised. Code that keeps all tests from running has not passed them."""
    if passed and tested:
        return {"verdict": "pass", "reason": "", "tests": passed}
    reason = "no test ran that asserts anything or uses the code (skipped tests do not count)"
    return {"verdict": "fail" if peer.consulted else "broken", "reason": reason, "tests": 0}


def _module(name: str) -> types.ModuleType:
    module = sys.modules[name] = types.ModuleType(name)
    return module


def _bring(peer: Peer, namespace: dict[str, Any], names: Names) -> None:
    """Load the code and bring the names that the tests use and do not have."""
    module, found = Remote(peer, 0)(sorted(names.used))
    if not is_remote(module) or not isinstance(found, dict):
        peer.leave("an answer that cannot be read")
    _module("solution").__dict__["__getattr__"] = partial(_public, module)
    for name in names.used & set(found):
        how, *content = found[name]
        namespace[name] = content[0] if how == "value" else _shared(*content)
    # What is no bare reference has told something already.
    peer.consulted = not all(is_blank(namespace[name]) for name in names.theirs & names.used & set(found))


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


def _gone(peer: Peer, passed: int) -> dict[str, Any]:
    return {"verdict": "fail", "reason": f"the code is gone: {peer.gone}", "tests": passed}


def _raised(peer: Peer, error: BaseException, passed: int, reason: str, *, broken: bool) -> dict[str, Any]:
    if peer.gone:
        return _gone(peer, passed)
    if isinstance(error, SystemExit | KeyboardInterrupt) and not is_theirs(error):
        reason, broken = f"the tests end themselves ({type(error).__name__})", True
    return {"verdict": "broken" if broken else "fail", "reason": reason, "tests": passed}
