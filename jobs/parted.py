"""Rows of numbers on disk, in parts, so that one part is held at a time."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from jobs.spill import sorted_into
from judgefleet.columns import Codes, Rows, shared

_TRACES_A_PART, _MOST_PARTS = 32_768, 256
T = TypeVar("T", bound=Rows)


def parts_for(traces: int) -> int:
    """Into how many parts the rows about so many traces go.

    >>> parts_for(0), parts_for(100_000), parts_for(10**9)
    (1, 4, 256)
    """
    return min(-(-traces // _TRACES_A_PART) or 1, _MOST_PARTS)


class Parted(Generic[T]):
    """Rows like ``like`` (which may be none at all), in files that begin with ``path``, a part each.

    Rows with one key are in one part, here and in all others with as many parts.
    """

    def __init__(self, path: Path, parts: int, like: T) -> None:
        self._path, self._parts, self._like = path, parts, like.where(np.empty(0, np.intp))
        self._record = np.dtype([(name, column.dtype) for name, column in like.arrays.items()])

    def add(self, rows: T, keys: Codes) -> None:
        """Take in more rows; ``keys``: the hash by which each goes to its part, shape (n,)."""
        order, runs = sorted_into(keys % np.uint64(self._parts), self._parts)
        records = np.empty(len(order), self._record)
        for name, column in rows.arrays.items():
            records[name] = column[order]
        for number, begin, end in runs:
            with self._file(number).open("ab") as file:
                records[begin:end].tofile(file)

    def __iter__(self) -> Iterator[T]:
        """Part after part, also those that are empty."""
        return map(self._read, range(self._parts))

    def _read(self, number: int) -> T:
        path = self._file(number)
        records = np.fromfile(path, self._record) if path.exists() else np.empty(0, self._record)
        return replace(self._like, **{name: shared(_column(records, name)) for name in self._like.arrays})

    def _file(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}-{number}")


def _column(records: npt.NDArray[np.void], name: str) -> npt.NDArray[np.generic]:
    return np.ascontiguousarray(records[name])
