"""What a rater may answer, as buttons with keys; and what a button means in terms of the item itself."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from calibration.audit import PAIR, PAIR_LABELS, TIE, AuditInfo, Label
from judgefleet.errors import ConfigError

MOST_BUTTONS = 11


class SubmitError(ValueError):
    """What was submitted cannot be stored; the message says what is allowed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """One answer. ``value``: what the form sends; ``keys``: the keys that pick it, space-separated."""

    value: str
    keys: str
    text: str
    label: str | None = None
    score: float | None = None

    @property
    def key(self) -> str:
        """The key that the button shows."""
        return self.keys.partition(" ")[0]


def choices_of(info: AuditInfo, order: Sequence[int]) -> list[Choice]:
    """Every allowed answer. ``order``: the positions of the responses as shown, for pairs.

    Raises ConfigError where the audit does not say what may be answered.
    """
    if info.kind == PAIR:
        return _of_pair(info, order)
    if info.labels:
        return [
            Choice(value=str(n), keys=str(n) if n < 10 else "", text=label, label=label)
            for n, label in enumerate(info.labels, start=1)
        ]
    steps = _steps(info)
    return [Choice(value=str(step), keys=_score_key(step, steps[-1]), text=str(step), score=step) for step in steps]


def pick(choices: Sequence[Choice], value: str) -> Choice:
    """The choice that a form sent. Raises SubmitError for anything else."""
    for choice in choices:
        if choice.value == value:
            return choice
    allowed = ", ".join(choice.value for choice in choices)
    raise SubmitError(f"found the answer {value!r:.60}; allowed: {allowed}")


def chosen(choices: Sequence[Choice], label: Label | None) -> Choice | None:
    """The choice that a stored label was."""
    if label is None or label.skipped or label.withdrawn:
        return None
    return next((c for c in choices if (c.label, c.score) == (label.label, label.score)), None)


def _of_pair(info: AuditInfo, order: Sequence[int]) -> list[Choice]:
    allowed = info.labels or PAIR_LABELS
    first, second = (PAIR_LABELS[position] for position in order)
    if not {first, second} <= set(allowed):
        raise ConfigError(f"found the labels {info.labels!r} in audit.yaml; a pair is labelled A, B or TIE")
    answers = [
        Choice(value="1", keys="1", text="Answer 1 is better", label=first),
        Choice(value="2", keys="2", text="Answer 2 is better", label=second),
    ]
    tie = Choice(value="3", keys="3 t", text="Tie", label=TIE)
    return [*answers, tie] if TIE in allowed else answers


def _steps(info: AuditInfo) -> list[int]:
    if info.scale is None:
        raise ConfigError("audit.yaml has neither 'labels' nor a 'scale'; say what raters may answer")
    low, high = info.scale
    # Not a range over any bounds: somebody else's file says them.
    if not (math.isfinite(low) and math.isfinite(high) and 0 < high - low <= 1000 and math.ceil(low) < high):
        raise ConfigError(f"found 'scale: [{low:g}, {high:g}]' in audit.yaml; give a lowest and a higher whole number")
    return list(range(math.ceil(low), math.floor(high) + 1))


def _score_key(score: int, highest: int) -> str:
    """The digit itself; 0 also stands for 10 where that is the top."""
    return str(score) if 0 <= score <= 9 else "0" if score == highest == 10 else ""
