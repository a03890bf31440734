"""Panel: several engines are asked the same, and a declared rule makes one verdict of their votes."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from judges.judge import RubricOptions
from judges.pairwise import PairwiseJudge, PairwiseOptions
from judges.panel_vote import BoundPanel, Seat
from judges.pointwise import PointwiseJudge, PointwiseOptions
from judges.prompt import Writer
from judges.transcript import UnitOfJudgement
from judges.votes import Rule

_ONLY_IN = {"unit": "pointwise", **dict.fromkeys(("variants", "pair_by", "allow_tie", "tie_band"), "pairwise")}


class Member(BaseModel):
    """One judge of a panel. ``engine``: an engine of the configuration. ``weight``: how much its vote counts."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    engine: str
    weight: Annotated[float, Field(gt=0, le=1e6)] = 1.0


class PanelOptions(RubricOptions):
    """``members``: at least two engines, each with an optional weight. ``mode``: the kind of judge that each is.

    ``vote``: ``mean`` or ``median`` of the values, the label being the one that lies there; or the ``majority`` of
    labels, by weight, an even vote being the lowest of the grades that lead, or a tie between answers; or
    ``unanimous``, which gives no value where two labels were said. Of a pair the label is a tie where no member keeps
    to its preference in both orders. ``quorum``: how many members must have a verdict; with fewer there is no value; by
    default all. ``reason_tokens``: how long a reason each may write; 0 asks for none.
    ``unit``, ``variants``, ``pair_by``, ``allow_tie``, ``tie_band``: as for the judge of that mode.
    """

    members: Annotated[tuple[Member, ...], Field(min_length=2)]
    mode: Literal["pointwise", "pairwise"] = "pointwise"
    vote: Rule = "mean"
    quorum: Annotated[int, Field(ge=1)] | None = None
    reason_tokens: int = Field(default=0, ge=0, le=4096)
    unit: UnitOfJudgement = "turn"
    variants: tuple[str, str] | None = None
    pair_by: str = "judgefleet.item_id"
    allow_tie: bool = False
    tie_band: float = Field(default=0.0, ge=0, lt=0.5)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        names = [member.engine for member in self.members]
        if len(set(names)) < len(names):
            raise ValueError(f"each engine has one vote, found {names}; give it a weight instead")
        if self.quorum and self.quorum > len(names):
            raise ValueError(f"a quorum of {self.quorum} is more than the {len(names)} members")
        if wrong := sorted(name for name in self.model_fields_set if _ONLY_IN.get(name, self.mode) != self.mode):
            raise ValueError(f"{wrong} mean nothing in mode {self.mode!r}; leave them out or change the mode")
        if self.mode == "pairwise" and self.variants is None:
            raise ValueError("mode 'pairwise' compares two variants; give variants: [A, B]")
        if self.variants and self.variants[0] == self.variants[1]:
            raise ValueError(f"variants must differ, found {list(self.variants)}")
        return self

    def of(self, member: Member) -> PointwiseOptions | PairwiseOptions:
        """The options of one member's judge."""
        kind = PairwiseOptions if self.mode == "pairwise" else PointwiseOptions
        shared = self.model_dump(include=set(kind.model_fields))
        return kind.model_validate({**shared, "engine": member.engine})


class PanelJudge:
    """Several models are asked the same; their votes become one verdict by a declared rule, and all are on the row.

    A panel of models from different families was found to agree better with people than one large judge, at a lower
    price (Verga et al. 2024). With fewer verdicts than the quorum, or without the unanimity that was asked for, a row
    has no value and says who said what.

    >>> members = (Member(engine="default"), Member(engine="second", weight=2))
    >>> judge = PanelJudge("panel", PanelOptions(rubric="helpfulness", members=members))
    >>> sorted(judge.engines), judge.options.vote
    (['default', 'second'], 'mean')
    """

    EXAMPLE = "rubric: helpfulness, members: [{engine: default}, {engine: second, weight: 2}], vote: median"
    AXES = "those of the rubric, or `preference`"
    VALUE = "as that of the members: a grade on the scale of the rubric, or the probability of being preferred"

    Options = PanelOptions

    def __init__(self, name: str, options: PanelOptions) -> None:
        self.name, self.options = name, options
        self._judges = [_judge(name, options.of(member)) for member in options.members]
        self.rubric, self.together = self._judges[0].rubric, self._judges[0].together

    @property
    def engines(self) -> frozenset[str]:
        """Those of all members."""
        return frozenset(member.engine for member in self.options.members)

    def bind(self, writers: Mapping[str, Writer]) -> BoundPanel:
        """The panel with all its models. Raises ConfigError when one of them cannot be asked exactly."""
        members = zip(self.options.members, self._judges, strict=True)
        seats = [Seat(name=m.engine, weight=m.weight, judge=judge.bind(writers)) for m, judge in members]
        quorum = self.options.quorum or len(seats)
        return BoundPanel(self.name, self.rubric, seats, self.options.vote, quorum, self.options.tie_band)


def _judge(name: str, options: PointwiseOptions | PairwiseOptions) -> PointwiseJudge | PairwiseJudge:
    return PairwiseJudge(name, options) if isinstance(options, PairwiseOptions) else PointwiseJudge(name, options)
