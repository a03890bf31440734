"""Unicode in text that nobody vouches for: its normal forms, its hyphens, and what of it can be seen."""

import unicodedata
from typing import Literal, TypeAlias

import regex  # type: ignore[import-untyped]

# What a fingerprint must hold where a normal form decides; Python's own tables, so it changes with Python.
UNICODE_VERSION = unicodedata.unidata_version

Form: TypeAlias = Literal["NFC", "NFD", "NFKC", "NFKD"]

_THIRTY_MARKS = regex.compile(r"\P{ccc=0}{30}")
_JOINER = "\u034f"
# Hyphens, dashes and minus signs that are written for one another.
HYPHENS = "\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d"
_ASCII_HYPHEN = str.maketrans(dict.fromkeys(HYPHENS, "-"))
# No glyph is drawn for what is Default_Ignorable (UAX #44), for spaces, controls, formats and lone surrogates, nor for
# the blank pattern of Braille.
_SEEN = regex.compile(r"[^\p{Default_Ignorable_Code_Point}\p{Z}\p{Cc}\p{Cf}\p{Cs}\u2800]")


def normal_form(text: str, form: Form) -> str:
    """``text`` in the normal form ``form`` (UAX #15), in linear time.

    Sorting a long run of combining marks takes quadratic time, so a joiner follows every thirty of them, as the
    Stream-Safe Text Format (UAX #15, section 13) has it. No language writes such runs.

    >>> normal_form("e\\u0301", "NFC"), normal_form("\\ufb01ve\\u00b2", "NFKC")
    ('é', 'five2')
    """
    if unicodedata.is_normalized(form, text):
        return text
    return unicodedata.normalize(form, _THIRTY_MARKS.sub(rf"\g<0>{_JOINER}", text))


def caseless(text: str, form: Form) -> str:
    """``text`` without differences of case: the canonical caseless match of Unicode 3.13 (D145), then ``form``.

    >>> caseless("STRASSE", "NFC") == caseless("Straße", "NFC")
    True
    """
    return normal_form(normal_form(text, "NFD").casefold(), form)


def plain_hyphens(text: str) -> str:
    """``text`` with every hyphen, figure dash, en dash and minus sign as the ASCII hyphen.

    >>> plain_hyphens("RET\\u20111, 2\\u20133")
    'RET-1, 2-3'
    """
    return text.translate(_ASCII_HYPHEN)


def can_be_seen(text: str) -> bool:
    """Whether anything in ``text`` shows, white space aside.

    >>> can_be_seen(" \\u200b\\u3164"), can_be_seen("\\u200b.")
    (False, True)
    """
    return _SEEN.search(text) is not None


def seen(phrase: str) -> str:
    """``phrase``, if something in it can be seen: any text has the others. Raises ValueError."""
    if not can_be_seen(phrase):
        raise ValueError("a phrase needs something that can be seen")
    return phrase
