"""Trends of a store: its rows, its gates and, where there is an audit, what people said."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

import pandas as pd

from calibration.gate import GateDecision
from calibration.trends import MEAN, PASS_RATE, WINDOWS, Bridge, Trend, bridge_of, points_of
from jobs.gates import gates_of
from jobs.trend_people import people_of
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
    the figures; None takes the one of the latest decision. ``measure``: ``mean`` or ``pass_rate``; None takes pass
    rates where the audit has a cut."""

    window: str = "day"
    scorer: str | None = None
    axis: str | None = None
    by: str | None = None
    audit: str | None = None
    baseline: int = 1
    alpha: float = 0.05
    horizon: int = 52
    measure: str | None = None


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
    if options.measure not in (None, MEAN, PASS_RATE):
        raise ConfigError(f"found the measure {options.measure!r}; allowed: {MEAN}, {PASS_RATE}")
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
    people = people_of(options.audit or gate.audit_uri, gate, options.measure, notes)
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
                measure=people.measure if people else MEAN,
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
