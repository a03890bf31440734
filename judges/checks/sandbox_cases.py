"""The tests in a loaded file of tests: its functions test... and unittest.TestCase classes. On the standard library."""

import inspect
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from judges.checks.sandbox_errors import is_theirs
from judges.checks.sandbox_remote import is_remote

# Runs a test and says whether it ran: a skipped one did not. What it raises is raised.
Case: TypeAlias = Callable[[], bool]


class BrokenTestsError(Exception):
    """A test that cannot be run as it is written."""


def cases_in(namespace: Mapping[str, Any]) -> Iterator[Case]:
    """Functions called test... that need no arguments, and the tests of TestCase classes, in the order of the file."""
    for name, thing in list(namespace.items()):
        if is_remote(thing) or getattr(thing, "__module__", None) != "tests":
            continue
        if isinstance(thing, types.FunctionType) and name.startswith("test") and _needs_nothing(thing):
            yield _function(thing)
        elif isinstance(thing, type) and "unittest" in sys.modules:
            yield from _methods(thing)


def _needs_nothing(function: types.FunctionType) -> bool:
    try:
        inspect.signature(function, follow_wrapped=False).bind()
    except TypeError:
        return False
    return True


def _function(test: Callable[[], Any]) -> Case:
    def run() -> bool:
        try:
            made = test()
            if inspect.iscoroutine(made):
                import asyncio

                asyncio.run(made)
        except Exception as error:
            if is_theirs(error) or not _is_skip(error):
                raise
            return False
        if inspect.isgenerator(made) or inspect.isasyncgen(made):
            raise BrokenTestsError(f"{test.__name__} yields, so that it does not run")
        return True

    return run


def _is_skip(error: Exception) -> bool:
    return "unittest" in sys.modules and isinstance(error, sys.modules["unittest"].SkipTest)


def _methods(kind: type[Any]) -> Iterator[Case]:
    import unittest

    if issubclass(kind, unittest.TestCase):
        for test in unittest.defaultTestLoader.loadTestsFromTestCase(kind):
            yield lambda test=test: _run_method(test)  # type: ignore[misc]


def _run_method(test: Any) -> bool:
    """One method with its fixtures."""
    import unittest

    class Result(unittest.TestResult):
        raised: BaseException | None = None

        def addError(self, _test: Any, error: Any) -> None:  # noqa: N802
            self.raised = self.raised or error[1]

        def addFailure(self, _test: Any, error: Any) -> None:  # noqa: N802
            self.raised = self.raised or error[1]

        def addSubTest(self, _test: Any, _sub: Any, error: Any) -> None:  # noqa: N802
            self.raised = self.raised or (error and error[1])

    _refuse_what_does_not_run(test)
    result = Result()
    unittest.TestSuite([test]).run(result)
    if result.raised is not None:
        raise result.raised
    if result.unexpectedSuccesses:
        raise AssertionError(f"{test.id()} was expected to fail")
    # Of a test with a skipped part the rest has run.
    return all(isinstance(skipped, unittest.TestCase) and skipped is not test for skipped, _ in result.skipped)


def _refuse_what_does_not_run(test: Any) -> None:
    import unittest

    method = getattr(test, test._testMethodName)
    waits = inspect.iscoroutinefunction(method) and not isinstance(test, unittest.IsolatedAsyncioTestCase)
    if waits or inspect.isgeneratorfunction(method) or inspect.isasyncgenfunction(method):
        needed = "is async in a class that is no IsolatedAsyncioTestCase" if waits else "yields"
        raise BrokenTestsError(f"{test._testMethodName} {needed}, so that it does not run")
