"""The marks of numbers as scripts, keyboards, LaTeX and HTML write them, made those that numbers are read by."""

import regex  # type: ignore[import-untyped]

_UNSEEN = "\u00ad\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
_PLAIN = {
    **dict.fromkeys("\uff0c\ufe50", ","),
    **dict.fromkeys("\uff0e\ufe52", "."),
    **dict.fromkeys("\u2010\u2011\ufe63\uff0d", "-"),
    **dict.fromkeys("\u2044\u2215\uff0f", "/"),
    **dict.fromkeys("\u066a\ufe6a\uff05", "%"),
    **dict.fromkeys(_UNSEEN, None),
}
_TABLE = str.maketrans(_PLAIN)
# 1{,}250 and 1,\!250; 1\,250 with a thin space; 10<sup>6</sup>.
_SPELT = (
    (regex.compile(r"(?<=\d)(?:\{([.,])\}|([.,])\\!)(?=\d)"), r"\1\2"),
    (regex.compile(r"(?<=\d)\\[,:; ](?=\d)"), "\u2009"),
    (regex.compile(r"(?i)<sup>([^<>{}]{1,40}+)</sup>"), r"^{\1}"),
)


def plain_marks(text: str) -> str:
    r"""``text`` with ASCII commas, points, hyphens, slashes and percent signs; format characters left out.

    Signs of minus and dashes stay what they are, as do the decimal and the group mark of Arabic digits.

    >>> plain_marks(r"1{,}234 or 1,\!234 or 10<sup>6</sup>"), plain_marks("\u20115 and 1\uff0c234 and 2\u20443")
    ('1,234 or 1,234 or 10^{6}', '-5 and 1,234 and 2/3')
    """
    text = text if text.isascii() else text.translate(_TABLE)
    for spelt, mark in _SPELT:
        text = spelt.sub(mark, text)
    return text
