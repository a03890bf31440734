"""Trends of a store: its rows, its gates and, where there is an audit, what people said."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

import pandas as pd

from calibration.audit import PAIR
from calibration.audit_folder import Audit
from calibration.consensus import consensus_of
from calibration.gate import GateDecision
from calibration.matched import PASS, human_label
from calibration.trends import WINDOWS, Bridge, People, Trend, bridge_of, points_of
from jobs.gates import gates_of
from judgefleet.errors import ConfigError, did_you_mean
from judgefleet.store import read_scores

_COLUMNS = [
    *(
        "trace_id",
        "conversation_id",
        "trace_started_at",
        "scored_at",
        "service",
        "environment",
        "experiment",
        "variant",
    ),
    *(
        "attributes",
        "stratum",
        "inclusion_probability",
        "scorer",
        "axis",
        "scorer_kind",
        "fingerprint",
        "status",
        "value",
    ),
]
_FIELDS = ("service", "environment", "experiment", "variant", "stratum")


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """``by``: the segment, a field of the trace or the name of an attribute. ``audit``: a folder whose labels correct
    the figures; None takes the one of the latest decision."""

    window: str = "day"
    scorer: str | None = None
    axis: str | None = None
    by: str | None = None
    audit: str | None = None
    baseline: int = 1
    alpha: float = 0.05
    horizon: int = 52


@dataclass(frozen=True, kw_only=True, slots=True)
class Trends:
    """What a store shows over time. ``gates``: of every judge looked at; figures of a gate that is not open are marked
    untrusted wherever they are shown."""

    trends: Sequence[Trend]
    gates: Sequence[GateDecision]
    bridges: Sequence[Bridge] = field(default_factory=tuple)
    notes: Sequence[str] = field(default_factory=tuple)


def trends_of(store: str, options: Options, now: datetime | None = None) -> Trends:
    """Every judge and axis that ``options`` names. Raises ConfigError: no such scorer, axis or window, or no judge."""
    if options.window not in WINDOWS:
        raise ConfigError(f"found the window {options.window!r}; {did_you_mean(options.window, WINDOWS)}")
    gates = [gate for gate in gates_of(store, now) if _wanted(gate, options)]
    if not gates:
        raise ConfigError(f"no LLM judge of that name has scored in {store!r}; 'judgefleet gate {store}' lists them")
    rows = read_scores(store, _COLUMNS).to_pandas()
    notes: list[str] = []
    found = [trend for gate in gates for trend in _trends(rows, gate, options, notes)]
    return Trends(trends=found, gates=gates, bridges=list(_bridges(rows, gates)), notes=notes)


def _wanted(gate: GateDecision, options: Options) -> bool:
    return options.scorer in (None, gate.scorer) and options.axis in (None, gate.axis)


def _trends(rows: pd.DataFrame, gate: GateDecision, options: Options, notes: list[str]) -> Iterator[Trend]:
    mine = _rows_of(rows, gate)
    people = _people(options.audit or gate.audit_uri, gate, notes)
    segments = _segments(mine, options.by)
    for name in sorted(set(segments)):
        points = points_of(
            mine[segments == name],
            window=WINDOWS[options.window],
            people=people,
            baseline=options.baseline,
            alpha=options.alpha,
            horizon=options.horizon,
        )
        if points:
            yield Trend(
                scorer=gate.scorer,
                axis=gate.axis,
                fingerprint=gate.fingerprint,
                segment=name,
                gate=gate,
                points=points,
            )
    if undated := int(mine["trace_started_at"].isna().sum()):
        notes.append(f"{gate.scorer}/{gate.axis}: {undated:,} rows have no time and are in no window")


def _rows_of(rows: pd.DataFrame, gate: GateDecision) -> pd.DataFrame:
    return rows[
        (rows["scorer"] == gate.scorer) & (rows["axis"] == gate.axis) & (rows["fingerprint"] == gate.fingerprint)
    ]


def _segments(rows: pd.DataFrame, by: str | None) -> "pd.Series[Any]":
    """The segment of each row: empty for all, ``none`` where the row does not say."""
    if by is None:
        return pd.Series("", index=rows.index)
    if by in _FIELDS:
        return rows[by].astype(object).fillna("none")
    return rows["attributes"].map(lambda pairs: dict(pairs if pairs is not None else ()).get(by, "none"))


def _people(uri: str | None, gate: GateDecision, notes: list[str]) -> People | None:
    """The audit's labels as pass and fail; None, with a note, where they cannot be."""
    where = f"{gate.scorer}/{gate.axis}"
    if uri is None:
        notes.append(f"{where}: no audit, so nothing is corrected; --audit names one")
        return None
    audit = Audit(uri)
    if not audit.exists:
        notes.append(f"{where}: no audit in {uri!r} any more, so nothing is corrected; --audit names another")
        return None
    info = audit.info
    if (info.scorer or gate.scorer, info.axis or gate.axis) != (gate.scorer, gate.axis):
        notes.append(
            f"{where}: the audit {info.audit_id!r} is about {info.scorer}/{info.axis}, so nothing is corrected"
        )
        return None
    if info.kind == PAIR or info.cut is None:
        notes.append(
            f"{where}: the audit {info.audit_id!r} says no 'cut' between pass and fail, so nothing is corrected"
        )
        return None
    said = {i: human_label(info, c) for i, c in consensus_of(audit.labels, info.kind).items()}
    traces = {item.trace_ids[0]: item for item in audit.items.values() if item.trace_ids and said.get(item.item_id)}
    return People(
        human={trace: said[item.item_id] == PASS for trace, item in traces.items()},
        weights={trace: 1 / item.inclusion_probability for trace, item in traces.items()},
        cut=info.cut,
    )


def _bridges(rows: pd.DataFrame, gates: Sequence[GateDecision]) -> Iterator[Bridge]:
    """Every two judges of one scorer and axis, in the order in which they began."""
    by_axis: dict[tuple[str, str], list[pd.DataFrame]] = {}
    for gate in gates:
        by_axis.setdefault((gate.scorer, gate.axis), []).append(_rows_of(rows, gate))
    for parts in by_axis.values():
        ordered = sorted(parts, key=lambda part: part["scored_at"].min())
        for old, new in pairwise(ordered):
            if bridge := bridge_of(old, new):
                yield bridge
