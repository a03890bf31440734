"""Support: the verdicts on the claims of one answer become its score."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from judgefleet.score import Outcome, failure
from judges.judge import Unit, remarks
from judges.verdict import Reply, Verdict, usage

Counted = Literal["probability", "label"]
_LONGEST_SHOWN = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimsUnit(Unit):
    """Claims to check: one asking for each of ``claims``. ``before``: the replies of the round that listed them."""

    claims: tuple[str, ...]
    before: tuple[Reply, ...] = ()


def support(unit: ClaimsUnit, values: Mapping[str, float], counted: Counted) -> Outcome:
    """The mean over claims, whose verdicts are all there; ``values``: label to 0 or 1.

    The label is that of the least supported claim. One failed verdict fails the whole: a share of what happened to be
    readable is no share of the claims.
    """
    spent: dict[str, Any] = usage([*unit.before, *unit.spent])
    verdicts = [asking.verdict for asking in unit.askings if asking.verdict]
    for number, failed in enumerate((verdict.failure for verdict in verdicts), 1):
        if failed:
            return failure(failed.status, f"claim {number} of {len(unit.claims)}: {failed.reason}", **spent)
    mean = {label: sum(v.probabilities[label] for v in verdicts) / len(verdicts) for label in values}
    labels = [verdict.label for verdict in verdicts]
    by_label = sum(values[label] for label in labels) / len(labels)
    by_probability = sum(mass * values[label] for label, mass in mean.items())
    return Outcome(
        value=round(by_label if counted == "label" else by_probability, 6),
        label=min(labels, key=lambda label: values[label]),
        probabilities={x: round(mass, 6) for x, mass in mean.items()} if all(v.weighted for v in verdicts) else {},
        reason=_reason(unit, verdicts, f"{by_label * len(labels):.0f} of {len(labels)} claims supported", counted),
        **spent,
    )


def _reason(unit: ClaimsUnit, verdicts: Sequence[Verdict], head: str, counted: Counted) -> str:
    lines = [
        f"{verdict.label} {verdict.probabilities[verdict.label]:.2f}: {shown(claim)}"
        for verdict, claim in zip(verdicts, unit.claims, strict=True)
    ]
    return " | ".join(filter(None, [f"{head}, each counted by its {counted}", remarks(unit), *lines]))


def shown(text: str) -> str:
    """A claim as a row shows it."""
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
