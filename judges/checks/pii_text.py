"""Text as one who looks for digits and addresses wants it: one kind of digit, dash, space and letter width."""

import unicodedata
from collections.abc import Sequence


def plain(text: str) -> tuple[str, Sequence[int]]:
    """``text`` with Unicode digits, wide letters, dashes and spaces as ASCII, format characters gone; old offsets.

    Offset ``i`` of the second value says where character ``i`` stood in ``text``. ASCII text comes back as it is.

    >>> plain("\\uff14\\u200b\\u0661\\u2011x")
    ('41-x', [0, 2, 3, 4])
    """
    if text.isascii():
        return text, range(len(text))
    table = {ord(c): _plain_character(c) for c in set(text) if not c.isascii()}
    invisible = {chr(c) for c, new in table.items() if not new}
    kept: Sequence[int] = range(len(text))
    if invisible:
        kept = [i for i, c in enumerate(text) if c not in invisible]
    return text.translate(table), kept


def _plain_character(c: str) -> str:
    category = unicodedata.category(c)
    if category == "Nd":
        return str(unicodedata.decimal(c))
    if category == "Cf":
        return ""
    if category == "Pd" or c == "\N{MINUS SIGN}":
        return "-"
    if category == "Zs":
        return " "
    folded = unicodedata.normalize("NFKC", c)
    return folded if len(folded) == 1 and folded.isascii() and not c.isnumeric() else c
