"""Who goes first where an engine computes on the same cores."""

import os

# An engine's threads wait for each other at every step: what takes a core from one of them takes it from all.
_BEHIND_AN_ENGINE = 10


def stand_back() -> None:
    """Give this thread, and those it starts, the cores that an engine leaves; at once, and for good.

    Where the system knows niceness of threads (Linux); elsewhere nothing happens.
    """
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, 0, max(_BEHIND_AN_ENGINE, os.getpriority(os.PRIO_PROCESS, 0)))
