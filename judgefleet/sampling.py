"""Which traces are scored: drawn by hash, so that every machine and every rerun draws the same ones."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer, model_validator

from judgefleet.errors import ConfigError
from judgefleet.hashing import stable_hash, unit_interval
from judgefleet.sample import Sample
from judgefleet.strata import ATTRIBUTE, Filters, Floor, Rate, Stratum, value_of
from judgefleet.trace import Trace
from judgefleet.yaml_model import StrictModel

__all__ = ["DEFAULT_STRATUM", "Cap", "Decision", "Filters", "Floor", "SamplingPlan", "Stratum"]

DEFAULT_STRATUM = "default"
_UNITS = {"conversation": "conversation_id"}
# Fields that came later: left out of what is hashed where they are not used, so that a plan keeps its hash.
_LATER = ("filters", "default_floor", "cap")


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What the plan says about one trace. ``inclusion_probability`` is 0 where the stratum is never drawn.

    ``left_out``: ``filtered`` or ``incomplete`` where the trace is no part of the population; then in no stratum.
    """

    stratum: str
    inclusion_probability: float
    sampled: bool
    left_out: str | None = None


class Cap(StrictModel):
    """What a batch run may draw. All rates are lowered by one factor until it holds; floors are kept.

    ``max_tokens``: of the texts of the traces, reckoned from their length; what judges add to them is not counted.
    """

    max_traces: Annotated[int, Field(ge=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _some_limit(self) -> "Cap":
        if self.max_traces is None and self.max_tokens is None:
            raise ValueError("a cap without a limit; give max_traces, max_tokens or both")
        return self


class SamplingPlan(StrictModel):
    """Strata in order, the first that matches counts; ``default_rate`` for traces in none of them.

    ``unit``: ``conversation`` draws the traces of a conversation together: they share one hash, and a trace without a
    conversation stands for itself. Where traces of one conversation lie in strata with different rates, each is in with
    the rate of its own stratum, so its inclusion probability is exact; one that is in at the lower rate brings in all
    those at higher rates. ``trace`` draws each by itself. ``attributes.KEY`` draws together what shares an attribute,
    such as both answers of a pair; a trace without it stands for itself. Another ``salt`` draws independently.

    ``filters`` say what is no part of the population, ``floor`` of a stratum (``default_floor``) what is drawn at least
    of every window, ``cap`` what is drawn at most: see docs/sampling.md.
    """

    salt: str = "judgefleet"
    unit: str = "conversation"
    filters: Filters = Filters()
    strata: tuple[Stratum, ...] = ()
    default_rate: Rate = 1.0
    default_floor: Floor | None = None
    cap: Cap | None = None

    @field_validator("unit")
    @classmethod
    def _known_unit(cls, unit: str) -> str:
        if unit not in ("conversation", "trace") and not unit.startswith(ATTRIBUTE):
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

    @model_serializer(mode="wrap")
    def _without_unused(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A feature that is not used is not written: the plan is then what it was before there was the feature."""
        written: dict[str, Any] = serialise(self)
        unused = {name for name in _LATER if getattr(self, name) == type(self).model_fields[name].default}
        strata = [{k: v for k, v in s.items() if k != "floor" or v is not None} for s in written.get("strata", ())]
        kept = {k: v for k, v in written.items() if k not in unused}
        return kept | ({"strata": strata} if "strata" in written else {})

    @property
    def hash(self) -> str:
        """32 hex digits over the whole plan: two plans with one hash draw the same traces of the same input."""
        return stable_hash(self.model_dump(mode="json"))

    @property
    def needs_whole_input(self) -> bool:
        """Whether a trace cannot be decided by itself: a floor or a cap depends on all that there is to draw from."""
        floors = (self.default_floor, *(stratum.floor for stratum in self.strata))
        return self.cap is not None or any(floor is not None for floor in floors)

    def stratum_of(self, trace: Trace) -> tuple[str, float, Floor | None]:
        """Name, rate and floor of the first stratum that matches."""
        found = next((stratum for stratum in self.strata if stratum.matches(trace)), None)
        if found is None:
            return DEFAULT_STRATUM, self.default_rate, self.default_floor
        return found.name, found.rate, found.floor

    def unit_of(self, trace: Trace) -> str:
        """What is drawn together has one: the key whose hash decides."""
        shared = value_of(trace, _UNITS.get(self.unit, self.unit)) if self.unit != "trace" else None
        return shared or trace.trace_id

    def decide(self, trace: Trace, factor: float = 1.0) -> Decision:
        """Whether ``trace`` is drawn; depends on nothing but the plan, the trace and ``factor``.

        ``factor`` in (0, 1] lowers every rate, for a budget; the inclusion probability is the lowered rate. What is
        drawn at a lower factor is drawn at every higher one. Floors and caps are not looked at: where there are any
        (``needs_whole_input``), jobs.draw decides.

        >>> SamplingPlan(default_rate=0.3).decide(Trace(trace_id="t1"))
        Decision(stratum='default', inclusion_probability=0.3, sampled=False, left_out=None)
        """
        if (left_out := self.filters.leaves_out(trace)) is not None:
            return Decision(stratum="", inclusion_probability=0.0, sampled=False, left_out=left_out)
        name, rate, _ = self.stratum_of(trace)
        drawn = unit_interval(self.unit_of(trace), self.salt) < rate * factor
        return Decision(stratum=name, inclusion_probability=rate * factor, sampled=drawn)

    def draw(self, traces: Iterable[Trace]) -> Iterator[Sample]:
        """The drawn ones of ``traces``, in order, each with the probability with which it was drawn.

        Raises ConfigError for a plan that needs its whole input.
        """
        if self.needs_whole_input:
            raise ConfigError(
                "a plan with a floor or a cap decides about a whole input: use 'judgefleet traces sample'"
            )
        plan_hash = self.hash
        for trace in traces:
            decision = self.decide(trace)
            if decision.sampled:
                yield Sample(
                    trace=trace,
                    stratum=decision.stratum,
                    inclusion_probability=decision.inclusion_probability,
                    plan_hash=plan_hash,
                    unit_key=self.unit_of(trace),
                )
