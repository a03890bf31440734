"""The summary of a run on the terminal: plain tables that fit 80 columns and need no colour."""

from collections.abc import Iterator
from itertools import groupby

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jobs.figures import Axis, Summary, distrusted
from jobs.summarise import summarise
from jobs.wording import counts, decimals, interval, number, one_line, percent, variant_name, visible
from judgefleet.statistics import Estimate

__all__ = ["Summary", "print_summary", "summarise"]


def print_summary(summary: Summary, console: Console) -> None:
    """Print the run, its figures, what was not scored, and last, so that it is read, which judge not to trust."""
    for line in _run_lines(summary):
        console.print(Text(line))
    scored = [a for a in summary.axes if not a.pairwise]
    if scored:
        console.print(_mean_table(summary, scored))
    for axis in summary.axes:
        if axis.pairwise:
            console.print(_preference_table(summary, axis))
    failed = list(_failures(summary))
    if failed:
        console.print(_failure_table(failed))
    if not summary.axes:
        console.print(Text("No scores: the store has no rows."))
    warnings = [f"WARNING: {one_line(w, 500)}" for w in summary.facts.get("warnings") or ()]
    distrust = [f"NOT TRUSTED: {d.sentence('marked *')}" for d in distrusted(summary)]
    for line in (*warnings, *distrust):
        console.print(Text(line))


def _run_lines(summary: Summary) -> Iterator[str]:
    facts = summary.facts
    named = [one_line(facts[k], 200) for k in ("name", "run_id") if facts.get(k)]
    if named:
        yield f"Run: {', '.join(named)}"
    seen = {k.removeprefix("traces_"): facts[k] for k in facts if k.startswith("traces_") and isinstance(facts[k], int)}
    if seen:
        yield "Traces: " + ", ".join(f"{n} {visible(name)}" for name, n in seen.items())


def _table(title: str, *columns: str) -> Table:
    """The first two columns are text that may wrap; the others are figures at the right."""
    table = Table(title=Text(title), title_justify="left", box=box.SIMPLE, pad_edge=False, padding=(0, 1))
    for i, name in enumerate(columns):
        table.add_column(name, overflow="fold", justify="left" if i < 2 else "right", min_width=8 if i == 0 else None)
    return table


def _add(table: Table, *cells: str) -> None:
    table.add_row(*(Text(c) for c in cells))


def _scorer(summary: Summary, axis: Axis) -> str:
    """The scorer; its fingerprint where it appears with several; a star where it is not trusted."""
    twins = {a.fingerprint for a in summary.axes if a.scorer == axis.scorer}
    which = f" ({visible(axis.fingerprint[:8])})" if len(twins) > 1 else ""
    return f"{one_line(axis.scorer, 40)}{which}{'' if summary.trusted(axis) else ' *'}"


def _axis(axis: Axis) -> str:
    lower = ", lower is better" if axis.direction == "lower_is_better" else ""
    return one_line(" ".join(filter(None, (axis.axis, axis.unit and f"({axis.unit})"))), 40) + lower


def _figure(e: Estimate, places: int, *, signed: bool = False) -> tuple[str, str]:
    return number(e.value, places, signed=signed), interval(e, places, signed=signed)


def _mean_table(summary: Summary, axes: list[Axis]) -> Table:
    table = _table("Scores: mean with 95 % interval", "Scorer, axis", "Variant", "Scored", "Mean", "95 % interval")
    for scorer, group in groupby(axes, key=lambda a: _scorer(summary, a)):
        _add(table, scorer)
        for axis in group:
            _add_axis(table, axis)
        table.add_section()
    return table


def _add_axis(table: Table, axis: Axis) -> None:
    places = decimals(axis.scale)
    for i, arm in enumerate(axis.arms):
        figure = _figure(arm.mean, places) if arm.mean else ("", "")
        name = f"  {_axis(axis)}" if i == 0 else ""
        _add(table, name, variant_name(arm.variant), f"{arm.ok}/{arm.total}", *figure)
    for d in axis.differences:
        versus = f"{variant_name(d.candidate)} - {variant_name(d.baseline)}"
        unit = "pairs" if d.paired else "traces"
        _add(table, "", versus, f"{d.used} {unit}", *_figure(d.estimate, places, signed=True))


def _preference_table(summary: Summary, axis: Axis) -> Table:
    title = f"{_scorer(summary, axis)}: which answer is better, axis {_axis(axis)}, {axis.ok}/{axis.total} scored"
    table = _table(title, "Ties count half", "Counted", "Rate", "95 % interval")
    for p in axis.preferences:
        versus = f"{variant_name(p.candidate)} wins against {variant_name(p.baseline)}"
        lost = f", {p.failed} without verdict" if p.failed else ""
        tally = f"{p.wins} won, {p.ties} tied, {p.losses} lost{lost}"
        _add(table, versus, tally, *_figure(p.win_rate, 3))
    bias = axis.position
    if bias:
        _add(table, "Position flips", f"{bias.flips} of {bias.pairs} pairs", *_figure(bias.flip_rate, 3))
        _add(table, "First slot won", f"{bias.first} of {bias.verdicts} verdicts", *_figure(bias.first_slot, 3))
    return table


def _failures(summary: Summary) -> Iterator[tuple[str, str, str, str]]:
    for axis in summary.axes:
        for arm in axis.arms:
            if arm.failures:
                share = percent(arm.total - arm.ok, arm.total)
                name = f"{_scorer(summary, axis)} {_axis(axis)}"
                yield name, variant_name(arm.variant), counts(arm.failures), share


def _failure_table(failed: list[tuple[str, str, str, str]]) -> Table:
    table = _table("Not scored (a failure is never a number)", "Scorer, axis", "Variant", "Rows by status", "Share")
    for row in failed:
        _add(table, *row)
    return table
