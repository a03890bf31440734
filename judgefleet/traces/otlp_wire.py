"""Protobuf taken apart one level at a time, so that one damaged span does not take the rest of its message along.

The wire format is that of https://protobuf.dev/programming-guides/encoding; what is inside a span is read by the
official package.
"""

from collections.abc import Iterator

from judgefleet.traces.reject import UnreadableError

FIXED64, LENGTH = 1, 2
_VARINT, _FIXED32 = 0, 5
_FIXED = {FIXED64: 8, _FIXED32: 4}
_LONGEST_VARINT = 10
_PREFIX = 4


class CutOffError(UnreadableError):
    """The end is missing."""


def messages_in(data: bytes, *, cut: bool = False) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of each field of a message that may be a message itself, in their order; numbers are skipped.

    ``cut`` and what is raised: as for ``fields_in``.

    >>> [*messages_in(bytes([0x0A, 2, 8, 1, 0x10, 5, 0x12, 0]))]
    [(1, b'\\x08\\x01'), (2, b'')]
    """
    return ((number, part) for number, kind, part in fields_in(data, cut=cut) if kind == LENGTH)


def fields_in(data: bytes, *, cut: bool = False) -> Iterator[tuple[int, int, bytes]]:
    """Number, kind and bytes of each field of a message, in their order.

    ``cut``: the end is known to be missing, so what is there of the last field is given, too.
    Raises UnreadableError where the bytes are no protobuf message, after what stands before; CutOffError where the end
    is missing and that was not known.
    """
    at = 0
    while at < len(data):
        tag, begin = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if number == 0:
            raise UnreadableError(f"not protobuf: a field without a number at byte {at}")
        if kind == LENGTH:
            size, begin = _varint(data, begin)
            part = data[begin:] if cut and begin + size > len(data) else _part(data, begin, size)
            at = begin + size
        elif kind == _VARINT:
            _, at = _varint(data, begin)
            part = data[begin:at]
        elif kind in _FIXED:
            part = _part(data, begin, _FIXED[kind])
            at = begin + len(part)
        else:
            raise UnreadableError(f"not protobuf: a field of kind {kind} at byte {at}")
        yield number, kind, part


def frames_in(data: bytes) -> Iterator[bytes]:
    """Messages that each stand behind their length, four bytes with the highest first.

    Raises UnreadableError where a length goes beyond the end, after what stands before.

    >>> [*frames_in(bytes([0, 0, 0, 1, 65, 0, 0, 0, 2, 66, 67]))]
    [b'A', b'BC']
    """
    at = 0
    while at < len(data):
        size = int.from_bytes(_part(data, at, _PREFIX), "big")
        yield _part(data, at + _PREFIX, size)
        at += _PREFIX + size


def _part(data: bytes, begin: int, size: int) -> bytes:
    if begin + size > len(data):
        raise CutOffError(f"cut off: {size:,} bytes belong at byte {begin:,}, and {len(data) - begin:,} are left")
    return data[begin : begin + size]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at ``at``, and where it ends."""
    value = shift = 0
    for place in range(at, min(at + _LONGEST_VARINT, len(data))):
        value |= (data[place] & 0x7F) << shift
        shift += 7
        if data[place] < 0x80:
            return value, place + 1
    raise UnreadableError(f"not protobuf, or cut off, at byte {at:,}")
