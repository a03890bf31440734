"""Which traces are scored: drawn by hash, so that every machine and every rerun draws the same ones."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, Field, field_validator, model_validator

from judgefleet.errors import did_you_mean
from judgefleet.hashing import stable_hash, unit_interval
from judgefleet.sample import Sample
from judgefleet.trace import Trace
from judgefleet.yaml_model import StrictModel

DEFAULT_STRATUM = "default"

_FIELDS = ("variant", "service", "environment", "experiment", "conversation_id")
_ATTRIBUTE = "attributes."


def _as_texts(value: Any) -> Any:
    """One value or a list of them; numbers and booleans as an attribute spells them."""
    values = value if isinstance(value, list | tuple) else [value]
    return [str(v).lower() if isinstance(v, bool) else str(v) if isinstance(v, int | float) else v for v in values]


_Texts: TypeAlias = Annotated[tuple[str, ...], Field(min_length=1), BeforeValidator(_as_texts)]
_Rate: TypeAlias = Annotated[float, Field(ge=0, le=1)]


class Stratum(StrictModel):
    """Traces that have one of the listed values in every field of ``where``, and the rate at which they are drawn."""

    name: str = Field(min_length=1)
    where: dict[str, _Texts] = Field(min_length=1)
    rate: _Rate

    @field_validator("where")
    @classmethod
    def _known_fields(cls, where: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for name in where:
            if name not in _FIELDS and not (name.startswith(_ATTRIBUTE) and len(name) > len(_ATTRIBUTE)):
                raise ValueError(f"unknown field {name!r}; {did_you_mean(name, (*_FIELDS, f'{_ATTRIBUTE}KEY'))}")
        return where

    def matches(self, trace: Trace) -> bool:
        """Whether ``trace`` belongs here."""
        return all(_value(trace, name) in values for name, values in self.where.items())


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What the plan says about one trace. ``inclusion_probability`` is 0 where the stratum is never drawn."""

    stratum: str
    inclusion_probability: float
    sampled: bool


_UNITS = {"conversation": "conversation_id"}


class SamplingPlan(StrictModel):
    """Strata in order, the first that matches counts; ``default_rate`` for traces in none of them.

    ``unit``: ``conversation`` draws the traces of a conversation together: they share one hash, and a trace without a
    conversation stands for itself. Where traces of one conversation lie in strata with different rates, each is in with
    the rate of its own stratum, so its inclusion probability is exact; one that is in at the lower rate brings in all
    those at higher rates. ``trace`` draws each by itself. ``attributes.KEY`` draws together what shares an attribute,
    such as both answers of a pair; a trace without it stands for itself. Another ``salt`` draws independently.
    """

    salt: str = "judgefleet"
    unit: str = "conversation"
    strata: tuple[Stratum, ...] = ()
    default_rate: _Rate = 1.0

    @field_validator("unit")
    @classmethod
    def _known_unit(cls, unit: str) -> str:
        if unit not in ("conversation", "trace") and not unit.startswith(_ATTRIBUTE):
            raise ValueError("allowed: conversation, trace, attributes.KEY")
        return unit

    @model_validator(mode="after")
    def _distinct_names(self) -> "SamplingPlan":
        names = [DEFAULT_STRATUM, *(stratum.name for stratum in self.strata)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            taken = f" ({DEFAULT_STRATUM!r} is the name for traces in no stratum)" if DEFAULT_STRATUM in twice else ""
            raise ValueError(f"the stratum name {twice[0]!r} is taken twice; give each its own name{taken}")
        return self

    @property
    def hash(self) -> str:
        """32 hex digits over the whole plan: two plans with one hash draw the same traces."""
        return stable_hash(self.model_dump(mode="json"))

    def decide(self, trace: Trace, factor: float = 1.0) -> Decision:
        """Whether ``trace`` is drawn; depends on nothing but the plan, the trace and ``factor``.

        ``factor`` in (0, 1] lowers every rate, for a budget; the inclusion probability is the lowered rate. What is
        drawn at a lower factor is drawn at every higher one.

        >>> SamplingPlan(default_rate=0.3).decide(Trace(trace_id="t1"))
        Decision(stratum='default', inclusion_probability=0.3, sampled=False)
        """
        found = next((stratum for stratum in self.strata if stratum.matches(trace)), None)
        rate = (self.default_rate if found is None else found.rate) * factor
        key = (self.unit != "trace" and _value(trace, _UNITS.get(self.unit, self.unit))) or trace.trace_id
        return Decision(
            stratum=DEFAULT_STRATUM if found is None else found.name,
            inclusion_probability=rate,
            sampled=unit_interval(key, self.salt) < rate,
        )

    def draw(self, traces: Iterable[Trace]) -> Iterator[Sample]:
        """The drawn ones of ``traces``, in order, each with the probability with which it was drawn."""
        plan_hash = self.hash
        for trace in traces:
            decision = self.decide(trace)
            if decision.sampled:
                yield Sample(
                    trace=trace,
                    stratum=decision.stratum,
                    inclusion_probability=decision.inclusion_probability,
                    plan_hash=plan_hash,
                )


def _value(trace: Trace, name: str) -> str | None:
    attributes: Mapping[str, str] = trace.attributes
    if name.startswith(_ATTRIBUTE):
        return attributes.get(name.removeprefix(_ATTRIBUTE))
    value: str | None = getattr(trace, name)
    return value
