"""What a plan is made from: traffic, what is worth seeing, the judge, the machine, the budget."""

import re
from typing import Annotated, Any, Self, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from calibration.policy import DEFAULT_POLICY
from jobs.online.config import OnlineSettings
from judgefleet.yaml_model import StrictModel

_UNITS = {"s": 1 / 86_400, "second": 1 / 86_400, "minute": 1 / 1440, "h": 1 / 24, "hour": 1 / 24, "d": 1, "day": 1}
_WINDOWS = {"h": 1 / 24, "d": 1.0, "w": 7.0}
_ONLINE = OnlineSettings()


def per_day(value: Any) -> Any:
    """``50000/day``, ``2000/hour``, ``3.5/second`` as a number a day; a plain number is a day's already.

    >>> per_day("2000/hour"), per_day(5)
    (48000.0, 5)
    """
    if not isinstance(value, str):
        return value
    found = re.fullmatch(r"([0-9_,.]+(?:e[0-9]+)?)\s*(?:/\s*([a-z]+))?", value.strip())
    if found is None or found[2] not in (None, *_UNITS):
        raise ValueError(f"allowed: a number of traces a day, or with a unit: 50000/day, {', '.join(_UNITS)}")
    return float(found[1].replace(",", "").replace("_", "")) / _UNITS[found[2] or "day"]


def in_days(value: Any) -> Any:
    """``7d``, ``24h``, ``1w`` as days; a plain number is days already.

    >>> in_days("36h"), in_days("2w")
    (1.5, 14.0)
    """
    if not isinstance(value, str):
        return value
    found = re.fullmatch(r"([0-9.]+)\s*([hdw]?)", value.strip())
    if found is None:
        raise ValueError("allowed: hours, days or weeks, such as 12h, 7d, 2w")
    return float(found[1]) * _WINDOWS[found[2] or "d"]


_Share: TypeAlias = Annotated[float, Field(gt=0, lt=1)]
_Positive: TypeAlias = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class PlanStratum(StrictModel):
    """A part of the traffic that is watched by itself. ``where`` as in ``sampling.strata``; at most one has none: it
    takes what the others leave. ``pass_rate`` and ``detect``, where they differ from those of the plan."""

    name: str = Field(min_length=1)
    share: float = Field(gt=0, le=1)
    where: dict[str, Any] | None = None
    pass_rate: _Share | None = None
    detect: _Share | None = None


class PlanOptions(StrictModel):
    """All that a plan is made from; only ``traffic`` has no default."""

    traffic: Annotated[_Positive, BeforeValidator(per_day)] = Field(description="Traces a day.")
    strata: tuple[PlanStratum, ...] = Field(default=(PlanStratum(name="all", share=1),), min_length=1)
    pass_rate: _Share = 0.9
    detect: _Share = 0.02
    within: Annotated[_Positive, BeforeValidator(in_days)] = 7.0
    power: _Share = 0.8
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    horizon: Annotated[int, Field(ge=1)] = 52
    turns: Annotated[float, Field(ge=1)] = 1.0
    correlation: Annotated[float, Field(ge=0, le=1)] = 0.2
    judge_agreement: _Share = 0.85
    sensitivity: _Share | None = None
    specificity: _Share | None = None
    valid_share: Annotated[float, Field(gt=0, le=1)] = 0.98
    tokens_per_trace: _Positive = 900.0
    cached_share: Annotated[float, Field(ge=0, lt=1)] = 0.0
    tokens_per_second: _Positive = 5000.0
    gpu_cost_per_hour: Annotated[float, Field(ge=0)] = 2.5
    always_on: bool = False
    budget_per_day: _Positive | None = None
    peak_factor: Annotated[float, Field(ge=1)] = 3.0
    utilisation: _Share = 0.6
    batch_traces: Annotated[int, Field(ge=1)] = _ONLINE.batch_traces
    poll_seconds: _Positive = _ONLINE.poll_seconds
    settle_seconds: Annotated[float, Field(ge=0)] = _ONLINE.settle_seconds
    audit_threshold: _Share = DEFAULT_POLICY.requirements[0].threshold
    audits_per_year: Annotated[int, Field(ge=1)] = DEFAULT_POLICY.audits_per_year
    audit_power: _Share = 0.8

    @model_validator(mode="after")
    def _strata_are_a_whole(self) -> Self:
        names = [s.name for s in self.strata]
        if len(set(names)) < len(names):
            raise ValueError("two strata have one name; give each its own")
        total = sum(s.share for s in self.strata)
        if abs(total - 1) > 1e-6:
            raise ValueError(f"the shares of the strata add up to {total:g}; allowed: 1")
        if sum(s.where is None for s in self.strata) > 1 and any(s.where for s in self.strata):
            raise ValueError("at most one stratum has no 'where': the one that takes what the others leave")
        if sum(self.accuracies) <= 1:
            raise ValueError("a judge whose sensitivity and specificity add up to 1 or less is no better than a coin")
        for s in self.strata:
            rate, drop = s.pass_rate or self.pass_rate, s.detect or self.detect
            if drop >= rate:
                raise ValueError(f"stratum {s.name!r} cannot fall by {drop:g} from {rate:g}; give a smaller drop")
        return self

    @property
    def accuracies(self) -> tuple[float, float]:
        """Sensitivity and specificity; the agreement where they are not given."""
        return self.sensitivity or self.judge_agreement, self.specificity or self.judge_agreement

    @property
    def agreement(self) -> float:
        """How often judge and people agree, at the pass rate of the plan."""
        sensitivity, specificity = self.accuracies
        return sensitivity * self.pass_rate + specificity * (1 - self.pass_rate)

    @property
    def design_effect(self) -> float:
        """How many times as many traces are needed because those of a conversation are alike."""
        return 1 + (self.turns - 1) * self.correlation
