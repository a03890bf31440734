"""code_tests: the code in the output passes unit tests, run in processes that it cannot leave."""

import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

from judgefleet.errors import ConfigError
from judgefleet.sample import Sample
from judgefleet.score import Outcome, Status, failure
from judges.checks.base import Check, check_info, failed, passed
from judges.checks.code_blocks import fenced_blocks
from judges.checks.sandbox import Limits, Result, Verdict, run_code_tests
from judges.checks.sandbox_tests import mistake

_PYTHON = ("python", "py", "python3")


class CodeTests(Check):
    """Passes when the Python code in the output passes every unit test. With several answers a task: pass@k.

    The code is the first or last fenced block (one that says Python, where any does), also in a list or quote, or the
    output as a whole where it has no fence or ``block`` is ``whole``.

    Tests are Python: ``assert`` statements, functions ``test...`` that need no arguments, or methods ``test...`` of
    ``unittest.TestCase`` classes. A helper that asserts counts where the tests call it: ``check(add)`` after
    ``def check(candidate): ...``. They use the code's global names as their own, or ``from solution import name``.

    Code that does not load, raises, or takes longer than ``timeout_s`` fails: that is the answer's fault, and so it is
    where code keeps every test from running. Tests that are seen to test nothing, or to import more than the standard
    library, are a mistake in the options, or an ``engine_error`` where they come with the trace. An ``engine_error``
    are also tests that end themselves, cannot import something, raise before they have used the code, or of which none
    runs (a skipped one does not), and a machine that cannot run them. Whatever else they raise fails, for it cannot be
    told whose fault it is: a ``TypeError`` where they use what the code returned, a name or key that they do not find.

    **How it is run.** The code and its tests run in two processes. The tests hold references to the code's objects;
    plain data (numbers, text, lists, dates, ...) crosses by value, and is changed in place where a call changes it. The
    verdict is formed where the code never runs, so nothing that the code does to its own process can change it. Not
    possible across processes: a test class that inherits from a class of the code, ``mock.patch`` of its globals,
    ``type(x) is C`` (``isinstance`` is). Only the standard library can be imported. What the code prints, tests can
    capture.

    **What objects of the code's own classes may say.** One does not equal plain data, whatever it says (an ``int``
    subclass does by its value), and does not say how far it is from a number: ``-``, ``/``, ``//`` and ``^`` with a
    plain number go by the value of an ``int`` or ``float`` subclass. Of any other object, a number that comes of these,
    or of ``abs``, ``round``, ``float``, ``int`` and arithmetic with the result, must agree with ``float`` or ``int`` of
    the object; the test fails where it has neither. Everything else is what the object says: ``+``, ``*``, ``in``,
    ``len``, truth, text. Two objects of the code are compared by the code, so a test should also say what differs.

    **What is guaranteed.** Everywhere: interpreter in isolated mode, environment without the caller's variables, empty
    folder that is deleted, session killed as a group, at most 32 MB a returned value; limits of CPU time, file size and
    open files, and an audit hook (PEP 578) that refuses sockets, processes, signals and files elsewhere to code written
    in Python, though not to an exploit of the interpreter. Linux also: limit of memory; no
    new processes, sockets, signals or tracing (seccomp, x86_64 and aarch64), no reading outside the standard library
    and no writing outside the folder (Landlock, from 5.13), both enforced by the kernel; a network namespace and a
    limit of threads where users may make namespaces. macOS: no limit of memory or threads, and the audit hook alone
    stands between the code and network, processes and files. ``require_kernel: true`` refuses to run where the kernel
    enforces neither.

    >>> from judgefleet.sample import Sample
    >>> from judgefleet.trace import Trace
    >>> check = CodeTests("code", CodeTests.Options(tests="assert add(2, 3) == 5"))
    >>> for output in ("def add(a, b): return a + b", "```python\\ndef add(a, b):\\n    return a - b\\n```"):
    ...     trace = Trace(trace_id="t", output=output)
    ...     sample = Sample(trace=trace, stratum="all", inclusion_probability=1.0, plan_hash="p")
    ...     print(check.score([sample])[0]["tests"].reason)
    1 test passed
    line 1: assert add(2, 3) == 5: false
    """

    EXAMPLE = "tests: 'assert add(2, 3) == 5'"

    class Options(BaseModel, extra="forbid", frozen=True):
        """One of ``tests`` (Python), ``tests_file`` (its path) and ``tests_attribute`` (the trace attribute with it).

        ``timeout_s`` is wall clock for loading and all tests; a MB is 2**20 bytes. ``memory_mb`` and ``file_mb`` are
        what the code may use of memory and write to files. ``threads`` is the most it may start.
        """

        tests: str | None = None
        tests_file: Path | None = None
        tests_attribute: str | None = Field(default=None, min_length=1)
        block: Literal["first", "last", "whole"] = "first"
        timeout_s: float = Field(default=10.0, gt=0, le=600)
        memory_mb: int = Field(default=512, ge=128, le=65_536)
        file_mb: int = Field(default=1, ge=0, le=1024)
        threads: int = Field(default=32, ge=1, le=1024)
        require_kernel: bool = False

        @model_validator(mode="after")
        def _has_one_source(self) -> Self:
            given = [self.tests, self.tests_file, self.tests_attribute]
            if sum(source is not None for source in given) != 1:
                raise ValueError("give one of tests, tests_file and tests_attribute")
            return self

    def __init__(self, name: str, options: Options) -> None:
        self.options = options
        self._tests = _read(options)
        wrong = None if self._tests is None else mistake(self._tests)
        if wrong is not None:
            raise ConfigError(f"tests: {wrong}")
        digest = None if self._tests is None else hashlib.sha256(self._tests.encode()).hexdigest()
        python = f"{sys.implementation.name} {sys.version_info.major}.{sys.version_info.minor}"
        config = options.model_dump(mode="json", exclude={"tests", "tests_file"})
        config |= {"tests_sha256": digest, "python": python}
        self.info = check_info(name, use="code_tests", axis="tests", config=config)

    def check(self, sample: Sample) -> Outcome:
        """Find the code and the tests, and run them."""
        tests, missing = self._tests, None
        if tests is None:
            tests, missing = _from_trace(sample.trace.attributes, self.options.tests_attribute or "")
        code = _code(sample.trace.output or "", self.options.block)
        if missing is not None:
            return missing
        if not code.strip():
            return failed("found no code")
        return _outcome(run_code_tests(code, tests, self._limits()))

    def _limits(self) -> Limits:
        given = self.options
        return Limits(
            timeout_s=given.timeout_s,
            memory_mb=given.memory_mb,
            file_mb=given.file_mb,
            threads=given.threads,
            kernel=given.require_kernel,
        )


