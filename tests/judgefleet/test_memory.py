"""Arrow's allocator is the one asked for, and a user's own choice stays."""

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


def chosen(given: dict[str, str]) -> str:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, env=given, check=True)
    return done.stdout.strip()


def test_it_is_jemalloc_unless_the_user_says_another() -> None:
    if not (sys.platform == "linux" and "jemalloc" in pa.supported_memory_backends()):
        pytest.skip("Arrow is built without jemalloc here")
    assert chosen({}) == "jemalloc"
    assert chosen({"ARROW_DEFAULT_MEMORY_POOL": "system"}) == "system"
