"""Payment cards and IBANs in plain text: candidates by shape, then by check digits."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

# Digits in groups as people write them; a run is looked at from each of its groups on.
_RUN = re.compile(r"[0-9]+(?:[ \t._/-]{1,3}[0-9]+)+|[0-9]{13,19}(?![0-9])|[0-9]+")
_GROUP = re.compile(r"[0-9]+")
_LETTER = re.compile(r"[A-Za-z]")
_SHORTEST, _LONGEST = 13, 19
# First digits from and to, and the lengths that go with them (ISO/IEC 7812 ranges as the card schemes publish them).
_ISSUERS = (
    ("4", "4", {13, 16, 19}),
    ("51", "55", {16}),
    ("2221", "2720", {16}),
    ("34", "34", {15}),
    ("37", "37", {15}),
    ("300", "305", range(14, 20)),
    ("3095", "3095", range(14, 20)),
    ("36", "36", range(14, 20)),
    ("38", "39", range(14, 20)),
    ("3528", "3589", range(16, 20)),
    ("50", "50", range(13, 20)),
    ("56", "58", range(13, 20)),
    ("6", "6", range(13, 20)),
    ("2200", "2205", range(16, 20)),
    ("81", "82", range(16, 20)),
    ("9792", "9792", {16}),
)
_IBAN = re.compile(r"(?<![A-Za-z0-9])(?=([A-Za-z]{2}[0-9]{2}(?:[ \t.-]{0,2}[A-Za-z0-9]){11,30}))")
_FIELD = re.compile(r"(\d+)!")


def find_cards(text: str, tick: Callable[[], None]) -> Iterator[tuple[int, int, str]]:
    """Start, end and digits of every card number."""
    for run in _RUN.finditer(text):
        if run.end() - run.start() < _SHORTEST:
            continue
        groups = [found.span() for found in _GROUP.finditer(text, *run.span())]
        first = 0
        while first < len(groups):
            tick()
            last = _card_from(text, groups, first)
            if last is not None:
                start, end = groups[first][0], groups[last][1]
                yield start, end, re.sub(r"[^0-9]", "", text[start:end])
                first = last
            first += 1


def _card_from(text: str, groups: list[tuple[int, int]], first: int) -> int | None:
    """The last group of a card number that begins with group ``first``; the longest counts."""
    digits, found = "", None
    for last in range(first, len(groups)):
        digits += text[slice(*groups[last])][: _LONGEST + 1]
        if len(digits) > _LONGEST:
            break
        sizes = [end - start for start, end in groups[first : last + 1]]
        if _looks_like_card(digits, sizes) and _stands_free(text, groups[first][0], groups[last][1]):
            found = last
    return found


def _looks_like_card(digits: str, sizes: list[int]) -> bool:
    if len(digits) < _SHORTEST or not (min(sizes) >= 3 or max(sizes) <= 2):
        return False
    if not any(low <= digits[: len(low)] <= high and len(digits) in lengths for low, high, lengths in _ISSUERS):
        return False
    from stdnum import luhn

    return bool(luhn.is_valid(digits))


def _stands_free(text: str, start: int, end: int) -> bool:
    """No part of a word (a hash), and of no decimal number."""
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    glued = _LETTER.match(before[-1:]) or _LETTER.match(after[:1])
    return not (glued or re.fullmatch(r"[0-9][.,]", before) or re.fullmatch(r"[.,][0-9]", after))


def find_ibans(text: str, tick: Callable[[], None]) -> Iterator[tuple[int, int, str]]:
    """Start, end and compact form of every IBAN."""
    for found in _IBAN.finditer(text):
        tick()
        start = found.start()
        length = _iban_length(found.group(1)[:2].upper())
        places = [i for i, c in enumerate(found.group(1)) if c.isalnum()][:length]
        if length and len(places) == length:
            end = start + places[-1] + 1
            key = "".join(found.group(1)[i] for i in places).upper()
            if not re.match(r"[A-Za-z0-9]", text[end : end + 1]) and _is_iban(key):
                yield start, end, key


def _is_iban(compact: str) -> bool:
    from stdnum import iban

    return bool(iban.is_valid(compact))


@lru_cache(maxsize=1024)
def _iban_length(country: str) -> int:
    """Characters of an IBAN of ``country`` as the registry has it, 0 where it has none."""
    from stdnum import numdb

    structure = numdb.get("iban").info(f"{country}00")[0][1].get("bban", "")
    return 4 + sum(int(size) for size in _FIELD.findall(structure)) if structure else 0
