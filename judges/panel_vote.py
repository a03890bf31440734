"""Panel vote: the members' judges are asked side by side, and their outcomes become one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from judgefleet.rubric import Rubric
from judgefleet.sample import Sample
from judgefleet.score import OrderVerdict, Outcome, Status, failure
from judgefleet.scorer import ScorerInfo, ScorerKind
from judges.judge import Keep, Row, Unit
from judges.pairwise import BoundPairwise
from judges.pointwise import BoundPointwise
from judges.prompt import Prompt
from judges.reconcile import likeliest
from judges.verdict import Reply, usage
from judges.votes import Ballot, Grades, NoVerdictError, Preferences, Rule, elect

_PLACES = ("first", "second", "tie")


@dataclass(frozen=True, kw_only=True, slots=True)
class Seat:
    """One member: its engine's name, how much its vote counts, and its judge."""

    name: str
    weight: float
    judge: BoundPointwise | BoundPairwise


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelUnit(Unit):
    """The same question to every member; ``members`` has the unit of each, in the order of the seats."""

    members: tuple[Unit, ...]

    @property
    def done(self) -> bool:
        """Whether no member has a question open."""
        return all(member.done for member in self.members)

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """What to ask the engines now."""
        return tuple(prompt for member in self.members for prompt in member.prompts)

    def after(self, replies: Sequence[Reply]) -> "PanelUnit":
        """The unit one round on."""
        left = iter(replies)
        stepped = [member.after(list(islice(left, len(member.prompts)))) for member in self.members]
        return replace(self, members=tuple(stepped))

    @property
    def spent(self) -> list[Reply]:
        """Every reply so far, of all members."""
        return [reply for member in self.members for reply in member.spent]


class BoundPanel:
    """Asks every member and counts."""

    def __init__(
        self, name: str, rubric: Rubric, seats: Sequence[Seat], rule: Rule, quorum: int, tie_band: float
    ) -> None:
        self._seats, self._rule, self._quorum = seats, rule, quorum
        first = seats[0].judge
        self._ballots: dict[str, Ballot] = {axis: Preferences(tie_band=tie_band) for axis in first.info.axes}
        if isinstance(first, BoundPointwise):
            self._ballots = {axis.name: Grades(positions=axis.scale.values) for axis in rubric.axes}
        self.info = ScorerInfo(
            name=name,
            version="1",
            kind=ScorerKind.LLM,
            axes=first.info.axes,
            direction=first.info.direction,
            needs=first.info.needs,
            config={
                "mode": "panel",
                "vote": rule,
                "quorum": quorum,
                "members": [{"name": s.name, "weight": s.weight, "judge": s.judge.info.config} for s in seats],
            },
        )

    def rows(self, samples: Sequence[Sample]) -> Iterator[Row]:
        """Those of one member; all have the same."""
        return self._seats[0].judge.rows(samples)

    def units(self, samples: Sequence[Sample], keep: Keep) -> Iterator[Unit]:
        """One unit for each of a member's, with the questions of all."""
        for units in zip(*(seat.judge.units(samples, keep) for seat in self._seats), strict=True):
            yield PanelUnit(rows=units[0].rows, wanted=units[0].wanted, members=units)

    def conclude(self, unit: Unit) -> list[Outcome]:
        """One outcome a row: the verdict of the panel, or why it has none; every vote is in the reason."""
        if not isinstance(unit, PanelUnit):
            raise TypeError(f"found {type(unit).__name__}, which is no unit of a panel")
        said = [
            member.settled or seat.judge.conclude(member)
            for seat, member in zip(self._seats, unit.members, strict=True)
        ]
        spent: dict[str, Any] = usage(unit.spent) if unit.spent else {}
        return [
            replace(self._elected(row, outcomes), **spent)
            for row, outcomes in zip(unit.rows, zip(*said, strict=True), strict=True)
        ]

    def _elected(self, row: Row, outcomes: Sequence[Outcome]) -> Outcome:
        ballot, valid = self._ballots[row.axis], [o for o in outcomes if o.status is Status.OK]
        link: dict[str, Any] = {"pair_id": outcomes[0].pair_id, "other_trace_id": outcomes[0].other_trace_id}
        if not valid and len({(o.status, o.reason) for o in outcomes}) == 1:
            return failure(outcomes[0].status, outcomes[0].reason or "", **link)
        votes = self._votes(outcomes)
        if len(valid) < self._quorum:
            first = next(o for o in outcomes if o.status is not Status.OK)
            return failure(first.status, f"{len(valid)} verdicts, the quorum is {self._quorum} | {votes}", **link)
        weighed = [(s.weight, o) for s, o in zip(self._seats, outcomes, strict=True) if o.status is Status.OK]
        try:
            position, label = elect([ballot.vote(o, weight) for weight, o in weighed], self._rule, ballot)
        except NoVerdictError as error:
            return failure(Status.REFUSED, f"{error} | {votes}", **link)
        if valid[0].orders and not any(o.order_consistent for o in valid):
            # Nobody prefers the same answer in both orders: what is left of a margin is where the answers stood.
            label = "tie"
        return Outcome(
            value=ballot.value(position),
            label=label,
            probabilities=_mean([(w, o.probabilities or {o.label or "": 1.0}) for w, o in weighed], ballot.positions),
            reason=f"{self._rule} of {len(valid)} votes | {votes}",
            **_orders(weighed),
            **link,
        )

    def _votes(self, outcomes: Sequence[Outcome]) -> str:
        return " | ".join(_vote_text(seat, outcome) for seat, outcome in zip(self._seats, outcomes, strict=True))


def _vote_text(seat: Seat, outcome: Outcome) -> str:
    weight = f" (weight {seat.weight:g})" if seat.weight != 1 else ""
    said = outcome.status if outcome.value is None else f"{outcome.label} = {outcome.value:g}"
    return f"{seat.name}{weight}: {said}" + (f", {outcome.reason}" if outcome.reason else "")


def _mean(weighed: Sequence[tuple[float, Mapping[str, float]]], labels: Iterable[str]) -> dict[str, float]:
    """The mean distribution over ``labels``, by weight."""
    total = sum(weight for weight, _ in weighed)
    return {x: round(sum(weight * p.get(x, 0.0) for weight, p in weighed) / total, 6) for x in labels}


def _orders(weighed: Sequence[tuple[float, Outcome]]) -> dict[str, Any]:
    """For a pair: each order's mean distribution, and whether every member said the same in both."""
    columns = list(zip(*(outcome.orders for _, outcome in weighed), strict=True))
    if not columns:
        return {}
    weights, orders = [weight for weight, _ in weighed], []
    for column in columns:
        said = [(w, order.probabilities or {order.label or "": 1.0}) for w, order in zip(weights, column, strict=True)]
        mean = _mean(said, _PLACES)
        orders.append(OrderVerdict(first=column[0].first, label=likeliest(mean), probabilities=mean))
    return {"orders": tuple(orders), "order_consistent": all(outcome.order_consistent for _, outcome in weighed)}
