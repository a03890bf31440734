"""Which allocator Arrow takes its memory from; it has to be said before Arrow is loaded, so this file imports none."""

import os
import platform


def frugal() -> None:
    """One that gives back what is free, here and in processes started from here.

    mimalloc, which Arrow takes otherwise, keeps a hundred megabytes more of a plan (docs/performance.md). Where Arrow
    may be built without jemalloc nothing is said, and an ``ARROW_DEFAULT_MEMORY_POOL`` that is set already stays.
    """
    if (platform.system(), platform.machine()) == ("Linux", "x86_64"):
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "jemalloc")
