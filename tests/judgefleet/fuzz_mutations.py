"""Ways to damage an object: its bytes, and, where it is JSON, its values."""

import copy
import gzip
import json
import random
from typing import Any

import zstandard

_BYTES = (
    b"\0",
    b"\xff",
    b"{",
    b"[",
    b'"',
    b"\n",
    b",",
    b"]",
    b"}",
    b"PAR1",
    b"\x1f\x8b",
    b"\x28\xb5\x2f\xfd",
    b"\\u0000",
)
_NUMBERS = (0, -1, 1, 0.5, 1e308, -1e308, 2**31, 2**53, 2**63, 2**64, 10**30, 1795327200, 1795327200123456789)
_TEXTS = (
    *(
        "",
        "\0",
        "\ud800",
        "\ufeff",
        "NaN",
        "-Infinity",
        "1e999",
        "0" * 32,
        "AB" * 16,
        "ab-" * 10,
        "[{",
        '{"a": 1',
        "null",
    ),
    *("2026-11-22T06:00:00", "2026-11-22 06:00:00+99:99", "9999-12-31T23:59:59Z", "0001-01-01", "user", "assistant"),
    *("x" * 5000, "[" * 200, '[{"role": "user"}]', '{"role": "assistant", "content": null}'),
)
_VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    float("nan"),
    float("inf"),
    [],
    {},
    [[]],
    [None],
    {"": ""},
    *_NUMBERS,
    *_TEXTS,
)
_DEEP = 150


def mutated(data: bytes, other: bytes, rng: random.Random) -> bytes:
    """``data`` after one to four changes; some take a piece of ``other``. A packed object may be changed inside."""
    if data[:2] == b"\x1f\x8b" and rng.random() < 0.5:
        return gzip.compress(mutated(gzip.decompress(data), other, rng), 1)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 4))):
        change = rng.choice(_CHANGES)
        data = change(data, other, rng)
    if rng.random() < 0.02:
        data = rng.choice((gzip.compress, zstandard.compress))(data)
    return data


def _flipped(data: bytes, _: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :] if at < len(data) else data + b"\0"


def _replaced(data: bytes, _: bytes, rng: random.Random) -> bytes:
    at, gone = rng.randrange(len(data) + 1), rng.choice((0, 0, 1, 4, 30))
    new = rng.choice(_BYTES) if rng.random() < 0.6 else rng.randbytes(rng.randrange(9))
    return data[:at] + new + data[at + gone :]


def _cut(data: bytes, _: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _spliced(data: bytes, other: bytes, rng: random.Random) -> bytes:
    at, start = rng.randrange(len(data) + 1), rng.randrange(len(other) + 1)
    return data[:at] + other[start : start + rng.randrange(1, 400)] + data[at:]


def _doubled(data: bytes, _: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data) + 1)
    piece = data[start : start + rng.randrange(1, 200)]
    return (data[:start] + piece * rng.choice((2, 3, 50)) + data[start + len(piece) :])[: 1 << 18]


def _structured(data: bytes, _: bytes, rng: random.Random) -> bytes:
    """Other values in some places of a JSON document, or of one line of JSON Lines; bytes that are none as they are."""
    try:
        lines = [data] if data[:1] == b"[" or data.count(b"\n") < 2 else data.split(b"\n")
        chosen = rng.randrange(len(lines))
        root = [json.loads(lines[chosen])]
        for _number in range(rng.choice((1, 1, 2, 3))):
            _change(root, rng)
        lines[chosen] = json.dumps(root[0]).encode()
    except (ValueError, RecursionError):
        return _replaced(data, b"", rng)
    return b"\n".join(lines)


def _change(root: list[Any], rng: random.Random) -> None:
    """One place: another value, gone, doubled, deeper, as text, or under another name."""
    holder, key = rng.choice(_places(root))
    kind = rng.randrange(7)
    if kind < 2:
        holder[key] = copy.deepcopy(rng.choice(_VALUES))
    elif kind == 2 and holder is not root:
        del holder[key]
    elif kind == 3 and isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    elif kind == 4:
        holder[key] = json.dumps(holder[key])
    elif kind == 5 and isinstance(holder, dict):
        holder[rng.choice(_TEXTS)] = holder.pop(key)
    else:
        for _ in range(rng.choice((1, 2, _DEEP))):
            holder[key] = [holder[key]] if rng.random() < 0.5 else {"content": holder[key]}


def _places(root: list[Any]) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    level: list[Any] = [root]
    while level and len(found) < 2000:
        holder = level.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        found += [(holder, key) for key in keys]
        level += [holder[key] for key in keys if isinstance(holder[key], dict | list)]
    return found


_CHANGES = (_flipped, _replaced, _cut, _spliced, _doubled, _structured, _structured, _structured, _structured)
