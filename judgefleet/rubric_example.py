"""A worked example of a rubric: an answer, or two, with what people said about it."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, Field

from judgefleet.yaml_model import StrictModel

PREFERENCE = "preference"
_PREFERRED = ("A", "B", "TIE")


class Example(StrictModel):
    """One answer and its ``grades`` (axis: label), or two and ``grades: {preference: A}`` (A, B or TIE).

    ``item``: the item of an audit that it was taken from; a judge that was shown items of an audit is measured on those
    that it cannot have seen. ``note``: why people said so.
    """

    item: str | None = None
    context: str | None = None
    question: str | None = None
    answers: Annotated[tuple[str, ...], Field(min_length=1, max_length=2)]
    grades: Annotated[dict[str, Annotated[str, BeforeValidator(str)]], Field(min_length=1)]
    note: str | None = None

    def mistake(self, scales: Mapping[str, Mapping[str, float]]) -> str | None:
        """What is wrong with it in a rubric whose axes have ``scales``; a rubric without axes compares two answers."""
        wanted, allowed = (1, {axis: list(scale) for axis, scale in scales.items()}) if scales else (2, _PAIR)
        if len(self.answers) != wanted:
            return f"an example of this rubric has {wanted} answer{'s' * (wanted - 1)}, found {len(self.answers)}"
        if unknown := sorted(set(self.grades) - set(allowed)):
            return f"an example grades {unknown[0]!r}; the rubric has: {', '.join(allowed)}"
        wrong = next(((axis, label) for axis, label in self.grades.items() if label not in allowed[axis]), None)
        return (
            wrong and f"an example has the grade {wrong[1]!r} on {wrong[0]!r}; allowed: {', '.join(allowed[wrong[0]])}"
        )


_PAIR = {PREFERENCE: list(_PREFERRED)}
