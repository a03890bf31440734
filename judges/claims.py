"""Claims: what an answer says, one statement at a time, as a judge listed it or as its sentences."""

import re
import warnings
from collections.abc import Iterable
from functools import lru_cache
from importlib import import_module
from typing import Any

from judgefleet.errors import ConfigError, did_you_mean

# What a list begins its lines with: "-", "*", "1.", "(2)", "c)".
_BULLET = re.compile(r"^(?:[-*+\u2022\u2023\u2013\u2014]+|\(?\d{1,3}[.):]+|\(?[A-Za-z]\))\s+")
_NOTHING = re.compile(r"(?:none|no claims?|n/a|nothing)\W*", re.IGNORECASE)
# The time that splitting takes grows faster than the text: a long one is cut where a line, sentence or word ends.
_PIECE = 4000


def parse_claims(text: str) -> tuple[str, ...] | None:
    """The claims in a list that a judge wrote, one a line; None where it says that there are none.

    Bullets and numbers are taken off. Lines without a letter or digit, lines that end in a colon ("Here they are:") and
    repetitions are left out; what is left may be empty.

    >>> parse_claims("The claims:\\n- Parcels take 7 days.\\n2) It is free.\\n* parcels take 7 days.\\n---")
    ('Parcels take 7 days.', 'It is free.')
    >>> parse_claims("None."), parse_claims("- none")
    (None, None)
    """
    if _NOTHING.fullmatch(_BULLET.sub("", text.strip())):
        return None
    return _distinct(line for line in text.splitlines() if not line.rstrip().endswith(":"))


def sentences(text: str, language: str = "en") -> tuple[str, ...]:
    """The sentences of ``text`` by the rules of pySBD (Sadvilkar and Neumann 2020), repetitions left out.

    >>> sentences("Dr. Lee ships in 7 days. Is it free? Yes!")
    ('Dr. Lee ships in 7 days.', 'Is it free?', 'Yes!')
    """
    # A segmenter remembers the text it is reading, so threads do not share one.
    segmenter = _pysbd().Segmenter(language=language, clean=False)
    return _distinct(
        line for piece in _pieces(text) for found in segmenter.segment(piece) for line in found.splitlines()
    )


def check_language(language: str) -> None:
    """Raises ConfigError where sentences of ``language`` cannot be told apart."""
    known = _pysbd().languages.LANGUAGE_CODES
    if language not in known:
        raise ConfigError(f"no rules for sentences of the language {language!r}; {did_you_mean(language, known)}")


def _distinct(lines: Iterable[str]) -> tuple[str, ...]:
    claims = (_BULLET.sub("", " ".join(line.split())) for line in lines)
    first: dict[str, str] = {}
    for claim in claims:
        if any(character.isalnum() for character in claim):
            first.setdefault(claim.casefold().rstrip("."), claim)
    return tuple(first.values())


def _pieces(text: str) -> Iterable[str]:
    while len(text) > _PIECE:
        ends = (text.rfind(mark, _PIECE // 2, _PIECE) + len(mark) for mark in ("\n", ". ", " "))
        cut = next((end for end in ends if end > _PIECE // 2), _PIECE)
        yield text[:cut]
        text = text[cut:]
    yield text


@lru_cache(maxsize=1)
def _pysbd() -> Any:
    # Its source has escape sequences that Python warns of when it is compiled for the first time.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_module("pysbd")
