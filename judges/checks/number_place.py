"""Which of the numbers in a text is the answer: the first, the last, or the one after a mark."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, TypeAlias, TypeVar

from judges.checks.base import quoted
from judges.checks.number_text import TIMEOUT_S, Notation, Number

Place: TypeAlias = Literal["first", "last"]
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class NumberPlace:
    """Finds the answer in texts; ``marker`` is a compiled pattern of the ``regex`` package, or None.

    Both methods raise TimeoutError when a search takes longer than two seconds.

    >>> NumberPlace(notation=Notation()).in_output("3 of 12").text
    '12'
    >>> NumberPlace(notation=Notation()).in_reference("3 of 12")
    'the reference has several numbers and there is no marker'
    """

    notation: Notation
    place: Place = "last"
    marker: Any = None

    def in_output(self, text: str) -> Number | str:
        """The number that counts, or why there is none."""
        if self.marker is None:
            return self._one(self.notation.read(text)) or f"found no number in {len(text)} characters"
        marked = self._marked(text)
        mark = quoted(self.marker.pattern)
        if marked is None:
            return f"found nothing like {mark} in {len(text)} characters"
        return next(self.notation.read(marked), None) or f"found no number after {mark}"

    def in_reference(self, text: str) -> Number | str:
        """The number after the mark or the only one, or why nobody can say which it is."""
        marked = None if self.marker is None else self._marked(text)
        found = list(islice(self.notation.read(text if marked is None else marked), 2))
        if not found:
            return "the reference has no number"
        if len(found) > 1 and marked is None:
            mark = "there is no marker" if self.marker is None else f"nothing like {quoted(self.marker.pattern)}"
            return f"the reference has several numbers and {mark}"
        if found[0].value is None:
            return f"the reference has {quoted(found[0].text)}, which is no clear number"
        return found[0]

    def _marked(self, text: str) -> str | None:
        """What follows the mark."""
        found = self._one(self.marker.finditer(text, timeout=TIMEOUT_S))
        return None if found is None else text[found.end() :]

    def _one(self, found: Iterable[T]) -> T | None:
        ends = deque(found, maxlen=1) if self.place == "last" else list(islice(found, 1))
        return ends[0] if ends else None
