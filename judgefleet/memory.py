"""Memory that is free is given back: glibc keeps what many small allocations in many threads have left behind."""

import ctypes
import sys

import pyarrow as pa


def give_back() -> None:
    """To the operating system, where that is Linux: hundreds of MB after the footers of some thousand Parquet files."""
    pa.default_memory_pool().release_unused()
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        trim(0)
