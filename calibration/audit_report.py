"""Everything an audit says: about the people who labelled, and about each judge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from calibration.agreement import Agreement, agreement_of, human_ceiling
from calibration.audit import PAIR, AuditInfo, AuditItem, Label
from calibration.bias import Bias, ledger
from calibration.compare import Comparison, compare_judges
from calibration.consensus import Consensus, consensus_of
from calibration.correlation import correlations
from calibration.decide import decide
from calibration.gate import GateDecision
from calibration.judgements import JudgeRun
from calibration.matched import BOTH_ORDERS, FIRST_ORDER, Matched, match
from calibration.policy import Policy
from calibration.recalibrate import unseen
from calibration.reliability import Reliability, reliability
from judgefleet.statistics import Estimate

# More judges than this are listed, not compared two by two.
_COMPARED = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgeReport:
    """One judge. ``first_order``: a pair's verdict with answer A shown first, or the label of a rating;
    ``both_orders``: the verdict reconciled over both orders, None where it was asked in one only. ``held_out``: its
    rubric shows items of this audit, so only the half that it cannot have seen counts."""

    judge: str
    prompt: str
    source: str
    fingerprint: str
    first_order: Agreement
    both_orders: Agreement | None
    scores: Mapping[str, Estimate]
    bias: Sequence[Bias]
    reliability: Reliability | None
    gate: GateDecision
    held_out: bool = False

    @property
    def name(self) -> str:
        """Judge and prompt, as figures are headed."""
        return f"{self.judge}, {self.prompt}" if self.prompt else self.judge

    @property
    def main(self) -> Agreement:
        """The figures of the verdict that would be reported: over both orders where there are both."""
        return self.both_orders or self.first_order


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditReport:
    """``ceiling``: how far people agree with each other. ``disputed``: items that raters could not settle."""

    audit_id: str
    kind: str
    items: int
    labelled: int
    disputed: int
    raters: Sequence[str]
    ceiling: Mapping[str, Any]
    judges: Sequence[JudgeReport]
    comparisons: Sequence[Comparison] = ()


class Auditor:
    """Measures judges against one audit; what people said is worked out once."""

    def __init__(self, info: AuditInfo, items: Mapping[str, AuditItem], labels: Sequence[Label]) -> None:
        self.info, self.items, self.labels = info, items, labels
        self.people: Mapping[str, Consensus] = consensus_of(labels, info.kind)

    def report(
        self,
        runs: Sequence[JudgeRun],
        policy: Policy,
        *,
        now: datetime,
        segments: Sequence[str] = (),
        history: Sequence[GateDecision] = (),
        uri: str | None = None,
    ) -> AuditReport:
        """All figures; the gate is decided for each judge by ``policy``."""
        clusters = {item_id: item.cluster for item_id, item in self.items.items()}
        compared = runs[:_COMPARED]
        known = [run.name for run in compared]
        names = [run.name if known.count(run.name) == 1 else f"{run.name} ({_which(run)})" for run in compared]
        raters = sorted({label.rater for label in self.labels})
        return AuditReport(
            audit_id=self.info.audit_id,
            kind=self.info.kind,
            items=len(self.items),
            labelled=sum(not said.disputed for said in self.people.values()),
            disputed=sum(said.disputed for said in self.people.values()),
            raters=raters,
            ceiling=human_ceiling(self.info, self.labels, clusters),
            judges=[self._judge(run, policy, now, segments, history, uri) for run in runs],
            comparisons=compare_judges(
                {names[n]: self.matched(unseen(self.items, run), policy.verdict) for n, run in enumerate(compared)}
            ),
        )

    def matched(self, run: JudgeRun, verdict: str) -> Matched:
        """The items that both sides answered. Without verdicts over both orders, those of the first order count."""
        both = verdict == BOTH_ORDERS and any(said.combined is not None for said in run.judgements.values())
        return match(self.info, self.items, self.people, run, BOTH_ORDERS if both else FIRST_ORDER)

    def _judge(
        self,
        run: JudgeRun,
        policy: Policy,
        now: datetime,
        segments: Sequence[str],
        history: Sequence[GateDecision],
        uri: str | None,
    ) -> JudgeReport:
        pair = self.info.kind == PAIR
        held_out = not run.examples.isdisjoint(self.items)
        run = unseen(self.items, run)
        first = self.matched(run, FIRST_ORDER)
        decisive = self.matched(run, policy.verdict)
        twice = pair and any(said.combined is not None for said in run.judgements.values())
        both = agreement_of(self.info, self.matched(run, BOTH_ORDERS), segments=segments) if twice else None
        return JudgeReport(
            judge=run.judge,
            prompt=run.prompt,
            source=run.source,
            fingerprint=run.fingerprint,
            first_order=agreement_of(self.info, first, segments=segments),
            both_orders=both,
            scores={} if pair else correlations(self.items, self.people, run),
            bias=ledger(self.items, self.people, run) if pair else [],
            reliability=reliability(self.info, decisive, run),
            gate=decide(
                self.info,
                decisive,
                policy,
                fingerprint=run.fingerprint,
                now=now,
                history=[d for d in history if d.fingerprint == run.fingerprint and d.axis == run.prompt],
                scorer=run.judge,
                axis=run.prompt,
                audit_uri=uri,
            ),
            held_out=held_out,
        )


def _which(run: JudgeRun) -> str:
    """What tells judges of one name apart: the file they come from, or in a store the fingerprint."""
    return run.fingerprint if run.source == "store" else run.source
