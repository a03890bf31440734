"""A plan on a terminal: tables, why it is impossible, what was assumed, and the block for a configuration."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from jobs.capacity import CapacityPlan, Possible, assumes_attribute
from jobs.capacity_load import Load
from jobs.capacity_options import PlanOptions
from jobs.capacity_strata import StratumPlan, alpha_each


def print_plan(plan: CapacityPlan) -> None:
    """The plan, for people."""
    console = Console(highlight=False)

    def say(text: str = "") -> None:
        console.print(text, markup=False, soft_wrap=True)

    console.print(_strata(plan.wanted.strata))
    say()
    console.print(_figures(plan))
    for problem in plan.problems:
        say(f"\nNOT POSSIBLE: {problem}")
    if plan.within_budget is not None:
        say("\nWithin the budget:")
        console.print(_strata(plan.within_budget.strata))
    say("\nAssumed:")
    for text in assumptions(plan.options):
        say(f"- {text}")
    if plan.sampling is not None:
        say("\nFor the configuration" + (", within the budget:" if plan.within_budget else ":"))
        say(yaml.safe_dump({"sampling": plan.sampling}, sort_keys=False).rstrip())


def plan_dict(plan: CapacityPlan) -> dict[str, Any]:
    """The plan, for machines."""
    return {
        "possible": not plan.problems,
        "problems": plan.problems,
        "wanted": _possible(plan.wanted),
        "within_budget": None if plan.within_budget is None else _possible(plan.within_budget),
        "audit": None if plan.audit is None else asdict(plan.audit),
        "sampling": plan.sampling,
        "assumptions": list(assumptions(plan.options)),
        "options": plan.options.model_dump(mode="json"),
    }


def _possible(found: Possible) -> dict[str, Any]:
    strata = [{**asdict(stratum), "feasible": stratum.feasible} for stratum in found.strata]
    return {"times": found.times, "strata": strata, "load": asdict(found.load)}


def _strata(strata: Sequence[StratumPlan]) -> Table:
    table = Table("Stratum", "Traces/day", "Rate", "Judged/day", "Window needs", "Smallest drop", "As judged", box=None)
    for s in strata:
        table.add_row(
            s.name,
            f"{s.traffic_per_day:,.0f}",
            f"{s.rate:.6f}",
            f"{s.judged_per_day:,.0f}",
            f"{s.needed_per_window:,}",
            "none" if s.smallest_drop is None else f"{s.smallest_drop:.4f}",
            f"{s.judged_drop:.4f}",
        )
    return table


def _figures(plan: CapacityPlan) -> Table:
    table = Table("", "", box=None, show_header=False)
    for name, value in (*_load(plan.wanted.load), *_audit(plan)):
        table.add_row(name, value)
    return table


def _load(load: Load) -> Iterator[tuple[str, str]]:
    yield "judged traces", f"{load.judged:,.0f} a day"
    yield "tokens", f"{load.tokens:,.0f} a day, {load.computed_tokens:,.0f} of them to compute"
    yield "GPU time", f"{load.gpu_hours:.2f} hours a day"
    yield "GPUs at the peak", f"{load.gpus}, busy {load.busy_share:.1%} of the time"
    yield "cost", f"{load.cost:,.2f} a day; {load.cost_always_on:,.2f} where GPUs of the peak stay up"
    yield "lag of a score", f"{load.lag_average:.0f} s on average, {load.lag_at_peak:.0f} s at the peak"


def _audit(plan: CapacityPlan) -> Iterator[tuple[str, str]]:
    if plan.audit is not None:
        a = plan.audit
        yield (
            "audit labels",
            f"{a.labels_per_week:.0f} a week: {a.labels} for each of {plan.options.audits_per_year} a year",
        )
        yield "", f"open from {a.agreements} agreements on; false pass {a.false_pass:.4f}, power {a.power:.3f}"


def assumptions(options: PlanOptions) -> Iterator[str]:
    """What the figures rest on, with the value of every option that is not a plain input."""
    sensitivity, specificity = options.accuracies
    given = options.sensitivity and options.specificity
    yield (
        f"The judge passes {sensitivity:.3f} of good answers and fails {specificity:.3f} of bad ones"
        + ("" if given else " (--judge-agreement stands for what is not given)")
        + f", before and after: of a drop it sees {sensitivity + specificity - 1:.2f}."
    )
    each = f"{alpha_each(options):.2g} on the side of a drop"
    yield (
        f"A window of {options.within:g} days is compared with one as long before it, as 'judgefleet trends' does: "
        f"both sides, alpha {options.alpha:g} over {options.horizon} windows, so {each}."
    )
    yield (
        f"A drop is seen, with power {options.power:g}, at the end of the first window that lies behind it: "
        f"{options.within:g} to {2 * options.within:g} days after it began."
    )
    yield (
        f"Conversations are drawn whole; of {options.turns:g} judged turns each, verdicts correlated by "
        f"{options.correlation:g}: a design effect of {options.design_effect:.2f}."
    )
    yield f"{options.valid_share:.1%} of judged traces get a value; each stratum is watched by itself."
    yield from _of_the_machine(options)
    yield (
        f"The gate asks for {options.audit_threshold:g} by the lower bound; a label is of a conversation of its own, "
        f"and the judge agrees {options.agreement:.3f} of the time."
    )
    if assumes_attribute(options):
        yield "Traces carry an attribute 'stratum'; with a plan in YAML each stratum says 'where' itself."


def _fleet(options: PlanOptions) -> str:
    return "GPUs that stay up" if options.always_on else "a fleet that shrinks with the load (--always-on: it does not)"


def _of_the_machine(options: PlanOptions) -> Iterator[str]:
    yield (
        f"A judged trace takes {options.tokens_per_trace:,.0f} tokens, {options.cached_share:.0%} of them from the "
        f"prefix cache; a GPU computes {options.tokens_per_second:,.0f} a second."
    )
    yield (
        f"The busiest hour has {options.peak_factor:g} times the average; GPUs are kept at {options.utilisation:.0%} "
        f"at most. A GPU hour costs {options.gpu_cost_per_hour:g}, and the budget pays for {_fleet(options)}."
    )
    yield (
        f"Lag: {options.settle_seconds:g} s for spans to settle, half a poll of {options.poll_seconds:g} s, waiting "
        "as in M/M/1, and the batch; from the object in storage on, without exporters and a fleet that still starts."
    )
