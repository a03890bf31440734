"""A set of score ids that fits a million of them into memory and travels between processes without a copy."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_DIGITS = 32


class IdSet:
    """Membership in a sorted array of 32-digit ids.

    >>> ids = IdSet(["b" * 32, "a" * 32])
    >>> "a" * 32 in ids, "c" * 32 in ids, len(ids)
    (True, False, 2)
    """

    def __init__(self, ids: Iterable[str] = ()) -> None:
        self._sorted: NDArray[np.bytes_] = np.unique(np.array([i.encode() for i in ids], dtype=f"S{_DIGITS}"))
        self.copies = 0

    @classmethod
    def of(cls, batches: Iterable[pa.Array]) -> IdSet:
        """The ids in Arrow string arrays, none of which becomes a Python object. ``copies``: how many came again."""
        parts = [np.empty(0, f"S{_DIGITS}"), *map(_packed, batches)]
        found, total = cls(), sum(map(len, parts))
        found._sorted = np.unique(np.concatenate(parts))
        found.copies = total - len(found)
        return found

    def __contains__(self, score_id: object) -> bool:
        key = np.bytes_(str(score_id).encode())
        at = int(np.searchsorted(self._sorted, key))
        return at < len(self._sorted) and self._sorted[at] == key

    def __len__(self) -> int:
        return len(self._sorted)


def _packed(ids: pa.Array) -> NDArray[np.bytes_]:
    """Raises ArrowInvalid for an id that has not 32 digits."""
    fixed = ids.cast(pa.binary()).cast(pa.binary(_DIGITS))
    return np.frombuffer(fixed.buffers()[1], f"S{_DIGITS}", count=len(fixed), offset=fixed.offset * _DIGITS)
