"""Sets that stay small for weeks: 64-bit hashes of what was there, in place of what it was called."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from judgefleet.storage import ObjectInfo


def object_key(info: ObjectInfo, root: str) -> str:
    """What makes an object itself: its place below ``root``, size and time. One that is written again is another.

    >>> object_key(ObjectInfo(uri="traces/a.json", size=3, modified=1.5), "traces")
    'a.json|3|1.500000'
    """
    return f"{info.uri.removeprefix(root).lstrip('/')}|{info.size}|{info.modified:.6f}"


def hashed(text: str) -> int:
    """64 bits of BLAKE2b."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


class Seen:
    """A growing set of keys, 8 bytes each; two keys of a million meet by chance once in 37 million such sets.

    >>> seen = Seen()
    >>> seen.add(["a", "b"])
    >>> seen.unknown(["a", "c"])
    ['c']
    """

    def __init__(self, packed: NDArray[np.uint64] | None = None) -> None:
        self._packed = np.empty(0, np.uint64) if packed is None else packed
        self._new: set[int] = set()

    def add(self, keys: Iterable[str]) -> None:
        """Remember ``keys``."""
        self._new.update(map(hashed, keys))

    def unknown(self, keys: list[str]) -> list[str]:
        """Those of ``keys`` that are not in the set, in order."""
        codes = [hashed(key) for key in keys]
        old = np.isin(np.array(codes, np.uint64), self._packed)
        return [key for key, code, known in zip(keys, codes, old, strict=True) if not known and code not in self._new]

    def packed(self) -> NDArray[np.uint64]:
        """All of it as one sorted array."""
        self._packed = np.union1d(self._packed, np.fromiter(self._new, np.uint64, len(self._new)))
        self._new = set()
        return self._packed


class Recent:
    """The last ``most`` to ``2 * most`` keys added; older ones are forgotten.

    >>> recent = Recent(2)
    >>> [recent.add(key) for key in ("a", "b", "a", "c", "d", "e")]
    [True, True, False, True, True, True]
    >>> "a" in recent, "e" in recent
    (False, True)
    """

    def __init__(self, most: int = 250_000) -> None:
        self._most = most
        self._old: set[int] = set()
        self._new: set[int] = set()

    def __contains__(self, key: str) -> bool:
        code = hashed(key)
        return code in self._new or code in self._old

    def add(self, key: str) -> bool:
        """Remember ``key``; False where it is known."""
        if key in self:
            return False
        if len(self._new) >= self._most:
            self._old, self._new = self._new, set()
        self._new.add(hashed(key))
        return True
