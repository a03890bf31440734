"""Hashes that mean the same on every machine, in every run and in other languages."""

import hashlib
import json
from typing import Any


def canonical_json(value: Any) -> str:
    """Render ``value`` as JSON with sorted keys and no spaces; the form that is hashed.

    >>> canonical_json({"b": 1, "a": ["é"]})
    '{"a":["é"],"b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def stable_hash(value: Any, length: int = 32) -> str:
    """First ``length`` hex digits of SHA-256 over the UTF-8 canonical JSON of ``value``.

    >>> stable_hash({"a": 1}, length=12)
    '015abd7f5cc5'
    """
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:length]


def unit_interval(key: str, salt: str) -> float:
    """Map ``key`` to a number in [0, 1) that depends on nothing but ``key`` and ``salt``.

    The first 8 bytes of SHA-256 over ``salt``, a zero byte and ``key`` (UTF-8), read as a big-endian
    integer, its top 53 bits divided by 2**53: exact in IEEE doubles, so every language agrees.

    >>> unit_interval("trace-1", "demo")
    0.3455098366012016
    """
    digest = hashlib.sha256(f"{salt}\0{key}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53
