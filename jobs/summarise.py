"""From score rows to figures."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from calibration.gate import GateDecision, decision_without_audit
from experiments.columns import Columns
from experiments.comparison import compare
from experiments.pairs import Pairs
from experiments.preference import count_cells, position_bias, prefer
from jobs.axis_rows import AxisKey, AxisRows, gather
from jobs.figures import BINS, NO_ROW, Arm, Axis, Cell, Summary
from jobs.sampled import Sampled
from judgefleet.proportions import proportion_ci
from judgefleet.scorer import ScorerKind
from judgefleet.statistics import weighted_mean_ci

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
    found, drawn = gather([scores]), Sampled.of([samples])
    # A trace with a row whose text is not in the store any more is one of the run's as well.
    traces = len(np.unique(np.concatenate([drawn.codes, *(rows.traces for rows in found.values())])))
    return summary_of([axis_of(rows, key, drawn.variants) for key, rows in found.items()], facts, traces, gates)


def summary_of(
    axes: Iterable[Axis], facts: Mapping[str, Any], traces: int, gates: Mapping[str, GateDecision] | None = None
) -> Summary:
    """The figures of a run from those of its axes; ``traces``: of how many traces."""
    ordered = tuple(sorted(axes, key=lambda a: (_KINDS.get(a.kind, 9), a.scorer, a.fingerprint, a.axis)))
    judges = {a.fingerprint for a in ordered if a.kind == ScorerKind.LLM}
    known = {name: (gates or {}).get(name) or decision_without_audit(name) for name in sorted(judges)}
    return Summary(facts=dict(facts), axes=ordered, gates=known, traces=traces)


def axis_of(rows: AxisRows, key: AxisKey, drawn: Mapping[Variant, int]) -> Axis:
    """The figures of one axis; ``drawn``: how many traces each variant should have a row of."""
    pairs = rows.pairs
    rate = pairs is None and _is_rate(rows)
    scale = _scale(rows)
    names = sorted(rows.variants | set(drawn), key=lambda v: (v is not None, v))
    compared = [v for v in names if v is not None]
    versus = [(compared[0], v) for v in compared[1:]] if pairs is None else []
    scorer, axis, fingerprint = key
    return Axis(
        scorer=scorer,
        axis=axis,
        fingerprint=fingerprint,
        kind=rows.shared["scorer_kind"],
        direction=rows.shared["direction"],
        config=rows.shared["config"],
        pairwise=pairs is not None,
        rate=rate,
        scale=scale,
        arms=tuple(_arm(rows, v, drawn.get(v, 0), rate, scale) for v in names),
        differences=tuple(compare(rows.columns, baseline=a, candidate=b, rate=rate) for a, b in versus),
        **(_preferences(pairs, compared) if pairs is not None else {}),
    )


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


def _arm(rows: AxisRows, variant: Variant, drawn: int, rate: bool, scale: tuple[float, float]) -> Arm:
    mine = rows.columns.arm(variant)
    valued, pairwise = mine.valued, rows.pairs is not None
    missing = max(0, drawn - len(np.unique(rows.traces[rows.columns.is_of(variant)])))
    failures = Counter({NO_ROW: missing} if missing else {})
    reasons: dict[str, Counter[str]] = {}
    for (of, status, reason), count in rows.failures.items():
        if (of or None) == (variant or None):
            failures[status] += count
            reasons.setdefault(status, Counter())[reason] += count
    estimate = proportion_ci if rate else weighted_mean_ci
    return Arm(
        variant=variant,
        total=len(mine) + missing,
        ok=len(valued),
        failures=dict(failures),
        mean=None if pairwise else estimate(valued.values, valued.weights, valued.clusters),
        reasons={status: found.most_common(_REASONS_SHOWN) for status, found in reasons.items()},
        histogram=() if rate or pairwise else _histogram(valued, scale),
    )


def _histogram(columns: Columns, scale: tuple[float, float]) -> tuple[int, ...]:
    counts = np.histogram(np.clip(columns.values, *scale), bins=BINS, range=scale)[0]
    return tuple(counts.tolist())


def _is_rate(rows: AxisRows) -> bool:
    """Zeros and ones only; a judge's row of nothing but ones may be the low end of a longer scale, so one zero or a
    check in code is asked for."""
    values = set(np.unique(rows.columns.valued.values).tolist())
    return bool(values) and values <= {0.0, 1.0} and (rows.shared["scorer_kind"] == ScorerKind.CODE or 0.0 in values)


def _scale(rows: AxisRows) -> tuple[float, float]:
    """The numeric labels' range where the labels are numbers; else 0 to 1, widened to the values found."""
    if rows.labels and all(_is_number(label) for label in rows.labels):
        grades = [float(label) for label in rows.labels]
        return min(grades), max(grades)
    values = rows.columns.valued.values
    low, high = (values.min(), values.max()) if len(values) else (0.0, 0.0)
    return float(np.floor(min(0.0, low))), float(np.ceil(max(1.0, high)))


def _is_number(label: str) -> bool:
    return label.isascii() and label.lstrip("-").replace(".", "", 1).isdigit()
