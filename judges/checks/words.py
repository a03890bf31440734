"""Finding phrases in text, as they stand or as whole words, in time that the lengths bound."""

import regex  # type: ignore[import-untyped]

from judges.checks.unicode_text import caseless, normal_form

# A word is letters, marks, digits and underscores, as \w of Unicode (UTS #18): a vowel sign does not end one.
_PIECE = regex.compile(r"\w+|\W", regex.DOTALL)
_EDGE = "\x00"


def compared(text: str, *, ignore_case: bool, whole_words: bool) -> str:
    """``text`` as phrases are looked for in it: a phrase is there when its own form is in that of the text.

    >>> compared("days", ignore_case=True, whole_words=True) in compared("30 DAYS", ignore_case=True, whole_words=True)
    True
    """
    text = plain_words(text, ignore_case=ignore_case)
    return mark_edges(text) if whole_words else text


def plain_words(text: str, *, ignore_case: bool) -> str:
    """``text`` in NFC with each run of white space as one space and none at the ends; without case if so wanted.

    >>> plain_words(" Thirty\\n days", ignore_case=True)
    'thirty days'
    """
    return " ".join((caseless(text, "NFC") if ignore_case else normal_form(text, "NFC")).split())


def mark_edges(text: str) -> str:
    """``text`` with a null character wherever no word is cut, so that ``in`` finds whole words only, in linear time.

    >>> mark_edges("port") in mark_edges("a port."), mark_edges("port") in mark_edges("a report")
    (True, False)
    >>> mark_edges("C++") in mark_edges("Use C++."), mark_edges("$5") in mark_edges("$50")
    (True, False)
    """
    return _EDGE + "".join(piece + _EDGE for piece in _PIECE.findall(text))
