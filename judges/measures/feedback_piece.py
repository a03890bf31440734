"""One piece of feedback: what stands in it, what it is called, and what both say together."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, groupby
from typing import Any

from judges.checks.base import quoted
from judges.measures.feedback_names import kind_by, points
from judges.measures.feedback_values import Kind, is_gesture, is_number, kind_of, read_rating, read_thumb

NOTHING = "nothing was left, or it was taken back"


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """``values`` and ``names`` have first what says most; ``series``: the attribute and name that later ones share.

    ``at``: when it was left, as far as it says. ``no``: why it does not count.
    """

    where: str
    series: tuple[str, str]
    values: tuple[Any, ...] = ()
    names: tuple[str, ...] = ()
    at: datetime | None = None
    no: str = ""

    def __str__(self) -> str:
        """Where it stands and what it says, for a reason."""
        values = ", ".join(quoted(str(value)) for value in self.values)
        return f"{self.where}: {self.no}" if self.no else f"{self.where} is {values}"

    @property
    def named(self) -> Kind | None:
        """The kind that its names say."""
        return kind_by(self.names)

    @property
    def kind(self) -> Kind | None:
        """What it is; None for a bare number under a neutral name, and for what is neither a thumb nor a rating.

        A thumb in words decides. Under a name that says rating a number is one, whatever words are its label.

        >>> rated = ((1, "👍"), (2, "bad"), (True,))
        >>> [Found(where="", series=("", ""), values=values, names=("rating",)).kind for values in rated]
        ['thumbs', 'rating', 'thumbs']
        """
        kinds = [kind for value in self.values if (kind := kind_of(value))]
        if any(map(is_gesture, self.values)):
            return "thumbs"
        if self.named == "rating" and (self.is_number or "rating" in kinds):
            return "rating"
        return kinds[0] if kinds else self.named if self.is_number else None

    @property
    def is_number(self) -> bool:
        """Whether a bare number is among its values."""
        return any(map(is_number, self.values))

    def thumb(self, *, exact: bool) -> bool:
        """Whether it is a thumb up. ``exact``: asked for by its name, so that a no to "thumbs_up" is meant.

        Raises UnreadableFeedbackError.
        """
        named = next((way for name in self.names if (way := points(name)) is not None), None)
        return read_thumb(self.values, None if exact and named else named)

    def rating(self, low: float, high: float) -> float:
        """The rating on the scale. Raises UnreadableFeedbackError and OffScaleError."""
        rated = [value for value in self.values if is_number(value) or kind_of(value) == "rating"]
        return read_rating((rated or self.values)[0], low, high)


def in_order(found: Iterable[Found]) -> list[Found]:
    """What counts most last: by time where all have one, those of one attribute also where only all of them do.

    Without what was taken back: a later piece of the same series in which nothing is left.
    """
    every = list(found)
    others = [piece for piece in every if piece.no not in ("", NOTHING)]
    counting = [piece for piece in every if piece.no in ("", NOTHING)]
    groups = [_by_time(list(group)) for _, group in groupby(counting, key=lambda piece: piece.series[0])]
    counting = _by_time(list(chain.from_iterable(groups)))
    taken_back = {piece.series: number for number, piece in enumerate(counting) if piece.no == NOTHING}
    return others + [piece for number, piece in enumerate(counting) if number >= taken_back.get(piece.series, 0)]


def _by_time(found: list[Found]) -> list[Found]:
    timed = [(piece.at, number) for number, piece in enumerate(found) if piece.at is not None]
    return [found[number] for _, number in sorted(timed)] if len(timed) == len(found) else found
