"""Votes: what the members of a panel said becomes one verdict by a declared rule, or none."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from judgefleet.score import Outcome

Rule = Literal["mean", "median", "majority", "unanimous"]


class NoVerdictError(Exception):
    """The members have no verdict in common; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Vote:
    """What one member said. ``position``: where it lies between the labels, in the terms of the ballot."""

    label: str
    position: float
    weight: float = 1.0


class Ballot(Protocol):
    """What is voted on. Positions are numbers that votes are averaged in."""

    @property
    def positions(self) -> Mapping[str, float]:
        """Where each label lies."""
        ...

    def vote(self, outcome: Outcome, weight: float) -> Vote:
        """What a member said, as a vote."""
        ...

    def label(self, position: float) -> str:
        """The label that a position stands for."""
        ...

    def value(self, position: float) -> float:
        """The value of a row at ``position``."""
        ...

    def even(self, leaders: Sequence[str]) -> str:
        """The label where several lead alike."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Grades:
    """Grades on a scale, label to value; a position is a value."""

    positions: Mapping[str, float]

    def vote(self, outcome: Outcome, weight: float) -> Vote:
        """The member's grade."""
        return Vote(label=outcome.label or "", position=outcome.value or 0.0, weight=weight)

    def label(self, position: float) -> str:
        """The nearest label, the lower of two."""
        return min(self.positions, key=lambda x: (round(abs(self.positions[x] - position), 9), self.positions[x]))

    def value(self, position: float) -> float:
        """The position itself."""
        return round(position, 6)

    def even(self, leaders: Sequence[str]) -> str:
        """The lowest: where as many say 2 as say 4, nobody can say that it is better than a 2."""
        return min(leaders, key=lambda x: self.positions[x])


@dataclass(frozen=True, kw_only=True, slots=True)
class Preferences:
    """Which of two answers; a position is the value less one half, so that both sides are exact mirrors."""

    tie_band: float

    @property
    def positions(self) -> Mapping[str, float]:
        """A tie lies in the middle."""
        return {"loss": -0.5, "tie": 0.0, "win": 0.5}

    def vote(self, outcome: Outcome, weight: float) -> Vote:
        """The member's preference."""
        said = outcome.probabilities
        margin = (said["win"] - said["loss"]) / 2 if said else (outcome.value or 0.0) - 0.5
        return Vote(label=outcome.label or "", position=margin, weight=weight)

    def label(self, position: float) -> str:
        """A tie within the band, and where both are alike."""
        if abs(position) <= self.tie_band + 1e-9:
            return "tie"
        return "win" if position > 0 else "loss"

    def value(self, position: float) -> float:
        """The probability of being preferred, ties as half."""
        return round(0.5 + position, 6)

    def even(self, leaders: Sequence[str]) -> str:  # noqa: ARG002
        """A tie, whichever two they are."""
        return "tie"


def elect(votes: Sequence[Vote], rule: Rule, ballot: Ballot) -> tuple[float, str]:
    """Position and label. ``votes`` are those of the members that gave a verdict, at least one.

    ``mean`` and ``median`` are of positions, by weight, and the label is the one that lies there. ``majority`` is the
    label with the most weight, and ``unanimous`` the label of all; both are worth what their label is.
    Raises NoVerdictError where ``unanimous`` finds two labels.

    >>> grades = Grades(positions={"1": 1.0, "2": 2.0, "3": 3.0})
    >>> votes = [Vote(label="1", position=1.2), Vote(label="3", position=2.9), Vote(label="3", position=3.0)]
    >>> [elect(votes, rule, grades) for rule in ("median", "majority")]
    [(2.9, '3'), (3.0, '3')]
    """
    if rule == "mean":
        total = math.fsum(vote.weight for vote in votes)
        position = math.fsum(vote.weight * vote.position for vote in votes) / total
        return position, ballot.label(position)
    if rule == "median":
        position = _median(votes)
        return position, ballot.label(position)
    leaders = _leaders(votes) if rule == "majority" else sorted({vote.label for vote in votes})
    if rule == "unanimous" and len(leaders) > 1:
        raise NoVerdictError(f"the members disagree: {', '.join(leaders)}")
    label = leaders[0] if len(leaders) == 1 else ballot.even(leaders)
    return ballot.positions[label], label


def _leaders(votes: Sequence[Vote]) -> list[str]:
    weights: defaultdict[str, float] = defaultdict(float)
    for vote in votes:
        weights[vote.label] += vote.weight
    top = max(weights.values())
    return sorted(label for label, weight in weights.items() if math.isclose(weight, top, rel_tol=1e-9))


def _median(votes: Sequence[Vote]) -> float:
    """The weighted median: half of the weight lies on either side; the middle of two where it falls between them."""
    ordered = sorted(votes, key=lambda vote: vote.position)
    half = math.fsum(vote.weight for vote in votes) / 2
    reached = [math.fsum(vote.weight for vote in ordered[: i + 1]) for i in range(len(ordered))]
    low = next(i for i, weight in enumerate(reached) if weight >= half * (1 - 1e-9))
    high = next(i for i, weight in enumerate(reached) if weight > half * (1 + 1e-9))
    return (ordered[low].position + ordered[high].position) / 2
