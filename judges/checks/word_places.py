"""Where a phrase stands in a text as it was written, though it was looked for in another form of it."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import regex  # type: ignore[import-untyped]

from judges.checks.words import plain_words

Span: TypeAlias = tuple[int, int]

_WORD = re.compile(r"\S+")
# What people see as one character: composing and folding never reach beyond it.
_CHARACTER = regex.compile(r"\X")
# No word is cut here.
_EDGE = r"(?!(?<=\w)\w)"


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """A text beside its plain form, which is in pieces: where each begins, and where it stands in the text.

    ``even``: within a piece, a character of the plain form is one of the text. ``fits``: the pieces are all of it.
    """

    size: int
    plain: str
    begins: list[int]
    spans: list[Span]
    even: bool
    fits: bool

    def places(self, phrase: str, *, ignore_case: bool, whole_words: bool) -> Iterator[Span]:
        """Start and end of each occurrence that ``words.compared`` lets find, none over another.

        All of the text in the rare case where the two forms cannot be laid over each other.

        >>> written = lay("In THIRTY\\n days.", ignore_case=True)
        >>> list(written.places("thirty days", ignore_case=True, whole_words=True))
        [(3, 15)]
        """
        wanted = regex.escape(plain_words(phrase, ignore_case=ignore_case))
        edge = _EDGE if whole_words else ""
        found = list(regex.finditer(f"{edge}{wanted}{edge}", self.plain)) if self.fits else []
        for match in found:
            yield self._written(match.start())[0], self._written(match.end() - 1)[1]
        if not found:
            yield 0, self.size

    def _written(self, position: int) -> Span:
        """Start and end in the text of what became the character at ``position`` of the plain form."""
        piece = bisect_right(self.begins, position) - 1
        start, end = self.spans[piece]
        inside = position - self.begins[piece]
        # What lies behind a piece is the one space for a run of white space.
        return (start + inside, start + inside + 1) if self.even and inside < end - start else (start, end)


def lay(text: str, *, ignore_case: bool) -> Written:
    """``text`` beside its plain form; linear in its length, but much slower than looking for a phrase."""
    plain, even = plain_words(text, ignore_case=ignore_case), text.isascii()
    begins: list[int] = []
    spans: list[Span] = []
    length = 0
    for word in _WORD.finditer(text):
        length += bool(spans)
        for start, end in [word.span()] if even else (c.span() for c in _CHARACTER.finditer(text, *word.span())):
            begins.append(length)
            spans.append((start, end))
            length += end - start if even else len(plain_words(text[start:end], ignore_case=ignore_case))
    return Written(size=len(text), plain=plain, begins=begins, spans=spans, even=even, fits=length == len(plain))
