"""Runs code that nobody vouches for against unit tests, in two processes of their own, and says how it went."""

import io
import json
import os
import secrets
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from math import ceil
from pathlib import Path
from typing import IO, Any

_CHILD = Path(__file__).resolve().with_name("sandbox_child.py")
_START_S, _LONGEST_REPORT = 60.0, 65_536
_KERNEL = {"files", "calls"}
# The process of the tests holds what the code returns, besides its own.
_MORE_MEMORY_MB = 256


class Result(StrEnum):
    """How a run ended. ``broken``: the tests or the machine are at fault, not the code."""

    PASSED = "pass"
    FAILED = "fail"
    OUT_OF_TIME = "out of time"
    BROKEN = "broken"


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """How it ended, why, and how many tests passed."""

    result: Result
    reason: str = ""
    tests: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """``timeout_s`` is wall clock from the moment all is ready; a MB is 2**20 bytes; ``threads`` binds on Linux only.

    ``kernel``: nothing is run on a machine whose kernel has no filters for files and system calls.
    """

    timeout_s: float = 10.0
    memory_mb: int = 512
    file_mb: int = 1
    threads: int = 32
    kernel: bool = False


def run_code_tests(code: str, tests: str, limits: Limits) -> Verdict:
    """Load ``code`` in one process and run ``tests`` in another, which has references to the objects of the first.

    The verdict is formed where no line of the code ever runs. It comes through a pipe that the process of the code does
    not have, with a number drawn for this run. Each process leads a session of its own in an empty folder that is
    deleted, and is killed with its group in the end.
    """
    nonce = secrets.token_hex(16)
    with ExitStack() as stack:
        questions, answers, reports = (_pipe(stack) for _ in range(3))
        allowed = _allowed(limits)
        part: dict[str, Any] = {"part": "code", "source": code, "limits": allowed}
        _start(stack, part, read=questions[0], write=answers[1])
        allowed = allowed | {"memory_mb": limits.memory_mb + _MORE_MEMORY_MB}
        part = {"part": "tests", "source": tests, "limits": allowed, "nonce": nonce}
        process, said = _start(stack, part, read=answers[0], write=questions[1], report=reports[1])
        for end in (*questions, *answers, reports[1]):
            end.close()
        watch = stack.enter_context(selectors.DefaultSelector())
        found = _Reports(reports[0], nonce, watch)
        return _verdict(found, limits) or _broken(process, said)


def _allowed(limits: Limits) -> dict[str, int]:
    seconds = ceil(limits.timeout_s) + 2
    return {"cpu_s": seconds, "memory_mb": limits.memory_mb, "file_mb": limits.file_mb, "threads": limits.threads}


class _Reports:
    """Lines of the process with the tests, each with the nonce."""

    def __init__(self, source: IO[bytes], nonce: str, watch: selectors.BaseSelector) -> None:
        self._watch = watch
        self._source, self._nonce, self._rest = source, nonce, b""
        self._watch.register(source, selectors.EVENT_READ)

    def next(self, deadline: float) -> Mapping[str, Any] | None:
        """The next line; None where it ended without one. Raises TimeoutError at ``deadline`` (monotonic seconds)."""
        while b"\n" not in self._rest:
            if not self._watch.select(max(0.0, deadline - time.monotonic())):
                raise TimeoutError
            more = os.read(self._source.fileno(), 4096)
            self._rest += more
            if not more or len(self._rest) > _LONGEST_REPORT:
                return None
        line, _, self._rest = self._rest.partition(b"\n")
        with suppress(ValueError, AttributeError):
            found = json.loads(line)
            return found if found.get("nonce") == self._nonce else None
        return None


def _verdict(reports: _Reports, limits: Limits) -> Verdict | None:
    """What was reported in time; None where the process with the tests ended without a verdict."""
    try:
        ready = reports.next(time.monotonic() + _START_S)
    except TimeoutError:
        return Verdict(result=Result.BROKEN, reason=f"the processes did not begin within {_START_S:g} s")
    if ready is None or "ready" not in ready:
        return None if ready is None else Verdict(result=Result.BROKEN, reason=ready["reason"])
    if limits.kernel and not all(set(layers) >= _KERNEL for layers in ready["ready"]):
        return Verdict(result=Result.BROKEN, reason="this kernel cannot confine the code, as the options want it to")
    try:
        found = reports.next(time.monotonic() + limits.timeout_s)
    except TimeoutError:
        return Verdict(result=Result.OUT_OF_TIME, reason=f"not done after {limits.timeout_s:g} s")
    if found is None:
        return None
    return Verdict(result=Result(found["verdict"]), reason=found["reason"], tests=found["tests"])


def _broken(process: "subprocess.Popen[bytes]", said: IO[bytes]) -> Verdict:
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=5)
    said.seek(0)
    last = said.read()[-400:].decode(errors="replace").strip().rpartition("\n")[2]
    return Verdict(result=Result.BROKEN, reason=f"the tests ended without a verdict (exit {process.returncode}) {last}")


def _pipe(stack: ExitStack) -> tuple[IO[bytes], IO[bytes]]:
    read, write = os.pipe()
    return stack.enter_context(io.FileIO(read, "r")), stack.enter_context(io.FileIO(write, "w"))


def _start(stack: ExitStack, part: Mapping[str, Any], **ends: IO[bytes]) -> tuple["subprocess.Popen[bytes]", IO[bytes]]:
    """The process, and the file of what it writes to standard error."""
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="code-", ignore_cleanup_errors=True))
    told, said = (stack.enter_context(tempfile.TemporaryFile()) for _ in range(2))  # noqa: SIM115 - the stack closes them
    numbers = {name: end.fileno() for name, end in ends.items()}
    told.write(json.dumps({**part, **numbers}).encode())
    told.seek(0)
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and file
        [*_own_namespaces(), sys.executable, "-I", "-S", "-B", str(_CHILD)],
        stdin=told,
        stdout=subprocess.DEVNULL,
        stderr=said if part["part"] == "tests" else subprocess.DEVNULL,
        cwd=folder,
        env={"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": folder, "TMPDIR": folder},
        pass_fds=tuple(numbers.values()),
        start_new_session=True,
    )
    stack.enter_context(_killed_in_the_end(process))
    return process, said


@contextmanager
def _killed_in_the_end(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    try:
        yield
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@cache
def _own_namespaces() -> Sequence[str]:
    """The command that gives a process a network and users of its own, where Linux permits it to us; else nothing."""
    unshare = shutil.which("unshare") if sys.platform.startswith("linux") else None
    if unshare is None:
        return ()
    command = (unshare, "--user", "--net", "--ipc")
    tried = subprocess.run([*command, "true"], capture_output=True, timeout=30, check=False)  # noqa: S603
    return command if tried.returncode == 0 else ()
