"""The worked examples of a rubric as material: fenced like any text that others wrote, and before everything else."""

from collections.abc import Iterator

from judgefleet.rubric import Rubric
from judgefleet.rubric_example import PREFERENCE, Example
from judges.material import Part

# Nobody gives way after the examples do: like the rubric, they are never cut.
_YIELDS, _KEEP = 3, 1.0


def example_parts(rubric: Rubric) -> list[Part]:
    """The same for every trace, so that all prompts of a rubric share them. What people said stands in the title, which
    is ours; only texts are behind a fence.

    >>> from judgefleet.rubric import Axis, Scale
    >>> example = Example(question="Open today?", answers=("Yes.",), grades={"truth": "2"})
    >>> axes = (Axis(name="truth", question="True?", scale=Scale(min=1, max=2)),)
    >>> rubric = Rubric(name="r", version="1", instructions="Grade.", axes=axes, examples=(example,))
    >>> [part.title for part in example_parts(rubric)]
    ["Example 1 of 1, User's message", 'Example 1 of 1, Answer. People graded truth: 2']
    """
    count = len(rubric.examples)
    return [
        Part(title=f"Example {number} of {count}, {title}", text=text, yields=_YIELDS, keep=_KEEP)
        for number, example in enumerate(rubric.examples, 1)
        for title, text in _texts(example, rubric)
    ]


def _texts(example: Example, rubric: Rubric) -> Iterator[tuple[str, str]]:
    titles = rubric.titles
    if example.context:
        yield titles.contexts, example.context
    if example.question:
        yield titles.question, example.question
    if len(example.answers) == 1:
        said = ", ".join(f"{axis.replace('_', ' ')}: {label}" for axis, label in example.grades.items())
        yield f"{titles.answer}. People graded {said}", example.answers[0]
    else:
        preferred = example.grades[PREFERENCE]
        said = "found both equally good" if preferred == "TIE" else f"preferred answer {preferred}"
        yield "Answer A", example.answers[0]
        yield f"Answer B. People {said}", example.answers[1]
    if example.note:
        yield "why people said so", example.note
