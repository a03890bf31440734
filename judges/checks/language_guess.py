"""Which language a text is in, by the model of py3langid (Lui and Baldwin 2012; 138 languages)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any

import regex  # type: ignore[import-untyped]

# Members of one macrolanguage of ISO 639-3, which short texts do not tell apart, count as one. Ancient forms as well.
_ONE_LANGUAGE = (
    ("ar", "ary", "arz"),
    ("el", "grc"),
    ("he", "hbo"),
    ("hr", "bs", "sr"),
    ("id", "ms"),
    ("ku", "sdh"),
    ("lv", "ltg"),
    ("no", "nn"),
    ("uz", "uzs"),
    ("zh", "wuu", "yue"),
)
# Codes of ISO 639-1 by those that the model has for the language.
_OTHER_CODES = {"ff": "fuv", "gn": "gug", "ki": "kik", "nb": "no"}
_SAME = {code: "/".join(group) for group in _ONE_LANGUAGE for code in group}
# What the model says of text that is in no language.
NO_LANGUAGE = "zxx"
# Enough for every language; beyond, text that repeats itself looks ever less certain to the model.
_LONGEST = 2000

_FENCE = regex.compile(
    r"^ {0,3}(`{3,}+|~{3,}+)[^\n]*+\n(?:(?! {0,3}\1)[^\n]*+\n)*+(?: {0,3}\1[^\n]*+)?", regex.MULTILINE
)
_NO_PROSE = regex.compile(r"`[^`\n]++`|\b(?:https?://|www\.)\S++|\b[\w.+-]{1,64}+@[\w.-]++")
# One character of these scripts says about as much as three letters.
_LETTER = regex.compile(r"(?P<dense>[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}])|\p{L}")


def prose(text: str) -> str:
    """``text`` without fenced and inline code, addresses of pages and of mail.

    >>> prose("Run `ls`:\\n```sh\\nls\\n```\\nSee https://example.org/a for more.").split()
    ['Run', ':', 'See', 'for', 'more.']
    """
    return str(_NO_PROSE.sub(" ", _FENCE.sub(" ", text if text.endswith("\n") else f"{text}\n")))


def letters(text: str, most: int) -> int:
    """How many letters ``text`` has, up to about ``most``; one of Chinese, Japanese or Korean counts as three.

    >>> letters("Ja, 30 Tage.", 99), letters("退款", 99)
    (6, 6)
    """
    return sum(3 if found["dense"] else 1 for found in islice(_LETTER.finditer(text), most))


def same(code: str) -> str:
    """The name of all that are not told apart from ``code``.

    >>> same("yue"), same("nb"), same("en")
    ('zh/wuu/yue', 'no/nn', 'en')
    """
    code = _OTHER_CODES.get(code, code)
    return _SAME.get(code, code)


def known_languages() -> frozenset[str]:
    """The codes that can be told: ISO 639-1 where there is one, else ISO 639-3; both of Fula, Guarani and Kikuyu."""
    return frozenset(_model().labels) - {NO_LANGUAGE} | _OTHER_CODES.keys()


def probabilities(text: str) -> Mapping[str, float]:
    """The probability of each language, the likeliest first, by the first 2000 characters of ``text``.

    >>> next(iter(probabilities("Ihr Paket kommt morgen an.")))
    'de'
    """
    total: dict[str, float] = defaultdict(float)
    for code, probability in _model().rank(text[:_LONGEST]):
        total[same(code)] += probability
    return dict(sorted(total.items(), key=lambda item: -item[1]))


def sum_of(found: Mapping[str, float], codes: Iterable[str]) -> float:
    """The probability that the language is one of ``codes``."""
    return sum(found.get(code, 0.0) for code in {same(code) for code in codes})


@lru_cache(maxsize=1)
def _model() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped]

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
