"""The figures of a run: every number that the terminal summary and the report show."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from calibration.gate import GateDecision
from experiments.comparison import Difference
from experiments.preference import PositionBias, Preference
from jobs.wording import one_line, visible
from judgefleet.score import Status
from judgefleet.statistics import Estimate

# Failures that no scorer reported: a sampled trace without a row, and a value that is no number.
NO_ROW = "no_row"
NOT_FINITE = "not_a_number"
BINS = 24


def failure_name(status: str) -> str:
    """The name under which a row without a usable value is counted: its status, unless that says ok.

    >>> failure_name("refused"), failure_name("ok")
    ('refused', 'not_a_number')
    """
    return NOT_FINITE if status == Status.OK else status


@dataclass(frozen=True, kw_only=True, slots=True)
class Arm:
    """One variant on one axis. ``total`` counts its sampled traces, ``ok`` those with a value, ``failures`` the rest by
    status, ``reasons`` the most frequent reasons of each. ``mean`` is None where the axis holds preferences, whose
    figure is the win rate. ``histogram``: values in ``BINS`` parts of the axis' scale; empty for rates."""

    variant: str | None
    total: int
    ok: int
    failures: Mapping[str, int]
    mean: Estimate | None
    reasons: Mapping[str, Sequence[tuple[str, int]]] = field(default_factory=dict)
    histogram: Sequence[int] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """Pairs with the one verdict when the baseline's answer stood first, the other when the candidate's did."""

    baseline_first: str
    candidate_first: str
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Axis:
    """Everything about one scorer, axis and fingerprint. ``scale``: the ends of the values' range, for drawing.
    ``rate``: the values are passes (1) and fails (0). ``matrices``: pairs by verdict, for each of ``preferences``."""

    scorer: str
    axis: str
    fingerprint: str
    kind: str
    direction: str
    config: str
    pairwise: bool
    rate: bool
    scale: tuple[float, float]
    arms: tuple[Arm, ...]
    differences: tuple[Difference, ...] = ()
    preferences: tuple[Preference, ...] = ()
    matrices: tuple[tuple[Cell, ...], ...] = ()
    position: PositionBias | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from other axes."""
        return self.scorer, self.axis, self.fingerprint

    @property
    def unit(self) -> str:
        """What the values are in, where the scorer says so and the name of the axis does not."""
        try:
            said = json.loads(self.config)
        except ValueError:
            return ""
        unit = str(said.get("unit") or said.get("currency") or "") if isinstance(said, dict) else ""
        return "" if unit in self.axis.split("_") else unit

    @property
    def total(self) -> int:
        """Sampled traces of all variants."""
        return sum(a.total for a in self.arms)

    @property
    def ok(self) -> int:
        """Traces with a value, all variants."""
        return sum(a.ok for a in self.arms)


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """A run in figures. ``facts`` is what the run said about itself; ``gates`` has the decision about each LLM judge,
    by fingerprint; ``traces`` counts those sampled or scored."""

    facts: Mapping[str, Any]
    axes: tuple[Axis, ...]
    gates: Mapping[str, GateDecision] = field(default_factory=dict)
    traces: int = 0

    def trusted(self, axis: Axis) -> bool:
        """Whether the axis needs no gate (no LLM judged it) or its gate is open."""
        return axis.fingerprint not in self.gates or self.gates[axis.fingerprint].trusted

    def slots(self) -> dict[str | None, int]:
        """Each variant's place in sort order: its colour, everywhere the same."""
        names = {arm.variant for a in self.axes for arm in a.arms}
        return {v: i for i, v in enumerate(sorted(names, key=lambda v: (v is not None, v)))}

    def to_json(self) -> str:
        """The summary as JSON text. Unknown numbers are null; ``facts`` values JSON lacks become their text."""
        return json.dumps(asdict(self), indent=2, default=str, allow_nan=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Distrust:
    """LLM judges, by name and fingerprint, whose gate is not open, and why."""

    judges: tuple[str, ...]
    state: str
    reason: str

    def sentence(self, marked: str) -> str:
        """The warning in words; ``marked`` says how their figures are marked where it is shown."""
        judges = f"the LLM judge{'s' * (len(self.judges) > 1)} {' and '.join(self.judges)}"
        return (
            f"The figures of {judges}, {marked}, are not trusted until an audit opens the gate. "
            f"Gate: {self.state}, {self.reason}."
        )


def distrusted(summary: Summary) -> list[Distrust]:
    """The LLM judges whose figures are not to be trusted; those with the same reason together."""
    found: dict[tuple[str, str], list[str]] = {}
    for fingerprint, gate in summary.gates.items():
        if not gate.trusted:
            names = sorted({one_line(a.scorer, 60) for a in summary.axes if a.fingerprint == fingerprint})
            judge = f"{', '.join(names)} (fingerprint {visible(fingerprint)})"
            found.setdefault((gate.state.value, visible(gate.reason)), []).append(judge)
    return [Distrust(judges=tuple(names), state=key[0], reason=key[1]) for key, names in found.items()]
