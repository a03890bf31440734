"""A set of score ids that fits a million of them into memory and travels between processes without a copy."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from judgefleet.columns import joined

_DIGITS = 32
_HEX = frozenset("0123456789abcdef")
# Compared with its zero bytes at the end left out, which tells bytes of one length apart as well.
_CODE = np.dtype("S16")


class IdSet:
    """Membership in a sorted array of ids of 32 hex digits, 16 bytes each.

    >>> ids = IdSet(["b" * 32, "a" * 32])
    >>> "a" * 32 in ids, "c" * 32 in ids, len(ids)
    (True, False, 2)
    """

    def __init__(self, ids: Iterable[str] = ()) -> None:
        self._sorted: NDArray[np.bytes_] = np.unique(np.array([bytes.fromhex(i) for i in ids], dtype=_CODE))
        self.copies = 0

    @classmethod
    def of(cls, batches: Iterable[pa.Array]) -> IdSet:
        """The ids in Arrow string arrays, none of which becomes a Python object. ``copies``: how many came again."""
        found, known = cls(), joined([np.empty(0, _CODE), *map(_packed, batches)])
        known.sort()
        again = known[1:] == known[:-1]
        found.copies = int(np.count_nonzero(again))
        found._sorted = known[np.append(True, ~again)] if found.copies else known
        return found

    def __contains__(self, score_id: object) -> bool:
        text = str(score_id)
        if len(text) != _DIGITS or not _HEX.issuperset(text):
            return False
        key = np.array(bytes.fromhex(text), _CODE)
        at = int(np.searchsorted(self._sorted, key))
        return at < len(self._sorted) and self._sorted[at] == key

    def __len__(self) -> int:
        return len(self._sorted)


def _packed(ids: pa.Array) -> NDArray[np.bytes_]:
    """Raises ArrowInvalid for an id that has not 32 digits, ValueError for one with others than hex digits."""
    fixed = ids.cast(pa.binary()).cast(pa.binary(_DIGITS))
    digits = memoryview(fixed.buffers()[1])[fixed.offset * _DIGITS :][: len(fixed) * _DIGITS] if len(fixed) else b""
    return np.frombuffer(bytes.fromhex(str(digits, "ascii")), _CODE)
