"""What ``judgefleet traces sample`` prints: for people, and as JSON for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from jobs.estimate import Estimate
from jobs.intake import NOT_SAMPLED, REJECTED, SAMPLED
from jobs.traces_found import top
from jobs.traces_sample import Drawn, StratumDraw
from jobs.wording import one_line
from judgefleet.strata import FILTERED, INCOMPLETE

# Always said, also where there are none.
_DECISIONS = (SAMPLED, NOT_SAMPLED, FILTERED, INCOMPLETE, REJECTED)


def drawn_dict(drawn: Drawn) -> dict[str, Any]:
    """The draw, for machines."""
    costs = drawn.costs.to_dict() if drawn.costs else None
    found = {"decisions": _decisions(drawn), "estimate": costs}
    return {name: value for name, value in asdict(drawn).items() if name != "costs"} | found


def print_drawn(drawn: Drawn, console: Console) -> None:
    """The draw, for people."""
    for name, text in _lines(drawn):
        console.print(f"{name:<12}{text}", markup=False, soft_wrap=True)
    console.print()
    console.print(_table(drawn))
    if drawn.costs is not None:
        console.print()
        console.print(_judged(drawn.strata, drawn.costs))
        for text in _costs(drawn.costs):
            console.print(text, markup=False, soft_wrap=True)


def _lines(drawn: Drawn) -> Iterator[tuple[str, str]]:
    yield "objects", f"{drawn.objects:,}"
    yield "traces", ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in _decisions(drawn).items())
    for reason, count in top(Counter(drawn.reasons)):
        yield "", f"rejected: {count:,} x {one_line(reason, 120)}"
    yield "unit", drawn.unit
    if drawn.factor < 1:
        yield "cap", f"all rates times {drawn.factor:g}; floors are kept"
    yield "plan", drawn.plan_hash


def _decisions(drawn: Drawn) -> dict[str, int]:
    return {**dict.fromkeys(_DECISIONS, 0), **drawn.decisions}


def _table(drawn: Drawn) -> Table:
    table = Table("stratum", box=None)
    for name in ("traces", "units", "rate", "floor", "lowest p", "mean p", "expected", "sampled"):
        table.add_column(name, justify="right")
    for stratum in drawn.strata:
        table.add_row(*_row(stratum))
    of = drawn.strata
    expected, sampled = sum(s.expected for s in of), sum(s.sampled for s in of)
    table.add_row("all", f"{sum(s.traces for s in of):,}", *[""] * 5, f"{expected:,.1f}", f"{sampled:,}")
    return table


def _row(s: StratumDraw) -> Iterator[str]:
    yield from (one_line(s.stratum, 30), f"{s.traces:,}", f"{s.units:,}", f"{s.rate:g}")
    yield f"{s.floor:,} x {s.windows:,}" if s.floor else "-"
    yield from ("-" if p is None else f"{p:.4g}" for p in (s.probability_min, s.probability_mean))
    yield from (f"{s.expected:,.1f}", f"{s.sampled:,}")


def _judged(strata: Sequence[StratumDraw], costs: Estimate) -> Table:
    table = Table("stratum", box=None)
    for name in ("sampled", "judge tokens", "cost"):
        table.add_column(name, justify="right")
    for s in strata:
        table.add_row(one_line(s.stratum, 30), f"{s.sampled:,}", f"{s.tokens or 0:,}", f"{s.cost or 0:,.4f}")
    sampled, tokens = sum(s.sampled for s in strata), sum(s.tokens or 0 for s in strata)
    table.add_row("all", f"{sampled:,}", f"{tokens:,}", f"{costs.cost:,.4f}")
    return table


def _costs(costs: Estimate) -> Iterator[str]:
    how = "reckoned from characters" if costs.approximate else f"{costs.tokens_computed:,} computed with a prefix cache"
    yield f"\n{costs.prompts:,} first prompts of judges: {costs.tokens:,} tokens read, {how}; {costs.seconds:,.0f} s"
    if not costs.cost:
        yield "no cost: engine has neither price_per_million_input and _output nor cost_per_hour"
