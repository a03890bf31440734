"""Takes away from the running process what code under test does not need. On the standard library alone.

Three layers: resource limits (POSIX), the kernel's filters (Linux, see ``sandbox_kernel``), and an audit hook (PEP 578)
that refuses the same from within Python. The hook is what there is on macOS; it stops what is written in Python, not
an exploit of the interpreter.
"""

import os
import resource
import sys
import sysconfig
from collections.abc import Mapping
from typing import Any, NoReturn

_DENIED = (
    *("socket.connect", "socket.bind", "socket.send", "socket.get", "socket.sethostname"),
    *("os.fork", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "os.kill", "pty.spawn", "subprocess."),
    *("ctypes.", "resource.", "signal.pthread_kill", "syslog.", "cpython.PyInterpreterState_New"),
)
_DENIED_MODULES = frozenset(
    {
        *("ctypes", "_ctypes", "_posixsubprocess", "_interpreters", "_xxsubinterpreters", "_testcapi"),
        *("_testinternalcapi", "_dbm", "_gdbm", "readline", "_tkinter"),
    }
)
_READS = ("os.listdir", "os.scandir")
_WRITES = (
    *("os.chmod", "os.chown", "os.chflags", "os.link", "os.mkdir", "os.remove", "os.removexattr", "os.rename"),
    *("os.rmdir", "os.setxattr", "os.symlink", "os.truncate", "os.utime", "sqlite3.connect"),
)
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache")
_HARMLESS = ("/usr/share/zoneinfo", "/etc/localtime", "/dev/urandom")
_MOST_FILES, _AF_UNIX = 200, 1
_WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def lock_down(workdir: str, limits: Mapping[str, int]) -> list[str]:
    """Apply every layer that this machine has; their names. ``limits``: cpu_s, memory_mb, file_mb, threads.

    Raises OSError when a resource limit cannot be set.
    """
    from judges.checks import sandbox_kernel

    workdir = os.path.realpath(workdir)
    paths = sysconfig.get_paths()
    readable = [os.path.realpath(paths[name]) for name in ("stdlib", "platstdlib")] + [*_HARMLESS]
    _limit(limits)
    layers = ["limits"]
    if sandbox_kernel.confine_files(workdir, [*readable, *_LIBRARIES]):
        layers.append("files")
    if sandbox_kernel.forbid_system_calls():
        layers.append("calls")
    _forget_modules()
    sys.addaudithook(_Guard(workdir, readable))
    return [*layers, "hook"]


def _limit(limits: Mapping[str, int]) -> None:
    mega = 1 << 20
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, limits["cpu_s"]),
        (resource.RLIMIT_FSIZE, limits["file_mb"] * mega),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_AS, limits["memory_mb"] * mega),
    ):
        # macOS knows RLIMIT_AS and refuses most values of it.
        if what != resource.RLIMIT_AS or sys.platform != "darwin":
            resource.setrlimit(what, (most, most))
    _limit_threads(limits["threads"])


def _limit_threads(most: int) -> None:
    """RLIMIT_NPROC counts all processes of a user, so it binds only in a user namespace of our own, where we start."""
    before = resource.getrlimit(resource.RLIMIT_NPROC)
    hard = most if before[1] == resource.RLIM_INFINITY else min(most, before[1])
    resource.setrlimit(resource.RLIMIT_NPROC, (hard, before[1]))
    if _can_start_a_thread():
        resource.setrlimit(resource.RLIMIT_NPROC, (hard, hard))
    else:
        resource.setrlimit(resource.RLIMIT_NPROC, before)


def _can_start_a_thread() -> bool:
    import threading

    try:
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()
    except RuntimeError:
        return False
    return True


def _forget_modules() -> None:
    """What may not be imported is not lying around either, but for one that asyncio needs: it is made harmless."""
    import _posixsubprocess

    _posixsubprocess.fork_exec = _refuse
    kept = ("_posixsubprocess",)
    for name in [n for n in sys.modules if n.partition(".")[0] in _DENIED_MODULES and n not in kept]:
        del sys.modules[name]


def _refuse(*_args: object) -> NoReturn:
    raise PermissionError("subprocesses are not allowed to code under test")


class _Guard:
    """The audit hook (PEP 578): raises PermissionError for what code under test may not do."""

    def __init__(self, workdir: str, readable: list[str]) -> None:
        self._writable = [workdir, os.devnull]
        self._readable = [*self._writable, *readable]
        self._left = _MOST_FILES

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if not self._allows(event, args):
            raise PermissionError(f"{event} is not allowed to code under test")

    def _allows(self, event: str, args: tuple[Any, ...]) -> bool:
        if event == "open":
            return self._allows_open(args[0], args[2])
        if event in _READS:
            return self._is_in(args[0], self._readable)
        if event in _WRITES:
            paths = [path for path in args[:2] if isinstance(path, str | bytes | os.PathLike)]
            return args[0] == ":memory:" or all(self._is_in(path, self._writable) for path in paths)
        if event == "socket.__new__":
            # asyncio wakes itself up through a pair of these.
            return bool(args[1] == _AF_UNIX)
        return args[0] not in _DENIED_MODULES if event == "import" else not event.startswith(_DENIED)

    def _allows_open(self, path: Any, flags: Any) -> bool:
        if not flags & _WRITE_FLAGS:
            return self._is_in(path, self._readable)
        self._left -= 1
        return self._left >= 0 and self._is_in(path, self._writable)

    def _is_in(self, path: Any, roots: list[str]) -> bool:
        if isinstance(path, int):
            return True
        real = os.path.realpath(os.fsdecode("." if path is None else path))
        return any(real == root or real.startswith(root + os.sep) for root in roots)
