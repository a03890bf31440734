"""Reads what people left on an answer: a thumb or a rating, in the forms in which programs write them."""

import re
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal["thumbs", "rating"]

# Nobody calls a grade so; the words of praise and blame below may be the label of one.
_GESTURE_UP = frozenset(("up", "thumbs_up", "thumb_up", "thumbsup", "👍", "like", "liked", "upvote"))
_GESTURE_DOWN = frozenset(("down", "thumbs_down", "thumb_down", "thumbsdown", "👎", "dislike", "disliked", "downvote"))
_UP = _GESTURE_UP | {"positive", "pos", "good", "helpful", "satisfied"}
_DOWN = _GESTURE_DOWN | {"negative", "neg", "bad", "unhelpful", "not_helpful", "unsatisfied", "dissatisfied"}
_ANSWERS = {"yes": True, "true": True, "no": False, "false": False}
_NOTHING = frozenset(("", "null", "none", "nil", "nan", "undefined"))
# Colours of skin and the mark that asks for a coloured picture mean nothing here.
_TINT = re.compile("[\U0001f3fb-\U0001f3ff\ufe0f]")
_NUMBER = re.compile(r"[-+]?\d{1,9}(?:[.,]\d{1,30})?(?:e[-+]?\d{1,3})?")
_RATING = re.compile(rf"({_NUMBER.pattern})\s*(?:(?:/|of|out of)\s*(\d{{1,9}}))?\s*(?:stars?|★|⭐)?", re.IGNORECASE)
_STARS = re.compile(r"([★⭐]+)(☆*)")
_LONGEST = 40


class UnreadableFeedbackError(Exception):
    """Raised where something was left that is neither a thumb nor a rating; the text says what."""


class OffScaleError(Exception):
    """Raised for a rating that the scale does not have; the text says which."""


def is_nothing(value: Any) -> bool:
    """Whether ``value`` says that nothing was left.

    >>> is_nothing(None), is_nothing("null"), is_nothing(float("nan")), is_nothing({}), is_nothing(0)
    (True, True, True, True, False)
    """
    return value is None or value in ([], {}) or str(value)[:_LONGEST].strip().lower() in _NOTHING


def kind_of(value: Any) -> Kind | None:
    """What ``value`` is by itself; None for a bare number, which may be either, and for what is neither.

    >>> kind_of("Thumbs up"), kind_of(True), kind_of("4/5"), kind_of("★★★☆☆"), kind_of(1)
    ('thumbs', 'thumbs', 'rating', 'rating', None)
    """
    text = plain(value)
    if is_number(value):
        return None
    if text in _UP | _DOWN or text in _ANSWERS:
        return "thumbs"
    return "rating" if _RATING.fullmatch(text) or _STARS.fullmatch(text) else None


def is_gesture(value: Any) -> bool:
    """Whether ``value`` is a thumb and cannot be the label of a grade.

    >>> is_gesture("👍🏽"), is_gesture("thumbs-down"), is_gesture("good"), is_gesture(True)
    (True, True, False, False)
    """
    return plain(value) in _GESTURE_UP | _GESTURE_DOWN


def is_number(value: Any) -> bool:
    """Whether ``value`` is a number and nothing else, also as text.

    >>> is_number(1), is_number("4.5"), is_number(True), is_number("4/5")
    (True, True, False, False)
    """
    return _NUMBER.fullmatch(plain(value)) is not None


def read_thumb(values: Sequence[Any], named: bool | None = None) -> bool:
    """True for up, False for down, as ``values`` say together and a name beside them that points so (``named``).

    A word decides over yes and no, true and false, 1 and 0, which say of a name alone whether it is meant; -1 is down.
    Raises UnreadableFeedbackError where there is no thumb among them, or both.

    >>> read_thumb(["👎🏽"]), read_thumb(["Liked"]), read_thumb(["1.0"]), read_thumb([1, "thumbs-down"])
    (False, True, True, False)
    >>> read_thumb([1], named=False)
    False
    """
    texts = [plain(value) for value in values]
    said = {text in _UP for text in texts if text in _UP | _DOWN} | {False for text in texts if _number(text) == -1}
    answered = {answer for text in texts if (answer := _answer(text)) is not None}
    if not said and not answered:
        raise UnreadableFeedbackError("neither up nor down; words such as up and down, or 1, 0 and -1 belong here")
    if not said and named is not None and True not in answered:
        raise UnreadableFeedbackError("a name that is a thumb, and no; the other thumb may not be meant by that")
    pointing = said if named is None else said | {named}
    if len(pointing or answered) == 2 or (True in pointing and False in answered):
        raise UnreadableFeedbackError("it says both up and down")
    return (pointing or answered).pop()


def _answer(text: str) -> bool | None:
    return _ANSWERS[text] if text in _ANSWERS else {1.0: True, 0.0: False}.get(_number(text))


def _number(text: str) -> float:
    return float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else float("nan")


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
        number, most = _number(found[1]), float(found[2]) if found[2] else None
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