def _read(options: CodeTests.Options) -> str | None:
    if options.tests_file is None:
        return options.tests
    try:
        return options.tests_file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"tests_file: {str(options.tests_file)!r} cannot be read ({error}); give a file of Python"
        ) from error


def _from_trace(attributes: Mapping[str, str], name: str) -> tuple[str, Outcome | None]:
    tests = attributes.get(name)
    if tests is None or not tests.strip():
        return "", failure(Status.NOT_APPLICABLE, f"the trace has no attribute {name!r} with tests")
    wrong = mistake(tests)
    return tests, None if wrong is None else failure(Status.ENGINE_ERROR, f"attribute {name!r}: {wrong}"[:300])


def _code(output: str, block: str) -> str:
    blocks = [] if block == "whole" else fenced_blocks(output)
    chosen = [b for b in blocks if b.language in _PYTHON] or [b for b in blocks if not b.language] or blocks
    if not chosen:
        return output
    return chosen[0 if block == "first" else -1].code


def _outcome(verdict: Verdict) -> Outcome:
    if verdict.result is Result.PASSED:
        return passed(f"{verdict.tests} test{'s' * (verdict.tests != 1)} passed")
    if verdict.result is Result.BROKEN:
        return failure(Status.ENGINE_ERROR, failed(verdict.reason).reason or "")
    return failed(f"{'out of time: ' * (verdict.result is Result.OUT_OF_TIME)}{verdict.reason}")
