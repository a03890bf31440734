"""Unicode normal forms of text that nobody vouches for."""

import unicodedata
from typing import Literal, TypeAlias

import regex  # type: ignore[import-untyped]

# What a fingerprint must hold where a normal form decides; Python's own tables, so it changes with Python.
UNICODE_VERSION = unicodedata.unidata_version

Form: TypeAlias = Literal["NFC", "NFD", "NFKC", "NFKD"]

_THIRTY_MARKS = regex.compile(r"\P{ccc=0}{30}")
_JOINER = "\u034f"


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
