"""How memory is taken and given back; some of it has to be said before Arrow is loaded, so this file imports none."""

import ctypes
import os
import platform

# What mallopt calls the size from which on each piece is a mapping of its own.
_M_MMAP_THRESHOLD, _MIB = -3, 1 << 20


def frugal() -> None:
    """What is free goes back at once, here and, as far as Arrow goes, in processes started from here.

    mimalloc, which Arrow takes otherwise, and many arenas of jemalloc keep a hundred megabytes more of a plan
    (docs/performance.md); glibc keeps arrays of up to 32 MiB once it has seen a large one. Where Arrow may be built
    without jemalloc nothing is said, and an ``ARROW_DEFAULT_MEMORY_POOL`` or ``JE_ARROW_MALLOC_CONF`` that is set
    already stays.
    """
    if (platform.system(), platform.machine()) == ("Linux", "x86_64"):
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "jemalloc")
        os.environ.setdefault("JE_ARROW_MALLOC_CONF", "narenas:1")
    if (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        mallopt(_M_MMAP_THRESHOLD, _MIB)
