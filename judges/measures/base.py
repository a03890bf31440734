"""What all measures have in common: numbers that a trace carries, each in a unit, none of them a pass or a fail."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from judgefleet.sample import Sample
from judgefleet.score import Outcome, Status, failure
from judgefleet.scorer import Direction, ScorerInfo, ScorerKind
from judgefleet.trace import Trace
from judges.checks.base import readable

# Raise it when the same trace would be measured otherwise.
VERSION = "2"
_MOST = 1e15


class Measure(ABC):
    """Reads numbers off a trace. A subclass has ``Options``, sets ``info`` and answers ``measure``."""

    info: ScorerInfo

    @abstractmethod
    def measure(self, trace: Trace) -> Mapping[str, Outcome]:
        """An outcome for each axis, in time that the size of the trace bounds."""

    def score(self, samples: Sequence[Sample]) -> list[Mapping[str, Outcome]]:
        """One mapping of the axes to their outcomes for each sample, in order."""
        return [self.measure(sample.trace) for sample in samples]


def measure_info(
    name: str,
    *,
    use: str,
    axes: tuple[str, ...],
    config: Mapping[str, Any],
    direction: Direction = Direction.LOWER,
    kind: ScorerKind = ScorerKind.CODE,
) -> ScorerInfo:
    """What a measure states about itself. It needs no part of the trace: a failed request took time and money too."""
    return ScorerInfo(
        name=name,
        version=VERSION,
        kind=kind,
        axes=axes,
        direction=direction,
        needs=frozenset(),
        config={"use": use, **config},
    )


def measured(value: float, reason: str) -> Outcome:
    """``value`` without a label; ``reason`` says what it was computed from.

    >>> measured(12.5, "recorded").value
    12.5
    """
    return Outcome(value=float(value), reason=readable(reason))


def unknown(reason: str) -> Outcome:
    """Not applicable: the trace does not carry what is needed, or carries what cannot be.

    >>> unknown("no cost is recorded").status.value
    'not_applicable'
    """
    return failure(Status.NOT_APPLICABLE, readable(reason))


def problem(what: str, value: object) -> str | None:
    """Why ``value`` is no number from 0 to 1e15, or None when it is one; more cannot be averaged, or be true.

    >>> problem("total_ms", None), problem("total_ms", -1.0), problem("total_ms", 3.0)
    ('the trace has no total_ms', 'total_ms is -1.0, and cannot be', None)
    """
    if value is None:
        return f"the trace has no {what}"
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _MOST
    return None if good else f"{what} is {value!r}, and cannot be"


def recorded(what: str, value: float | None) -> Outcome:
    """A number that the trace has as it is.

    >>> recorded("total_ms", 812.0).reason
    'total_ms as recorded'
    """
    if (wrong := problem(what, value)) or value is None:
        return unknown(wrong or "")
    return measured(value, f"{what} as recorded")


def first_attribute(trace: Trace, names: Iterable[str]) -> tuple[str, str] | None:
    """The first of ``names`` that is an attribute of the trace and not empty, with its text.

    >>> first_attribute(Trace(trace_id="t", attributes={"b": "2", "a": ""}), ("a", "b"))
    ('b', '2')
    """
    return next(((name, trace.attributes[name]) for name in names if trace.attributes.get(name)), None)
