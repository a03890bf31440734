"""An audit as one HTML page: who labelled, what each judge is worth, its gate, and what its probabilities mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from calibration.audit_report import AuditReport, JudgeReport
from calibration.gate import CheckResult, GateDecision
from jobs.audit_text import bias_line, figure, people_line
from jobs.page import assets, write_page
from jobs.reliability_plot import ReliabilityPlot, plot_of
from jobs.templating import environment
from jobs.wording import number, one_line, visible
from judgefleet.statistics import Estimate


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgeView:
    """One judge. ``figures``: name, value, interval, method. ``checks``: requirement, figure, interval, outcome."""

    title: str
    fingerprint: str
    gate: GateDecision
    counted: str
    figures: Sequence[tuple[str, str, str]]
    checks: Sequence[tuple[str, str, str]]
    bias: Sequence[str]
    plot: ReliabilityPlot | None


def write_audit_page(report: AuditReport, path: Path) -> Path:
    """Write the page to ``path`` and return it. Raises StoreError where it cannot be written."""
    page = (
        environment("jobs")
        .get_template("audit.html.j2")
        .render(
            **assets(),
            title=one_line(report.audit_id, 160),
            people=people_line(report),
            judges=[_judge(judge) for judge in report.judges],
            comparisons=[
                (f"{one_line(c.second, 60)} minus {one_line(c.first, 60)}", figure(c.difference), f"{c.p_value:.4f}")
                for c in report.comparisons
            ],
        )
    )
    return write_page(page, path)


def _judge(judge: JudgeReport) -> JudgeView:
    main = judge.main
    named: list[tuple[str, Estimate | None]] = [
        ("agreement", main.agreement),
        ("Cohen's kappa", main.kappa),
        ("weighted kappa", main.weighted_kappa),
        ("Gwet's AC1", main.ac1),
        ("Krippendorff's alpha", main.alpha),
        ("without ties", main.decisive),
        *((f"{label}: sensitivity", found.sensitivity) for label, found in main.classes.items()),
        *judge.scores.items(),
    ]
    return JudgeView(
        title=one_line(judge.name, 80),
        fingerprint=judge.fingerprint,
        gate=judge.gate,
        counted=f"{main.n:,} of {main.labelled:,} labelled items with a verdict",
        figures=[(one_line(name, 60), figure(found), found.method) for name, found in named if found],
        checks=[_check(check) for check in judge.gate.checks],
        bias=[bias_line(entry) for entry in judge.bias],
        plot=plot_of(judge.reliability) if judge.reliability else None,
    )


def _check(check: CheckResult) -> tuple[str, str, str]:
    where = f", {visible(check.segment)}" if check.segment else ""
    wanted = f"{visible(check.metric).replace('_', ' ')}{where} at least {check.threshold:g}"
    ends = "" if check.low is None or check.high is None else f" [{number(check.low, 3)}, {number(check.high, 3)}]"
    outcome = {True: "met", False: "missed", None: "undecided"}[check.passed]
    return wanted, f"{number(check.value, 3)}{ends}, n {check.n:,}", outcome
