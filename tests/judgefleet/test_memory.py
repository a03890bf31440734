"""Arrow's allocator is the one asked for, a user's own choice stays, and large arrays are given back."""

import subprocess
import sys

import pyarrow as pa
import pytest

CODE = """
from judgefleet.allocator import frugal
frugal()
import pyarrow
print(pyarrow.default_memory_pool().backend_name)
"""


ARRAYS = """
import resource, sys
from pathlib import Path
import numpy as np
if "frugal" in sys.argv:
    from judgefleet.allocator import frugal
    frugal()

def pages():
    return int(Path("/proc/self/statm").read_text().split()[1])

np.ones(30 << 17)  # 30 MiB: from here on glibc keeps what is smaller
before, arrays, pinned = pages(), [], []
for n in range(20):
    arrays.append(np.ones(1 << 18))  # 2 MiB
    pinned.append(bytearray(5000))
arrays.clear()
print((pages() - before) * resource.getpagesize() >> 20)
"""


def chosen(given: dict[str, str]) -> str:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, env=given, check=True)
    return done.stdout.strip()


def test_it_is_jemalloc_unless_the_user_says_another() -> None:
    if not (sys.platform == "linux" and "jemalloc" in pa.supported_memory_backends()):
        pytest.skip("Arrow is built without jemalloc here")
    assert chosen({}) == "jemalloc"
    assert chosen({"ARROW_DEFAULT_MEMORY_POOL": "system"}) == "system"


def kept(*said: str) -> int:
    """MiB that a process holds after it has freed 40, with something small between them."""
    done = subprocess.run([sys.executable, "-c", ARRAYS, *said], capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_arrays_that_are_free_are_given_back() -> None:
    if not (sys.platform == "linux" and kept() > 20):
        pytest.skip("no glibc that keeps them")
    assert kept("frugal") <= 2
