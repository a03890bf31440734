"""An audit as a page: its figures, its gate, and the reliability diagram with counts and intervals."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from calibration.audit import AuditInfo, AuditItem, Label
from calibration.audit_report import Auditor, AuditReport
from calibration.judgements import Judgement, JudgeRun
from calibration.policy import DEFAULT_POLICY, Policy, Requirement
from calibration.rates import exact_interval
from calibration.reliability import Bin, Reliability
from jobs.audit_page import write_audit_page
from jobs.reliability_plot import BOTTOM, LANE, TOP, plot_of
from judgefleet.errors import StoreError
from judgefleet.statistics import Estimate

NONE = Estimate(value=None, n=0, n_clusters=0, method="m")


def report(with_probabilities: bool = True) -> AuditReport:
    """A hundred ratings; the judge says 0.95 where it is right in 40 of 50, and 0.65 where it is in 30 of 50."""
    info = AuditInfo(audit_id="one <b>", kind="rating", labels=["fail", "pass"])
    items = {str(n): AuditItem(item_id=str(n)) for n in range(100)}
    labels = [Label(item_id=str(n), rater="ana", label="pass" if n % 2 else "fail") for n in range(100)]
    judged = {}
    for n in range(100):
        truth, sure = ("pass", "fail")[1 - n % 2], n < 50
        right = n < 40 or 50 <= n < 80
        said = truth if right else {"pass": "fail", "fail": "pass"}[truth]
        p = 0.95 if sure else 0.65
        other = {"pass": "fail", "fail": "pass"}[said]
        known = {said: p, other: 1 - p} if with_probabilities else {}
        judged[str(n)] = Judgement(item_id=str(n), first=said, probabilities=known)
    run = JudgeRun(judge="j", prompt="<i>v1", source="s", fingerprint="f0", judgements=judged)
    policy = Policy(requirements=(Requirement(threshold=0.9),))
    return Auditor(info, items, labels).report([run], policy, now=datetime(2026, 3, 2, tzinfo=UTC))


def test_bins_have_counts_and_exact_intervals() -> None:
    found = report().judges[0].reliability
    assert found is not None
    low, high = found.bins
    assert [(b.low, b.n) for b in (low, high)] == [(0.6, 50), (0.9, 50)]
    assert [b.confidence for b in (low, high)] == pytest.approx([0.65, 0.95])
    assert [b.accuracy for b in (low, high)] == pytest.approx([0.6, 0.8])
    assert (low.accuracy_low, low.accuracy_high) == pytest.approx(exact_interval(0.6, 50))
    assert found.ece.value == pytest.approx((0.05 + 0.15) / 2)


def test_a_dot_stands_where_probability_and_share_meet() -> None:
    bins = (
        Bin(low=0.5, high=0.6, n=5, confidence=0.5, accuracy=1.0),
        Bin(low=0.9, high=1.0, n=20_000, confidence=1.0, accuracy=0.0, accuracy_low=0.0, accuracy_high=0.25),
    )
    plot = plot_of(Reliability(ece=NONE, brier=NONE, bins=bins))
    one, other = plot.dots
    assert one.at == pytest.approx(10 + 86 / 2)
    assert (one.y, one.low) == (TOP, None)
    assert (other.at, other.y, other.low) == (96.0, BOTTOM, BOTTOM)
    assert other.high == pytest.approx(BOTTOM - (BOTTOM - TOP) / 4)
    assert other.bar_width == pytest.approx(8.6)
    assert (other.bar, other.count) == (LANE, "20k")
    assert one.bar == pytest.approx(0.0, abs=0.01)
    assert plot.diagonal == (10.0, BOTTOM, 96.0, TOP)
    assert plot.rows[0] == ("0.5 to 0.6", "5", "0.500", "1.000", "none")


def test_the_page_has_the_gate_the_figures_and_the_diagram(tmp_path: Path) -> None:
    text = write_audit_page(report(), tmp_path / "deep" / "audit.html").read_text()
    for part in (
        "<h3>Gate: CLOSED</h3>",
        "recalibrate judge",
        "agreement at least 0.9",
        "missed",
        "0.700 [0.600, 0.788]",
        "100 of 100 labelled items",
        "0.6 to 0.7",
        'id="j0-t"',
        "one &lt;b&gt;",
        "j, &lt;i&gt;v1",
    ):
        assert part in text
    assert text.count('<circle class="dot"') == 2
    assert "http" not in text.replace("http-equiv", "")


def test_without_probabilities_there_is_no_diagram(tmp_path: Path) -> None:
    text = write_audit_page(report(with_probabilities=False), tmp_path / "audit.html").read_text()
    assert "<svg" not in text
    assert "Gate: CLOSED" in text


def test_a_page_that_cannot_be_written_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="name another path"):
        write_audit_page(report(), tmp_path / "file" / "audit.html")


def test_the_interval_of_a_bin_knows_its_conversations() -> None:
    """Ten conversations of five answers that are right or wrong together: the interval is that of about ten."""
    info = AuditInfo(audit_id="a", kind="rating", labels=["fail", "pass"])
    items = {str(n): AuditItem(item_id=str(n), group_id=f"g{n // 5}") for n in range(50)}
    labels = [Label(item_id=i, rater="ana", label="pass") for i in items]
    right = np.repeat([True] * 7 + [False] * 3, 5)
    judged = {
        str(n): Judgement(item_id=str(n), first=said, probabilities={said: 0.85})
        for n, said in enumerate(np.where(right, "pass", "fail").tolist())
    }
    run = JudgeRun(judge="j", prompt="", source="s", fingerprint="f", judgements=judged)
    now = datetime(2026, 3, 2, tzinfo=UTC)
    found = Auditor(info, items, labels).report([run], DEFAULT_POLICY, now=now).judges[0].reliability
    assert found is not None
    [only] = found.bins
    assert only.accuracy_high is not None
    assert only.accuracy_low is not None
    alone = exact_interval(0.7, 50)
    assert only.accuracy_high - only.accuracy_low > 1.5 * (alone[1] - alone[0])
