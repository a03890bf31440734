"""Trends of a store: its rows, its gates and, where there is an audit, what people said."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

import numpy as np

from calibration.gate import GateDecision
from calibration.judged import Judged, columns_for, gather_judged
from calibration.trends import MEAN, PASS_RATE, WINDOWS, Bridge, Trend, bridge_of, points_of
from jobs.gates import JUDGED, gates_for
from jobs.trend_people import people_of
from judgefleet.errors import ConfigError, did_you_mean
from judgefleet.pieces import is_one_of
from judgefleet.store import score_batches, while_files_merge


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


def trends_of(
    store: str, options: Options, now: datetime | None = None, judged: Sequence[Judged] | None = None
) -> Trends:
    """Every judge and axis that ``options`` names; ``judged``: their rows, where they were read before.

    Raises ConfigError: no such scorer, axis or window, or no judge.
    """
    if options.window not in WINDOWS:
        raise ConfigError(f"found the window {options.window!r}; {did_you_mean(options.window, WINDOWS)}")
    if options.measure not in (None, MEAN, PASS_RATE):
        raise ConfigError(f"found the measure {options.measure!r}; allowed: {MEAN}, {PASS_RATE}")
    judged = read_judged(store, options) if judged is None else judged
    if not judged:
        raise ConfigError(f"no LLM judge of that name has scored in {store!r}; 'judgefleet gate {store}' lists them")
    gates = gates_for(store, [part.judge for part in judged], now)
    notes: list[str] = []
    found = [trend for part, gate in zip(judged, gates, strict=True) for trend in _trends(part, gate, options, notes)]
    return Trends(trends=found, gates=gates, bridges=list(_bridges(judged)), notes=notes)


def read_judged(store: str, options: Options) -> list[Judged]:
    """The rows of every LLM judge that ``options`` names, as numbers: some fifty bytes a row."""
    mine = JUDGED if options.axis is None else JUDGED & is_one_of("axis", [options.axis])
    columns = columns_for(options.by)
    return while_files_merge(lambda: gather_judged(score_batches(store, columns, mine, options.scorer), options.by))


def _trends(judged: Judged, gate: GateDecision, options: Options, notes: list[str]) -> Iterator[Trend]:
    people = people_of(options.audit or gate.audit_uri, gate, options.measure, notes)
    for name, rows in judged.by_segment():
        points = points_of(
            rows,
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
    if undated := int(np.isnat(judged.started).sum()):
        notes.append(f"{gate.scorer}/{gate.axis}: {undated:,} rows have no time and are in no window")


def _bridges(judged: Sequence[Judged]) -> Iterator[Bridge]:
    """Every two judges of one scorer and axis, in the order in which they began."""
    by_axis: dict[tuple[str, str], list[Judged]] = {}
    for part in judged:
        by_axis.setdefault(part.judge[:2], []).append(part)
    for parts in by_axis.values():
        for old, new in pairwise(sorted(parts, key=lambda part: part.first)):
            yield bridge_of(old, new)
