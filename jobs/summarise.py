"""From score rows to figures."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from calibration.gate import GateDecision, decision_without_audit
from experiments.comparison import ArmMoments, Difference, compare_arms
from experiments.pairs import Pairs
from experiments.preference import count_cells, position_bias, prefer
from jobs.arm_sums import ArmSums
from jobs.axis_rows import AxisKey, AxisRows, gather
from jobs.figures import NO_ROW, Arm, Axis, Cell, Summary
from jobs.parted import parts_for
from jobs.sampled import Sampled, trace_codes
from jobs.working_folder import working_folder
from jobs.worst import Worst
from judgefleet.proportions import proportion_of
from judgefleet.scorer import ScorerKind
from judgefleet.statistics import mean_of

_KINDS = {kind: place for place, kind in enumerate(("LLM", "HUMAN", "EMBEDDING", "CODE"))}
_REASONS_SHOWN = 3
Variant = str | None


def summarise(
    scores: pa.Table, samples: pa.Table, facts: Mapping[str, Any], gates: Mapping[str, GateDecision] | None = None
) -> Summary:
    """Figures of all rows in ``scores``; ``samples`` tells which traces should have a row.

    Rows of different fingerprints are never mixed: another judge is another axis. Variants are compared with the
    first of them in sort order. An LLM judge for whom ``gates`` has no decision has not been audited.
    """
    drawn = Sampled.of([samples])
    # A trace with a row whose text is not in the store any more is one of the run's as well.
    traces = len(np.union1d(drawn.codes, trace_codes(scores)))
    with working_folder() as folder:
        found = gather([scores], folder, parts_for(traces))
        return summary_of(axes_of(found, drawn.variants, Worst(0)), facts, traces, gates)


def summary_of(
    axes: Iterable[Axis], facts: Mapping[str, Any], traces: int, gates: Mapping[str, GateDecision] | None = None
) -> Summary:
    """The figures of a run from those of its axes; ``traces``: of how many traces."""
    ordered = tuple(sorted(axes, key=lambda a: (_KINDS.get(a.kind, 9), a.scorer, a.fingerprint, a.axis)))
    judges = {a.fingerprint for a in ordered if a.kind == ScorerKind.LLM}
    known = {name: (gates or {}).get(name) or decision_without_audit(name) for name in sorted(judges)}
    return Summary(facts=dict(facts), axes=ordered, gates=known, traces=traces)


def axes_of(found: Mapping[AxisKey, AxisRows], drawn: Mapping[Variant, int], worst: Worst) -> list[Axis]:
    """The figures of each axis; ``drawn``: how many traces each variant should have a row of.

    ``worst`` takes in the traces: all axes of a trace are in one part.
    """
    sums = {key: {name: ArmSums() for name in _names(rows, drawn)} for key, rows in found.items()}
    for parts in zip(*(rows.parts for rows in found.values()), strict=True):
        for (key, rows), part in zip(found.items(), parts, strict=True):
            for name, arm in sums[key].items():
                arm.add(part.arm(name), None if rows.rate or rows.pairs else rows.scale)
        worst.add(zip(found.values(), parts, strict=True))
    return [_axis(rows, key, sums[key], drawn) for key, rows in found.items()]


def _names(rows: AxisRows, drawn: Mapping[Variant, int]) -> list[Variant]:
    return sorted(rows.variants | set(drawn), key=lambda v: (v is not None, v))


def _axis(rows: AxisRows, key: AxisKey, sums: Mapping[Variant, ArmSums], drawn: Mapping[Variant, int]) -> Axis:
    pairs = rows.pairs
    compared = [name for name in sums if name is not None]
    scorer, axis, fingerprint = key
    return Axis(
        scorer=scorer,
        axis=axis,
        fingerprint=fingerprint,
        kind=rows.shared["scorer_kind"],
        direction=rows.shared["direction"],
        config=rows.shared["config"],
        pairwise=pairs is not None,
        rate=rows.rate,
        scale=rows.scale,
        arms=tuple(_arm(rows, name, arm, drawn.get(name, 0)) for name, arm in sums.items()),
        differences=() if pairs else tuple(_differences(rows, compared, sums)),
        **(_preferences(pairs, compared) if pairs else {}),
    )


def _differences(rows: AxisRows, compared: Sequence[str], sums: Mapping[Variant, ArmSums]) -> Iterator[Difference]:
    arms = {
        name: ArmMoments(rows=sums[name].rows, moments=sums[name].moments, named=rows.named.arm(name))
        for name in compared
    }
    for candidate in compared[1:]:
        yield compare_arms(arms, baseline=compared[0], candidate=candidate, rate=rows.rate)


def _preferences(pairs: Pairs, compared: Sequence[str]) -> dict[str, Any]:
    """Every two variants that were compared, and what the order of the answers did."""
    two = [(x, y) for i, x in enumerate(compared) for y in compared[i + 1 :]]
    made = [prefer(pairs, baseline=x, candidate=y) for x, y in two]
    found = [(p, count_cells(pairs, baseline=p.baseline, candidate=p.candidate)) for p in made if p.pairs]
    return {
        "preferences": tuple(p for p, _ in found),
        "matrices": tuple(
            tuple(Cell(baseline_first=x, candidate_first=y, count=n) for (x, y), n in sorted(cells.items()))
            for _, cells in found
        ),
        "position": position_bias(pairs),
    }


def _arm(rows: AxisRows, variant: Variant, sums: ArmSums, drawn: int) -> Arm:
    missing = max(0, drawn - sums.traces)
    failures = Counter({NO_ROW: missing} if missing else {})
    reasons: dict[str, Counter[str]] = {}
    for (of, status, reason), count in rows.failures.items():
        if (of or None) == (variant or None):
            failures[status] += count
            reasons.setdefault(status, Counter())[reason] += count
    pairwise, estimate = rows.pairs is not None, proportion_of if rows.rate else mean_of
    return Arm(
        variant=variant,
        total=sums.rows + missing,
        ok=sums.moments.n,
        failures=dict(failures),
        mean=None if pairwise else estimate(sums.moments),
        reasons={status: found.most_common(_REASONS_SHOWN) for status, found in reasons.items()},
        histogram=() if sums.histogram is None else tuple(sums.histogram.tolist()),
    )
