"""Phone numbers in plain text: runs of digits here, the numbering plans of the world in ``phonenumbers``."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

Span: TypeAlias = tuple[int, int]

_RUN = re.compile(r"(?:\(?\+[ (]{0,2}|\()?[0-9]+(?:[ \t().~/-]{1,4}[0-9]+)*")
_GROUP = re.compile(r"[0-9]+")
_FEWEST_DIGITS, _MOST_TOGETHER = 7, 17
# A run of many groups is a table; it is read in overlapping pieces, each longer than a number.
_PIECE, _STEP = 16, 8
# What follows a number by chance ("24 hours") at the end of a run: as many groups are left out, one by one, until a
# number is left.
_MOST_CUT = 2
_DECIMAL = re.compile(r"(?<![0-9.])(?:0|[1-9][0-9]*)\.[0-9]+(?![0-9.])")
# What tells the library that a number goes on as a time of day or as a word.
_AFTER = re.compile(r":[0-9]{2}|[A-Za-z]|")


def find_phones(text: str, regions: Sequence[str], tick: Callable[[], None]) -> Iterator[tuple[int, int, str]]:
    """Start, end and E.164 form of every number, national ones as ``regions`` write them."""
    if not regions and "+" not in text and "00" not in text:
        return
    last_end = 0
    for start, end in _candidates(text, national=bool(regions)):
        if start < last_end:
            continue
        tick()
        for a, b, key in _numbers(text, start, end, regions):
            if a >= last_end:
                last_end = b
                yield a, b, key


def _candidates(text: str, national: bool) -> Iterator[Span]:
    """Pieces that may be a number, from each place where one may begin, the longest piece first."""
    for run in _RUN.finditer(text):
        if run.end() - run.start() < _FEWEST_DIGITS:
            continue
        groups = [found.span() for found in _GROUP.finditer(text, *run.span())]
        for first in range(len(groups)):
            start = groups[first][0] if first else run.start()
            if text.startswith("00" if not national else "0", start) or not first or (national and not first % _STEP):
                cut = _MOST_CUT if first + _PIECE >= len(groups) else 0
                yield from _pieces(text, start, groups[first : first + _PIECE], national, cut)


def _pieces(text: str, start: int, groups: list[Span], national: bool, cut: int) -> Iterator[Span]:
    if not (national or _is_international(text[start : start + 3])):
        return
    for count in range(len(groups), max(0, len(groups) - cut - 1), -1):
        sizes = [end - begin for begin, end in groups[:count]]
        if sum(sizes) >= _FEWEST_DIGITS and max(sizes) <= _MOST_TOGETHER:
            yield start, groups[count - 1][1]


def _is_international(beginning: str) -> bool:
    return "+" in beginning or beginning.startswith("00")


def _numbers(text: str, start: int, end: int, regions: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    from phonenumbers import PhoneNumberFormat, PhoneNumberMatcher, format_number

    international = _is_international(text[start : start + 3])
    if not international and _DECIMAL.search(text[start:end]):
        return
    left, after = max(0, start - 1), _AFTER.match(text, end)
    context = after.group() if after else ""
    piece, moved = text[left:end] + context, 0
    if text.startswith("00", start):
        # The library knows 00 only where it knows the country that dials it.
        piece, moved = f"{text[left:start]}+{text[start + 2 : end]}{context}", 1
    for region in [None] if international else regions:
        for found in PhoneNumberMatcher(piece, region):
            begins = left + found.start + (moved if left + found.start > start else 0)
            yield begins, left + found.end + moved, format_number(found.number, PhoneNumberFormat.E164)
            return
