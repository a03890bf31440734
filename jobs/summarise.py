"""From score rows to figures."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from calibration.gate import GateDecision, decision_without_audit
from experiments.comparison import Row, compare, has_value, values_of
from experiments.preference import position_bias, prefer
from jobs.figures import NO_ROW, Arm, Axis, Summary, failure_name
from judgefleet.proportions import proportion_ci
from judgefleet.scorer import ScorerKind
from judgefleet.statistics import weighted_mean_ci

_COLUMNS = (
    *("trace_id", "span_id", "variant", "conversation_id", "inclusion_probability", "scorer_kind", "direction"),
    *("config", "status", "value", "probabilities", "pair_id", "other_trace_id"),
)
_KINDS = {kind: place for place, kind in enumerate(("LLM", "HUMAN", "EMBEDDING", "CODE"))}
_SHARED = (("kind", "scorer_kind"), ("direction", "direction"), ("config", "config"))


def summarise(
    scores: pa.Table, samples: pa.Table, facts: Mapping[str, Any], gates: Mapping[str, GateDecision] | None = None
) -> Summary:
    """Figures of all rows in ``scores``; ``samples`` tells which traces should have a row.

    Rows of different fingerprints are never mixed: another judge is another axis. Variants are compared with the
    first of them in sort order. An LLM judge for whom ``gates`` has no decision has not been audited.
    """
    plain = _plain(scores)
    keys = plain.group_by(["scorer", "axis", "fingerprint"]).aggregate([]).to_pylist()
    drawn = Counter(r["variant"] for r in samples.select(["variant"]).to_pylist())
    found = [_axis(_rows_of(plain, key), key, drawn) for key in keys]
    axes = tuple(sorted(found, key=lambda a: (_KINDS.get(a.kind, 9), a.scorer, a.fingerprint, a.axis)))
    judges = {a.fingerprint for a in axes if a.kind == ScorerKind.LLM}
    known = {name: (gates or {}).get(name) or decision_without_audit(name) for name in sorted(judges)}
    return Summary(facts=dict(facts), axes=axes, gates=known)


def _plain(scores: pa.Table) -> pa.Table:
    """Dictionary columns decoded; the three key columns without nulls, so that they can be compared."""
    for i, column in enumerate(scores.schema):
        if pa.types.is_dictionary(column.type):
            scores = scores.set_column(i, column.name, scores[column.name].cast(column.type.value_type))
    for name in ("scorer", "axis", "fingerprint"):
        scores = scores.set_column(scores.schema.get_field_index(name), name, pc.fill_null(scores[name], ""))
    return scores


def _rows_of(scores: pa.Table, key: Mapping[str, str]) -> pa.Table:
    mask = None
    for name, value in key.items():
        here = pc.equal(scores[name], value)
        mask = here if mask is None else pc.and_(mask, here)
    return scores.filter(mask)


def _axis(table: pa.Table, key: Mapping[str, str], drawn: Mapping[str | None, int]) -> Axis:
    rows = table.select(_COLUMNS).to_pylist()
    pairwise = any(r["pair_id"] or r["other_trace_id"] for r in rows)
    rate = not pairwise and _is_rate(rows)
    names = sorted({r["variant"] for r in rows} | set(drawn), key=lambda v: (v is not None, v))
    arms = tuple(_arm(v, [r for r in rows if r["variant"] == v], drawn.get(v, 0), rate, pairwise) for v in names)
    compared = [v for v in names if v is not None]
    versus = [(compared[0], v) for v in compared[1:]]
    two = [(x, y) for i, x in enumerate(compared) for y in compared[i + 1 :]]
    return Axis(
        scorer=key["scorer"],
        axis=key["axis"],
        fingerprint=key["fingerprint"],
        **{name: next((r[source] for r in rows if r[source]), "") for name, source in _SHARED},
        pairwise=pairwise,
        rate=rate,
        scale=_scale(rows),
        arms=arms,
        differences=() if pairwise else tuple(compare(table, baseline=a, candidate=b, rate=rate) for a, b in versus),
        preferences=tuple(p for a, b in two if (p := prefer(table, baseline=a, candidate=b)).pairs) if pairwise else (),
        position=position_bias(table) if pairwise else None,
    )


def _arm(variant: str | None, rows: Sequence[Row], drawn: int, rate: bool, pairwise: bool) -> Arm:
    valued = [r for r in rows if has_value(r)]
    failures = Counter(failure_name(r["status"]) for r in rows if not has_value(r))
    missing = max(0, drawn - len({(r["trace_id"], r["span_id"]) for r in rows}))
    if missing:
        failures[NO_ROW] = missing
    data = values_of(valued)
    mean = (proportion_ci if rate else weighted_mean_ci)(data.values, data.weights, data.clusters)
    return Arm(
        variant=variant,
        total=len(rows) + missing,
        ok=len(valued),
        failures=dict(failures),
        mean=None if pairwise else mean,
    )


def _is_rate(rows: Sequence[Row]) -> bool:
    """Zeros and ones only; a judge's row of nothing but ones may be the low end of a longer scale, so one zero or a
    check in code is asked for."""
    values = {r["value"] for r in rows if has_value(r)}
    checked = any(r["scorer_kind"] == ScorerKind.CODE for r in rows)
    return bool(values) and values <= {0.0, 1.0} and (checked or 0.0 in values)


def _scale(rows: Sequence[Row]) -> tuple[float, float]:
    """The numeric labels' range where the labels are numbers; else 0 to 1, widened to the values found."""
    labels = {label for r in rows for label, _ in r["probabilities"] or ()}
    if labels and all(_is_number(label) for label in labels):
        grades = [float(label) for label in labels]
        return min(grades), max(grades)
    values = [r["value"] for r in rows if has_value(r)] or [0.0]
    return float(np.floor(min(0.0, *values))), float(np.ceil(max(1.0, *values)))


def _is_number(label: str) -> bool:
    return label.isascii() and label.lstrip("-").replace(".", "", 1).isdigit()
