"""What two texts may differ in and still be the same: Unicode form, case, white space, punctuation, articles."""

import re
import string
from typing import Annotated, Literal

import regex  # type: ignore[import-untyped]
from pydantic import BaseModel, Field

from judges.checks.unicode_text import caseless, normal_form

_ASCII = str.maketrans("", "", string.punctuation)
# ASCII counts $+<=>^`|~ as punctuation, Unicode as symbols.
_PUNCTUATION = regex.compile(rf"[\p{{P}}{re.escape(string.punctuation)}]+")
_ENGLISH_ARTICLES = re.compile(r"\b(a|an|the)\b")


class Normalisation(BaseModel, extra="forbid", frozen=True):
    """Applied in this order: ``unicode`` (UAX #15), case, punctuation, articles, white space.

    ``articles`` are the words to leave out (``[a, an, the]``, ``[der, die, das]``). ``whitespace: trim`` cuts it off
    both ends, ``collapse`` also makes every run of it one space.

    >>> Normalisation(ignore_case=True, punctuation="all", articles=("the",)).apply("The “Answer”!")
    'answer'
    """

    unicode: Literal["keep", "NFC", "NFKC"] = "NFC"
    ignore_case: bool = False
    punctuation: Literal["keep", "ascii", "all"] = "keep"
    articles: tuple[Annotated[str, Field(pattern=r"^\w+$")], ...] = ()
    whitespace: Literal["keep", "trim", "collapse"] = "trim"

    def apply(self, text: str) -> str:
        """``text`` as it is compared."""
        text = self._letters(text)
        if self.punctuation != "keep":
            text = text.translate(_ASCII) if self.punctuation == "ascii" else _PUNCTUATION.sub("", text)
        if self.articles:
            text = re.sub(rf"\b(?:{'|'.join(map(re.escape, self._articles()))})\b", " ", text)
        if self.whitespace == "keep":
            return text
        return " ".join(text.split()) if self.whitespace == "collapse" else text.strip()

    def _letters(self, text: str) -> str:
        if self.unicode == "keep":
            return text.casefold() if self.ignore_case else text
        text = normal_form(text, self.unicode)
        return caseless(text, self.unicode) if self.ignore_case else text

    def _articles(self) -> list[str]:
        return [self._letters(article) for article in self.articles]


def squad(text: str) -> str:
    """``normalize_answer`` of the evaluation script of SQuAD 1.1 (Rajpurkar et al. 2016).

    Lower case; ASCII punctuation, then the words a, an and the left out; white space collapsed; no Unicode form.

    >>> squad("The  Eiffel-Tower, a landmark.")
    'eiffeltower landmark'
    """
    return " ".join(_ENGLISH_ARTICLES.sub(" ", text.lower().translate(_ASCII)).split())
