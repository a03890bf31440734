"""An audit's figures on a terminal."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from calibration.audit_report import AuditReport, JudgeReport
from calibration.bias import Bias
from calibration.gate import GateDecision
from jobs.audit_recalibrate import Recalibration
from jobs.wording import interval, number, one_line, visible
from judgefleet.statistics import Estimate

_MOST_REJECTS = 10
_MOST_NOTES = 20


def print_import(counts: Mapping[str, Any]) -> None:
    """What was read, and what could not be used and why."""
    console = Console(highlight=False)
    said = f"{counts['items']:,} items, {counts['labels']:,} labels, {counts['verdicts']:,} recorded verdicts"
    console.print(f"audit: {counts['audit']} ({counts['kind']}): {said}", markup=False, soft_wrap=True)
    if counts["not_human"]:
        console.print(f"passed over: {counts['not_human']:,} scores that no person gave", markup=False)
    if counts["other_names"]:
        console.print(f"passed over: {counts['other_names']:,} labels of another name", markup=False)
    rejects = counts["rejects"]
    for reject in rejects[:_MOST_REJECTS]:
        console.print(f"rejected: {visible(reject)}", markup=False, soft_wrap=True)
    if len(rejects) > _MOST_REJECTS:
        console.print(f"rejected: {len(rejects) - _MOST_REJECTS:,} more (--json lists all)", markup=False)


def print_drawn(told: Mapping[str, Any]) -> None:
    """How many items of each stratum, and how many labels a gate would ask for."""
    console = Console(highlight=False)
    strata = ", ".join(f"{visible(name)} {count:,}" for name, count in sorted(told["strata"].items()))
    for text in (f"audit: {told['audit']}: {told['drawn']:,} items drawn ({strata})", *told["needed"]):
        console.print(text, markup=False, soft_wrap=True)
    console.print(f"next: judgefleet label {told['audit']}", markup=False, soft_wrap=True)


def print_recalibration(found: Recalibration) -> None:
    """Held-out agreement before and after, what to add to the configuration, and the worst disagreements."""
    console = Console(highlight=False)
    lines = [f"{found.scorer}/{found.axis} ({found.fingerprint})"]
    if found.refit is None:
        lines.append(f"nothing fitted: {found.why}")
    else:
        refit = found.refit
        verdict = "helps" if refit.helps else "does not help: not more than chance on the items held out"
        lines += [
            f"fitted on {refit.n_train:,} items: {dict(refit.options)}",
            f"held out ({refit.n_held_out:,} items): agreement {figure(refit.before)} before, {figure(refit.after)} "
            f"after, p = {refit.p_value:.3f}: {verdict}",
        ]
    lines += list(_candidate(found))
    lines += ["worst disagreements, of the half that is fitted on:"] if found.worst else []
    for case in found.worst:
        traces = ", ".join(map(visible, case.trace_ids)) or visible(case.item_id)
        lines.append(f"  people {case.human}, judge {case.judge}: {one_line(case.question or '', 60)} (trace {traces})")
    lines += [f"what people wrote where they disagreed with the judge on {found.axis}:"] if found.notes else []
    for note in found.notes[:_MOST_NOTES]:
        lines.append(f"  people {note.human}, judge {note.judge}: {one_line(note.note, 200)} ({visible(note.rater)})")
    if len(found.notes) > _MOST_NOTES:
        lines.append(f"  {len(found.notes) - _MOST_NOTES:,} more notes (--json lists all)")
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)


def _candidate(found: Recalibration) -> Iterator[str]:
    """What was written, and how to find out whether it is better."""
    if found.rubric:
        shown = ", ".join(f"{count} {visible(name)}" for name, count in found.rubric.classes.items())
        yield f"rubric written: {found.rubric.path}, version {found.rubric.version}; by people's answer: {shown}"
    if found.written:
        yield f"written: {found.written}; score with it, and audit it again"
    if found.rubric:
        yield (
            "next: judgefleet batch with the new rubric, then judgefleet audit run AUDIT --store STORE --earlier, "
            "which compares both judges on the items held out"
        )


def print_report(report: AuditReport) -> None:
    """People first, then one table with a line a judge, then each judge's bias ledger and gate."""
    console = Console(highlight=False)
    console.print(f"Audit {one_line(report.audit_id, 60)}: {people_line(report)}", markup=False, soft_wrap=True)
    table = Table("Judge", "n", "Agreement", "95 %", "Kappa", "95 %", "AC1", "No verdict", "Flips", box=None)
    for judge in report.judges:
        table.add_row(*_line(judge))
    console.print(table)
    for judge in report.judges if len(report.judges) <= 6 else []:
        console.print(f"\n{one_line(judge.name, 80)}", markup=False)
        for text in _details(judge):
            console.print(f"  {text}", markup=False, soft_wrap=True)
    for pair in report.comparisons:
        said = f"{one_line(pair.second, 40)} minus {one_line(pair.first, 40)}: {figure(pair.difference)}"
        console.print(f"{said}, McNemar p = {pair.p_value:.4f} (Holm)", markup=False, soft_wrap=True)
    for judge in report.judges:
        console.print(gate_line(judge.gate, one_line(judge.name, 60)), markup=False, soft_wrap=True)


