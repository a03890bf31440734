"""Parts of the traffic: conditions on a trace, strata with their rates and floors, and what is left out altogether."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, model_validator

from judgefleet.errors import did_you_mean
from judgefleet.trace import Trace
from judgefleet.yaml_model import StrictModel

ATTRIBUTE = "attributes."
_FIELDS = ("variant", "service", "environment", "experiment", "conversation_id")
FILTERED, INCOMPLETE = "filtered", "incomplete"


def _as_texts(value: Any) -> Any:
    """One value or a list of them; numbers and booleans as an attribute spells them."""
    values = value if isinstance(value, list | tuple) else [value]
    return [str(v).lower() if isinstance(v, bool) else str(v) if isinstance(v, int | float) else v for v in values]


def _known_fields(where: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    for name in where:
        if name not in _FIELDS and not (name.startswith(ATTRIBUTE) and len(name) > len(ATTRIBUTE)):
            raise ValueError(f"unknown field {name!r}; {did_you_mean(name, (*_FIELDS, f'{ATTRIBUTE}KEY'))}")
    return where


_Texts: TypeAlias = Annotated[tuple[str, ...], Field(min_length=1), BeforeValidator(_as_texts)]
# Traces that have one of the listed values in every one of the fields.
Where: TypeAlias = Annotated[dict[str, _Texts], Field(min_length=1), AfterValidator(_known_fields)]
Rate: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Part: TypeAlias = Literal["question", "output", "contexts", "reference", "tool_calls", "conversation_id", "started_at"]


class Floor(StrictModel):
    """At least ``traces`` of a stratum in every window (UTC) that has so many, and all of it in one that has fewer.

    A conversation that is drawn together counts once, in the window in which it began.
    """

    traces: Annotated[int, Field(ge=1)]
    per: Literal["hour", "day", "week"] = "day"


class Stratum(StrictModel):
    """Traces that have one of the listed values in every field of ``where``, and the rate at which they are drawn."""

    name: str = Field(min_length=1)
    where: Where
    rate: Rate
    floor: Floor | None = None

    def matches(self, trace: Trace) -> bool:
        """Whether ``trace`` belongs here."""
        return has(trace, self.where)


class Filters(StrictModel):
    """What a plan is about. A trace that is left out is no part of the population, and no estimate is about it.

    ``include``: it matches one of these, where there are any. ``exclude``: it matches none of these. ``since`` and
    ``until``: it began at or after the one and before the other; then one without a time is left out. ``require``: it
    has each of these; one that lacks any is counted as ``incomplete``. An empty answer is an answer.
    """

    include: tuple[Where, ...] = ()
    exclude: tuple[Where, ...] = ()
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    require: tuple[Part, ...] = ()

    @model_validator(mode="after")
    def _some_time(self) -> "Filters":
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise ValueError(f"since {self.since} is not before until {self.until}; no trace lies between them")
        return self

    def leaves_out(self, trace: Trace) -> str | None:
        """``filtered`` or ``incomplete``; None for a trace of the population."""
        wanted = not self.include or any(has(trace, where) for where in self.include)
        if not wanted or any(has(trace, where) for where in self.exclude) or not self._in_time(trace.started_at):
            return FILTERED
        return INCOMPLETE if any(getattr(trace, part) in (None, ()) for part in self.require) else None

    def _in_time(self, at: datetime | None) -> bool:
        if self.since is None and self.until is None:
            return True
        if at is None:
            return False
        known = at if at.tzinfo else at.replace(tzinfo=UTC)
        return (self.since is None or known >= self.since) and (self.until is None or known < self.until)


def has(trace: Trace, where: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether ``trace`` has one of the listed values in every field."""
    return all(value_of(trace, name) in values for name, values in where.items())


def value_of(trace: Trace, name: str) -> str | None:
    """A field of the trace, or with ``attributes.KEY`` one of its attributes."""
    if name.startswith(ATTRIBUTE):
        return trace.attributes.get(name.removeprefix(ATTRIBUTE))
    value: str | None = getattr(trace, name)
    return value
