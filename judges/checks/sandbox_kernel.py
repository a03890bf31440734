"""What the Linux kernel forbids a process for good: a system call filter (seccomp) and a file rule set (Landlock).

Runs inside the sandboxed process, on the standard library alone. Neither needs privileges; neither can be undone.
"""

import ctypes
import errno
import os
import platform
import stat
import sys
from collections.abc import Iterable, Sequence

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER = 38, 22, 2
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_LOAD, _EQUAL, _AT_LEAST, _HAS_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_CLONE_THREAD, _X32 = 0x10000, 0x40000000
# Sockets, other programs, other processes, mounts, and what would undo limits. Numbers of the kernel's tables.
_MACHINES = {
    "x86_64": (
        0xC000003E,
        {"clone": 56, "clone3": 435},
        {
            *(41, 57, 58, 59, 322),  # socket, fork, vfork, execve, execveat
            *(
                62,
                200,
                234,
                424,
                129,
                297,
            ),  # kill, tkill, tgkill, pidfd_send_signal, rt_sigqueueinfo, rt_tgsigqueueinfo
            *(101, 310, 311, 438),  # ptrace, process_vm_readv, process_vm_writev, pidfd_getfd
            *(155, 161, 165, 166, 272, 308),  # pivot_root, chroot, mount, umount2, unshare, setns
            *(133, 259, 160, 302),  # mknod, mknodat, setrlimit, prlimit64
            *(248, 249, 250, 298, 321, 323, 425),  # keys, perf_event_open, bpf, userfaultfd, io_uring_setup
        },
    ),
    "aarch64": (
        0xC00000B7,
        {"clone": 220, "clone3": 435},
        {
            *(198, 221, 281),
            *(129, 130, 131, 424, 138, 240),
            *(117, 270, 271, 438),
            *(41, 51, 40, 39, 97, 268),
            *(33, 164, 261),
            *(217, 218, 219, 241, 280, 282, 425),
        },
    ),
}
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = (1 << bit for bit in range(4))
_MAKE_DEVICES = 1 << 6 | 1 << 9 | 1 << 11
_TRUNCATE = 1 << 14


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("yes", ctypes.c_uint8), ("no", ctypes.c_uint8), ("k", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("filter", ctypes.c_void_p))


class _PathRule(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def forbid_system_calls() -> bool:
    """No sockets (but pairs), no new processes (but threads), no other programs, no signals to anybody, no tracing.

    False where the kernel has no seccomp or the machine is neither x86_64 nor aarch64.
    """
    known = _MACHINES.get(platform.machine())
    if not sys.platform.startswith("linux") or known is None:
        return False
    lines = _filter(*known)
    array = (_Instruction * len(lines))(*(_Instruction(*line) for line in lines))
    program = _Program(len(lines), ctypes.cast(array, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    return not (
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        or libc.prctl(_PR_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0)
    )


def _filter(architecture: int, special: dict[str, int], denied: Iterable[int]) -> Sequence[tuple[int, int, int, int]]:
    lines = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    refuse = (_RETURN, 0, 0, _ERRNO | errno.EPERM)
    lines += [(_AT_LEAST, 0, 1, _X32), refuse]
    for number in sorted(denied):
        lines += [(_EQUAL, 0, 1, number), refuse]
    # The C library falls back to clone, whose flags a filter can read.
    lines += [(_EQUAL, 0, 1, special["clone3"]), (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)]
    lines += [(_EQUAL, 0, 3, special["clone"]), (_LOAD, 0, 0, 16), (_HAS_BITS, 1, 0, _CLONE_THREAD), refuse]
    return [*lines, (_RETURN, 0, 0, _ALLOW)]


def confine_files(workdir: str, readable: Iterable[str]) -> bool:
    """Files are written in ``workdir`` only and read there and under ``readable`` only; no TCP where Landlock knows it.

    False where the kernel has no Landlock.
    """
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_LANDLOCK_CREATE, None, 0, 1)
    if version < 1:
        return False
    handled = (1 << (13 if version < 2 else 14 if version < 3 else 15 if version < 5 else 16)) - 1
    attributes = (ctypes.c_uint64 * 3)(handled, 3 if version >= 4 else 0, 3 if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    rules = libc.syscall(_LANDLOCK_CREATE, ctypes.byref(attributes), size, 0)
    if rules < 0:
        return False
    _allow(libc, rules, workdir, handled & ~(_EXECUTE | _MAKE_DEVICES))
    _allow(libc, rules, os.devnull, handled)
    for path in readable:
        _allow(libc, rules, path, _READ_FILE | _READ_DIR)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    done = int(libc.syscall(_LANDLOCK_RESTRICT, rules, 0)) == 0
    os.close(rules)
    return done


def _allow(libc: ctypes.CDLL, rules: int, path: str, access: int) -> None:
    try:
        folder = os.open(path, getattr(os, "O_PATH", 0) | os.O_CLOEXEC)
    except OSError:
        return
    if not stat.S_ISDIR(os.fstat(folder).st_mode):
        access &= _READ_FILE | _WRITE_FILE | _TRUNCATE
    libc.syscall(_LANDLOCK_ADD, rules, 1, ctypes.byref(_PathRule(access, folder)), 0)
    os.close(folder)
