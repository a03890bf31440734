"""A set of score ids that fits a million of them into memory and travels between processes without a copy."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


class IdSet:
    """Membership in a sorted array of 32-digit ids.

    >>> ids = IdSet(["b" * 32, "a" * 32])
    >>> "a" * 32 in ids, "c" * 32 in ids, len(ids)
    (True, False, 2)
    """

    def __init__(self, ids: Iterable[str]) -> None:
        self._sorted: NDArray[np.bytes_] = np.unique(np.array([i.encode() for i in ids], dtype="S32"))

    def __contains__(self, score_id: object) -> bool:
        key = np.bytes_(str(score_id).encode())
        at = int(np.searchsorted(self._sorted, key))
        return at < len(self._sorted) and self._sorted[at] == key

    def __len__(self) -> int:
        return len(self._sorted)
