"""What was run: the run's own facts, its scorers, what they failed at, and the headline in words."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jobs.figures import NO_ROW, Axis, Summary
from jobs.report_tags import TagBook, Target
from jobs.wording import decimals, interval, number, one_line, percent, variant_name, visible
from judgefleet.scorer import ScorerKind
from judgefleet.statistics import Estimate

_NAMES = {"run_id": "run", "model_digest": "weights digest", "seconds": "time taken"}


@dataclass(frozen=True, kw_only=True, slots=True)
class ScorerView:
    """A scorer with its fingerprint, the state of its gate (empty where it needs none) and its configuration."""

    name: str
    kind: str
    fingerprint: str
    gate: str
    coverage: str
    config: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FailureView:
    """Rows of one axis and variant that ended with one status, and their most frequent reasons."""

    axis: str
    variant: str
    status: str
    count: int
    share: str
    reasons: Sequence[str]
    target: Target | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Headline:
    """A finding: the number, what it is, and whether a judge that nobody audited said so."""

    value: str
    text: str
    trusted: bool


def facts(summary: Summary) -> list[tuple[str, str]]:
    """The run's facts as name and text; warnings are shown elsewhere."""
    shown = ((k, v) for k, v in summary.facts.items() if k not in ("name", "warnings") and v is not None)
    return [(one_line(_NAMES.get(k, k.replace("_", " ")), 60), _text(k, v)) for k, v in shown]


def _text(key: str, value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} {value.tzname() or ''}".strip()
    if key == "seconds" and isinstance(value, int | float):
        return f"{value / 60:.1f} minutes" if value >= 120 else f"{value:.1f} seconds"
    if isinstance(value, Mapping):
        return one_line(", ".join(f"{k}: {v}" for k, v in value.items()), 400)
    return f"{value:,}" if isinstance(value, int) else one_line(value, 400)


def scorers(summary: Summary) -> list[ScorerView]:
    """One view for each scorer and fingerprint."""
    grouped: dict[tuple[str, str], list[Axis]] = {}
    for a in summary.axes:
        grouped.setdefault((a.scorer, a.fingerprint), []).append(a)
    return [_scorer(summary, axes) for axes in grouped.values()]


def _scorer(summary: Summary, axes: Sequence[Axis]) -> ScorerView:
    gate = summary.gates.get(axes[0].fingerprint)
    ok, total = sum(a.ok for a in axes), sum(a.total for a in axes)
    return ScorerView(
        name=one_line(axes[0].scorer, 60),
        kind=one_line(axes[0].kind, 20),
        fingerprint=one_line(axes[0].fingerprint, 40),
        gate=gate.state.value if gate else "",
        coverage=f"{ok:,} of {total:,} ({percent(ok, total)})",
        config=_pretty(axes[0].config),
    )


def _pretty(config: str) -> str:
    try:
        return visible(json.dumps(json.loads(config), indent=2, ensure_ascii=False))[:8000]
    except ValueError:
        return visible(config)[:8000]


def failures(summary: Summary, book: TagBook) -> list[FailureView]:
    """Failures by axis, variant and status, the most frequent first within each."""
    return [view for axis in summary.axes for view in _failures_of(axis, book)]


def _failures_of(axis: Axis, book: TagBook) -> Iterator[FailureView]:
    name = f"{one_line(axis.scorer, 60)}, {one_line(axis.axis, 60)}"
    for arm in axis.arms:
        for status, count in sorted(arm.failures.items(), key=lambda f: -f[1]):
            words = visible(status).replace("_", " ")
            label = f"{name}: {variant_name(arm.variant)} {words}"
            target = book.target(label, count, "status", axis.key, arm.variant, status) if status != NO_ROW else None
            yield FailureView(
                axis=name,
                variant=variant_name(arm.variant),
                status=words,
                count=count,
                share=percent(count, arm.total),
                reasons=[f"{reason} ({n})" for reason, n in arm.reasons.get(status, ())],
                target=target,
            )


def headlines(summary: Summary) -> list[Headline]:
    """The findings in words: who is preferred, what differs, what the order did, how much was scored."""
    ok, total = sum(a.ok for a in summary.axes), sum(a.total for a in summary.axes)
    covered = Headline(value=percent(ok, total), text=f"of {total:,} scores have a value", trusted=True)
    return [*_preferred(summary), *_flipped(summary), *_different(summary), covered]


def _preferred(summary: Summary) -> Iterator[Headline]:
    for axis in summary.axes:
        for p in axis.preferences:
            e, b, a = p.win_rate, variant_name(p.candidate), variant_name(p.baseline)
            verdict = _verdict(e, 0.5, f"{b} is preferred", f"{a} is preferred", "neither is shown to be preferred")
            text = f"win rate of {b} against {a}, 95 % interval {interval(e, 3)}: {verdict}"
            yield Headline(value=number(e.value, 3), text=text, trusted=summary.trusted(axis))


def _flipped(summary: Summary) -> Iterator[Headline]:
    for axis in summary.axes:
        if axis.position and axis.position.pairs:
            flips, pairs = axis.position.flips, axis.position.pairs
            text = f"of {pairs:,} pairs got another verdict when the answers changed places"
            yield Headline(value=percent(flips, pairs), text=text, trusted=summary.trusted(axis))


def _different(summary: Summary) -> Iterator[Headline]:
    groups = {"of LLM judges": True, "of checks and similarity": False}
    for whose, judged in groups.items():
        axes = [a for a in summary.axes if a.differences and (a.kind == ScorerKind.LLM) == judged]
        if axes:
            shown = [_difference(a) for a in axes if any(_excludes(d.estimate, 0) for d in a.differences)]
            text = f"axes {whose} show a difference between the variants" + (f": {'; '.join(shown)}" if shown else "")
            trusted = all(summary.trusted(a) for a in axes)
            yield Headline(value=f"{len(shown)} of {len(axes)}", text=text, trusted=trusted)


def _difference(axis: Axis) -> str:
    signs = (
        f"{variant_name(d.candidate)} - {variant_name(d.baseline)} "
        f"{number(d.estimate.value, decimals(axis.scale), signed=True)}"
        for d in axis.differences
        if _excludes(d.estimate, 0)
    )
    return f"{one_line(axis.axis, 40)} {', '.join(signs)}"


def _excludes(e: Estimate, point: float) -> bool:
    return e.low is not None and e.high is not None and not e.low <= point <= e.high


def _verdict(e: Estimate, point: float, above: str, below: str, neither: str) -> str:
    if not _excludes(e, point) or e.value is None:
        return neither
    return above if e.value > point else below
