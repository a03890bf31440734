"""A plan: sampling rates, audit labels, GPUs, cost and lag for a traffic, a budget and a drop worth detecting."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jobs.capacity_audit import AuditLoad, audit_load
from jobs.capacity_load import Load, load_of, paid
from jobs.capacity_options import PlanOptions
from jobs.capacity_strata import StratumPlan, judged_per_day, largest_times, plan_strata
from judgefleet.sampling import SamplingPlan

_HALVINGS = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Possible:
    """Strata and their load; ``times``: how many times as large the drops are as those that were asked for."""

    times: float
    strata: list[StratumPlan]
    load: Load


@dataclass(frozen=True, kw_only=True, slots=True)
class CapacityPlan:
    """``wanted``: what was asked for. ``within_budget``: the nearest that the budget pays, None where ``wanted`` is
    within it, or where nothing is. ``audit`` is None where the judge cannot pass. ``problems``: why it is impossible.
    ``sampling``: of what is possible, as it stands in a configuration; None where nothing is."""

    options: PlanOptions
    wanted: Possible
    within_budget: Possible | None
    audit: AuditLoad | None
    problems: list[str]
    sampling: dict[str, Any] | None

    @property
    def exit_code(self) -> int:
        """0 for a plan that does what was asked for, else 1."""
        return 1 if self.problems else 0


def make_plan(options: PlanOptions) -> CapacityPlan:
    """The plan, and where it is impossible, why, and the nearest that is possible."""
    wanted = _possible(options, 1.0)
    too_dear = options.budget_per_day is not None and not _is_paid(options, wanted)
    nearest = _within_budget(options) if too_dear else None
    audit = audit_load(options)
    chosen = nearest if too_dear else wanted
    return CapacityPlan(
        options=options,
        wanted=wanted,
        within_budget=nearest,
        audit=audit,
        problems=list(_problems(options, wanted, nearest, audit, too_dear=too_dear)),
        sampling=sampling_block(options, chosen.strata) if chosen else None,
    )


def _possible(options: PlanOptions, times: float) -> Possible:
    strata = plan_strata(options, times)
    return Possible(times=times, strata=strata, load=load_of(options, judged_per_day(strata)))


def _is_paid(options: PlanOptions, found: Possible) -> bool:
    return paid(options, found.load) <= (options.budget_per_day or 0.0)


def _within_budget(options: PlanOptions) -> Possible | None:
    """The smallest drops in the proportions asked for that the budget pays; None where it pays none."""
    low, high = 1.0, largest_times(options)
    if not _is_paid(options, _possible(options, high)):
        return None
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if _is_paid(options, _possible(options, middle)) else (middle, high)
    return _possible(options, high)


def _problems(
    options: PlanOptions, wanted: Possible, nearest: Possible | None, audit: AuditLoad | None, *, too_dear: bool
) -> Iterator[str]:
    for s in wanted.strata:
        if not s.feasible:
            seen = "no drop at all" if s.smallest_drop is None else f"a drop of {s.smallest_drop:.4f}"
            yield (
                f"stratum {s.name!r} has too little traffic: {s.needed_per_window:,} judged traces are needed in "
                f"{options.within:g} days, {s.traffic_per_day * options.within:,.0f} come. Judging all of them shows "
                f"{seen}; the drop of {s.drop:g} takes windows of {s.days_needed:.1f} days"
            )
    if too_dear:
        needed = paid(options, wanted.load)
        pays = (
            "it pays for no drop, however large" + (" (one GPU all day is more)" if options.always_on else "")
            if nearest is None
            else "it pays for drops of " + ", ".join(f"{s.drop:.4f} ({s.name})" for s in nearest.strata)
        )
        yield f"the budget of {options.budget_per_day:,.2f} a day is below the {needed:,.2f} needed: {pays}"
    if audit is None:
        yield (
            f"a judge that agrees {options.agreement:.3f} of the time seldom passes a gate at "
            f"{options.audit_threshold:g}, however many labels there are; use a better judge, or a threshold that you "
            "can defend"
        )


def sampling_block(options: PlanOptions, strata: list[StratumPlan]) -> dict[str, Any]:
    """``sampling:`` of a configuration, drawn by conversation. The stratum without ``where`` gets the default rate;
    where none has it, all but the last are told by an attribute ``stratum`` that traces would have to carry."""
    written: list[dict[str, Any]] = []
    default = 0.0
    for stratum, planned in zip(options.strata, strata, strict=True):
        where = stratum.where
        if where is None and assumes_attribute(options) and stratum is not options.strata[-1]:
            where = {"attributes.stratum": [stratum.name]}
        if where is None:
            default = planned.rate
        else:
            written.append({"name": stratum.name, "where": where, "rate": planned.rate})
    block = {"unit": "conversation", "strata": written, "default_rate": default}
    return SamplingPlan.model_validate(block).model_dump(mode="json", include=set(block))


def assumes_attribute(options: PlanOptions) -> bool:
    """Whether several strata came without a condition that tells them apart."""
    return sum(stratum.where is None for stratum in options.strata) > 1
