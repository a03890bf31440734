"""Payment cards and IBANs in plain text: candidates by shape, then by check digits."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

_GAP = r"[ \t._/-]{1,3}"
_NO_DIGIT_BEFORE, _NO_FOUR_BEFORE = (
    "".join(rf"(?<!{before}[ \t._/-]{{{n}}})" for n in (1, 2, 3)) for before in ("[0-9]", "[0-9]{4}")
)
# One block; a row of fours, with three more; four fours alone, however parted; American Express and Diners Club; digit
# by digit, alone.
_CARD = re.compile(
    r"(?<![0-9])(?:[0-9]{13,19}"
    rf"|[0-9]{{4}}(?P<four>{_GAP})[0-9]{{4}}(?:(?P=four)[0-9]{{4}}(?![0-9])){{2,}}+(?:(?P=four)[0-9]{{3}})?"
    rf"|{_NO_FOUR_BEFORE}[0-9]{{4}}(?:{_GAP}[0-9]{{4}}){{3}}(?!{_GAP}[0-9]{{4}}(?![0-9]))"
    rf"|[0-9]{{4}}(?P<six>{_GAP})[0-9]{{6}}(?P=six)[0-9]{{4,5}}"
    rf"|{_NO_DIGIT_BEFORE}[0-9](?P<one>{_GAP})[0-9](?:(?P=one)[0-9](?![0-9])){{11,17}}+(?!(?P=one)[0-9])"
    r")(?![0-9])"
)
_GROUP = re.compile(r"[0-9]+")
_LETTER = re.compile(r"[A-Za-z]")
_EXPIRY = re.compile(r"(?:0[1-9]|1[0-2])[0-9]{2}")
_LONGEST = 19
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
    """Start, end and digits of every card number.

    >>> list(find_cards("4111 1111 1111 1111, but 4111 1111 1111 1111 9999", lambda: None))
    [(0, 19, '4111111111111111')]
    """
    for found in _CARD.finditer(text):
        tick()
        groups = [group.span() for group in _GROUP.finditer(text, *found.span())]
        for first, last in _cards([text[slice(*group)] for group in groups]):
            start, end = groups[first][0], groups[last - 1][1]
            if _stands_free(text, start, end):
                yield start, end, re.sub(r"[^0-9]", "", text[start:end])


def _cards(groups: list[str]) -> list[tuple[int, int]]:
    """The first group of each card number and the one after its last. A row of fours is all cards, or other numbers.

    >>> _cards(["4111", "1111", "1111", "1111", "1227", "123"])
    [(0, 4)]
    """
    if _is_card("".join(groups[: _LONGEST + 1])):
        return [(0, len(groups))]
    fours = [group for group in groups if len(group) == 4]
    # After the last one may stand when it expires, and its code.
    count = len(fours) - bool(len(fours) % 4 == 1 and _EXPIRY.fullmatch(fours[-1]))
    firsts = range(0, count, 4)
    if count % 4 or not all(_is_card("".join(fours[first : first + 4])) for first in firsts):
        return []
    return [(first, first + 4) for first in firsts]


def _is_card(digits: str) -> bool:
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

    # Some countries' own rules of the library are out of date: it misses banks of Belgium.
    return bool(iban.is_valid(compact, check_country=False))


@lru_cache(maxsize=1024)
def _iban_length(country: str) -> int:
    """Characters of an IBAN of ``country`` as the registry has it, 0 where it has none."""
    from stdnum import numdb

    structure = numdb.get("iban").info(f"{country}00")[0][1].get("bban", "")
    return 4 + sum(int(size) for size in _FIELD.findall(structure)) if structure else 0
