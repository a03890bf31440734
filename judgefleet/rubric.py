"""Rubric: how to grade, as YAML that people who write no code can review."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, FiniteFloat, model_validator

from judgefleet.errors import ConfigError, did_you_mean
from judgefleet.hashing import stable_hash
from judgefleet.rubric_example import Example
from judgefleet.scorer import Direction, Need
from judgefleet.yaml_model import StrictModel, load_yaml_model

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$")]


_MOST_LABELS = 1000
_EXAMPLES = "Examples with what people said come first, then what you are asked about."


class Scale(StrictModel):
    """The labels a judge may answer with, lowest first, and the number each stands for.

    Either ``min`` and ``max`` (whole numbers, each one a label) or ``labels`` (label: value). Anchors say
    in words what a label means.

    >>> Scale(min=1, max=3, anchors={1: "useless", 3: "complete"}).values
    {'1': 1.0, '2': 2.0, '3': 3.0}
    >>> Scale(labels={"no": 0, "yes": 1}).sentence
    'Reply with one of: no, yes.'
    """

    min: int | None = None
    max: int | None = None
    labels: dict[str, FiniteFloat] | None = None
    anchors: dict[int | str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _complete(self) -> "Scale":
        ends = [self.min, self.max]
        if (None in ends) if self.labels is None else ends != [None, None]:
            raise ValueError("a scale needs either min and max, or labels with their values")
        if self.labels is None and (self.max or 0) - (self.min or 0) > _MOST_LABELS:
            raise ValueError(f"a scale from {self.min} to {self.max} has too many labels, at most {_MOST_LABELS}")
        if len(self.values) < 2:
            raise ValueError(f"a scale needs at least two labels, found {list(self.values)}")
        if unknown := {str(a) for a in self.anchors} - set(self.values):
            raise ValueError(f"anchors for labels that are not on the scale: {sorted(unknown)}")
        return self

    @property
    def values(self) -> dict[str, float]:
        """Label to number, in order."""
        if self.labels is not None:
            return {label: float(value) for label, value in self.labels.items()}
        return {str(n): float(n) for n in range(self.min or 0, (self.max or 0) + 1)}

    @property
    def sentence(self) -> str:
        """What a judge is told about the form of its reply."""
        if self.labels is None:
            return f"Reply with one number from {self.min} to {self.max}."
        return f"Reply with one of: {', '.join(self.labels)}."


class Axis(StrictModel):
    """One thing to grade."""

    name: Slug
    question: str = Field(min_length=1)
    scale: Scale
    direction: Direction = Direction.HIGHER

    @property
    def text(self) -> str:
        """The axis as the judge reads it in the rubric."""
        anchors = "".join(f"\n  {label}: {meaning}" for label, meaning in self.scale.anchors.items())
        return f"{self.name.replace('_', ' ')}: {self.question}{anchors}"


class Titles(StrictModel):
    """What the judge sees above each part of a trace."""

    contexts: str = "Context"
    question: str = "User's message"
    answer: str = "Answer"
    reference: str = "Reference answer"
    tool_calls: str = "Tools that were called"


class Rubric(StrictModel):
    """Name, version, instructions and axes; ``content_hash`` changes with any word of it.

    ``steps``: how to come to a verdict, one after the other (the evaluation steps of G-Eval, Liu et al. 2023).
    ``examples``: answers with what people said about them, shown to the judge before what it is to grade.
    """

    name: Slug
    version: str
    instructions: str = Field(min_length=1)
    steps: tuple[str, ...] = ()
    titles: Titles = Titles()
    axes: tuple[Axis, ...] = ()
    examples: tuple[Example, ...] = ()
    needs: frozenset[Need] = frozenset({Need.QUESTION, Need.OUTPUT})

    @model_validator(mode="after")
    def _distinct(self) -> "Rubric":
        names = [axis.name for axis in self.axes]
        if repeated := {n for n in names if names.count(n) > 1}:
            raise ValueError(f"axes with the same name: {sorted(repeated)}")
        scales = {axis.name: axis.scale.values for axis in self.axes}
        if mistake := next(filter(None, (example.mistake(scales) for example in self.examples)), None):
            raise ValueError(mistake)
        return self

    @property
    def content_hash(self) -> str:
        """16 hex digits over everything in the rubric."""
        # The order of labels is part of the question, and sorted keys would hide it.
        scales = [list(axis.scale.values.items()) for axis in self.axes]
        # A rubric without examples keeps the hash that it had before there were any.
        said = self.model_dump(mode="json", exclude=None if self.examples else {"examples"})
        return stable_hash(said | {"needs": sorted(self.needs), "scales": scales}, length=16)

    @property
    def text(self) -> str:
        """The rubric as the judge reads it; the examples stand with the material, since others wrote them."""
        steps = [f"Step {number}: {step}" for number, step in enumerate(self.steps, 1)]
        lead = [_EXAMPLES] if self.examples else []
        return "\n".join([self.instructions.strip(), *steps, *(axis.text for axis in self.axes), *lead])


def load_rubric(name: str, folder: Path) -> Rubric:
    """The rubric called ``name`` in ``folder``, or the YAML file that ``name`` is the path of.

    Raises ConfigError when there is none, or with the line of what is wrong in it.
    """
    if name.endswith((".yaml", ".yml")):
        return load_yaml_model(Path(name), Rubric)
    path = folder / f"{name}.yaml"
    if not path.is_file():
        raise ConfigError(f"no rubric {name!r}; {did_you_mean(name, (p.stem for p in folder.glob('*.yaml')))}")
    return load_yaml_model(path, Rubric)
