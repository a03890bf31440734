"""Standing back is of the thread that does it and of those it starts, never of the process."""

import os
import threading

import pytest

from jobs.engines.config import EngineConfig
from jobs.priority import stand_back

linux = pytest.mark.skipif(not hasattr(os, "setpriority"), reason="threads have no niceness here")


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, 0)


@linux
def test_it_is_handed_down_to_threads_and_not_up() -> None:
    before, found = niceness(), list[int]()

    def started() -> None:
        found.append(niceness())

    def stands_back() -> None:
        stand_back()
        stand_back()
        child = threading.Thread(target=started)
        child.start()
        child.join()
        started()

    thread = threading.Thread(target=stands_back)
    thread.start()
    thread.join()
    assert found == [max(before, 10)] * 2
    assert niceness() == before


@pytest.mark.parametrize("kind", ["vllm", "serve", "transformers"])
def test_engines_that_compute_here(kind: str) -> None:
    assert EngineConfig.model_validate({"kind": kind}).computes


def test_a_scripted_engine_needs_no_cores() -> None:
    assert not EngineConfig(kind="scripted").computes
