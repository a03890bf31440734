"""How memory is taken and given back; some of it has to be said before Arrow is loaded, so this file imports none."""

import ctypes
import os
import platform

# What mallopt calls the size from which on each piece is a mapping of its own.
_M_MMAP_THRESHOLD, _MIB = -3, 1 << 20


def frugal() -> None:
    """What is free goes back at once, here and, as far as Arrow goes, in processes started from here.

    mimalloc, which Arrow takes otherwise, and many arenas of jemalloc keep a hundred megabytes more of a plan
    (docs/performance.md). Where Arrow may be built without jemalloc nothing is said; an ``ARROW_DEFAULT_MEMORY_POOL``
    or ``JE_ARROW_MALLOC_CONF`` that is set already stays.
    """
    if (platform.system(), platform.machine()) == ("Linux", "x86_64"):
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "jemalloc")
        os.environ.setdefault("JE_ARROW_MALLOC_CONF", "narenas:1")
    give_large_back()


def give_large_back() -> None:
    """What is larger than a MiB goes back as soon as it is free, in this process, where that is Linux.

    glibc keeps, in each thread, pieces of up to 32 MiB once it has seen one go. Not for engines: they take and free
    such pieces all the time.
    """
    if platform.system() == "Linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        mallopt(_M_MMAP_THRESHOLD, _MIB)