def gate_line(gate: GateDecision, name: str = "") -> str:
    """The gate in one line: state, judge, reason, and what to do."""
    needed = "" if gate.labels_needed is None else f"; about {gate.labels_needed:,} more labels are needed"
    action = f" -> {gate.action}" if gate.action else ""
    return f"{gate.state} {name or gate.scorer} ({visible(gate.fingerprint)}): {visible(gate.reason)}{needed}{action}"


def figure(found: Estimate) -> str:
    """A figure and its interval."""
    return f"{number(found.value, 3)} {interval(found, 3)}"


def people_line(report: AuditReport) -> str:
    """Who labelled how much, and how far people agree."""
    raters = f"{len(report.raters)} rater{'s' * (len(report.raters) != 1)}"
    said = f"{report.labelled:,} of {report.items:,} items labelled by {raters}"
    said += f", {report.disputed:,} disputed" if report.disputed else ""
    ceiling: Estimate = report.ceiling["agreement"]
    if ceiling.value is None:
        return f"{said}; no item has two labels, so how far people agree is not known"
    return f"{said}; two people agree {figure(ceiling)} over {ceiling.n:,} items"


def _line(judge: JudgeReport) -> Iterator[str]:
    a = judge.first_order if judge.first_order.n else judge.main
    yield one_line(judge.name, 44)
    yield f"{a.n:,}"
    for found in (a.agreement, a.kappa):
        yield number(found.value, 4)
        yield interval(found, 3) if found.has_interval else "none"
    yield number(a.ac1.value, 4)
    yield f"{a.unparsed:,}"
    flips = next((b.estimate for b in judge.bias if b.name == "position_flips"), None)
    yield f"{round((flips.value or 0) * flips.n)} of {flips.n}" if flips else ""


def _details(judge: JudgeReport) -> Iterator[str]:
    if judge.held_out:
        yield "its rubric shows items of this audit as examples: measured on the half that it was not made from"
    if judge.both_orders:
        combined = judge.both_orders.agreement
        yield f"over both orders: agreement {figure(combined)} over {combined.n:,} items"
    for label, figures in judge.main.classes.items():
        both = f"sensitivity {figure(figures.sensitivity)}, specificity {figure(figures.specificity)}"
        yield f"{one_line(label, 20)}: {both}"
    for name, found in judge.scores.items():
        yield f"{name} {figure(found)} over {found.n:,} items"
    yield from _segments(judge)
    if judge.reliability:
        said = judge.reliability
        yield f"probabilities: calibration error {figure(said.ece)}, Brier score {figure(said.brier)}"
    for entry in judge.bias:
        yield bias_line(entry)


def _segments(judge: JudgeReport) -> Iterator[str]:
    for key, values in judge.main.segments.items():
        for name, found in values.items():
            yield f"{one_line(key, 20)} {one_line(name, 30)}: {figure(found)}, n {found.n:,}"


def bias_line(entry: Bias) -> str:
    """One entry of the bias ledger."""
    mark = {True: "bias", False: "no bias seen", None: "note"}[entry.found]
    return f"{mark}: {visible(entry.sentence)} {interval(entry.estimate, 3)}"
