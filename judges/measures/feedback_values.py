"""Reads what people left on an answer: a thumb or a rating, in the forms in which programs write them."""

import re
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal["thumbs", "rating"]

_UP = frozenset(
    (
        "up",
        "thumbs_up",
        "thumb_up",
        "thumbsup",
        "👍",
        "like",
        "liked",
        "upvote",
        "positive",
        "pos",
        "good",
        "helpful",
        "satisfied",
        "yes",
        "true",
    )
)
_DOWN = frozenset(
    (
        "down",
        "thumbs_down",
        "thumb_down",
        "thumbsdown",
        "👎",
        "dislike",
        "disliked",
        "downvote",
        "negative",
        "neg",
        "bad",
        "unhelpful",
        "not_helpful",
        "unsatisfied",
        "dissatisfied",
        "no",
        "false",
    )
)
# Colours of skin and the mark that asks for a coloured picture mean nothing here.
_TINT = re.compile("[\U0001f3fb-\U0001f3ff\ufe0f]")
_NUMBER = re.compile(r"[-+]?\d{1,9}(?:[.,]\d{1,9})?")
_RATING = re.compile(rf"({_NUMBER.pattern})\s*(?:(?:/|of|out of)\s*(\d{{1,9}}))?\s*(?:stars?|★|⭐)?", re.IGNORECASE)
_STARS = re.compile(r"([★⭐]+)(☆*)")
_LONGEST = 40


class UnreadableFeedbackError(Exception):
    """Raised where something was left that is neither a thumb nor a rating; the text says what."""


class OffScaleError(Exception):
    """Raised for a rating that the scale does not have; the text says which."""


def kind_of(value: Any) -> Kind | None:
    """What ``value`` is by itself; None for a bare number, which may be either, and for what is neither.

    >>> kind_of("Thumbs up"), kind_of(True), kind_of("4/5"), kind_of("★★★☆☆"), kind_of(1)
    ('thumbs', 'thumbs', 'rating', 'rating', None)
    """
    text = plain(value)
    if is_number(value):
        return None
    if text in _UP | _DOWN:
        return "thumbs"
    return "rating" if _RATING.fullmatch(text) or _STARS.fullmatch(text) else None


def is_number(value: Any) -> bool:
    """Whether ``value`` is a number and nothing else, also as text.

    >>> is_number(1), is_number("4.5"), is_number(True), is_number("4/5")
    (True, True, False, False)
    """
    return _NUMBER.fullmatch(plain(value)) is not None


def read_thumb(value: Any) -> bool:
    """True for up, False for down. Among numbers 1 is up, 0 and -1 are down. Raises UnreadableFeedbackError.

    >>> read_thumb("👎🏽"), read_thumb("Liked"), read_thumb("1.0")
    (False, True, True)
    """
    text = plain(value)
    if text in _UP | _DOWN:
        return text in _UP
    number = float(text.replace(",", ".")) if is_number(value) else None
    if number not in (1.0, 0.0, -1.0):
        raise UnreadableFeedbackError("neither up nor down; words such as up and down, or 1, 0 and -1 belong here")
    return number == 1.0


def read_rating(value: Any, low: float, high: float) -> float:
    """The number that was given on the scale from ``low`` to ``high``.

    Raises UnreadableFeedbackError, and OffScaleError for a number outside the scale or one out of another number.

    >>> read_rating("4/5", 1, 5), read_rating("★★★☆☆", 1, 5), read_rating("3,5 stars", 1, 5)
    (4.0, 3.0, 3.5)
    """
    text = plain(value)
    if stars := _STARS.fullmatch(text):
        number, most = float(len(stars[1])), float(len(stars.group())) if stars[2] else None
    elif found := _RATING.fullmatch(text):
        number, most = float(found[1].replace(",", ".")), float(found[2]) if found[2] else None
    else:
        raise UnreadableFeedbackError("no rating; a number, 4/5 or stars belong here")
    if not low <= number <= high or (most is not None and most != high):
        raise OffScaleError(f"not on the scale from {low:g} to {high:g}; the option scale says which one is meant")
    return number


def plain(value: Any) -> str:
    """``value`` as text to compare: lower case, words joined by ``_`` unless they hold digits, "" for what is too long.

    >>> plain(" Thumbs-Up "), plain(True), plain("4 out of 5")
    ('thumbs_up', 'true', '4 out of 5')
    """
    text = str(value) if isinstance(value, str | bool | int | float) else ""
    if len(text) > _LONGEST:
        return ""
    text = _TINT.sub("", text).strip().casefold()
    return text if any(c.isdigit() or not c.isascii() for c in text) else re.sub(r"(?<=\w)[-\s]+(?=\w)", "_", text)
