"""The report's means and differences: what each plot draws, says in words and points at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from experiments.comparison import Difference
from jobs.figures import Axis, Summary
from jobs.report_plots import Bar, Mark, Scale, Tick, histogram, mark, symmetric, ticks, zero_ticks
from jobs.report_tags import TagBook, Target
from jobs.wording import decimals, interval, number, one_line, variant_name
from judgefleet.scorer import ScorerKind
from judgefleet.statistics import Estimate

KIND_TITLES = {"EMBEDDING": "Similarity", "CODE": "Checks in code", "HUMAN": "Labels by people"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """A number with its interval: its place on the plot, its words, and the traces behind it.

    ``slot`` chooses the colour and the shape.
    """

    name: str
    slot: int
    mark: Mark | None
    value: str
    interval: str
    counted: str
    method: str
    target: Target
    bars: Sequence[Bar] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class AxisView:
    """A row of the report: the means of the variants beside their differences."""

    title: str
    note: str
    means: Sequence[Figure]
    ticks: Sequence[Tick]
    differences: Sequence[Figure]
    zero_ticks: Sequence[Tick]


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """Axes of one judge, or of all scorers of a kind that needs no judge."""

    title: str
    trusted: bool
    axes: Sequence[AxisView]


def sections(summary: Summary, book: TagBook) -> list[Section]:
    """Means and differences: a section for each LLM judge, one for each other kind of scorer."""
    grouped: dict[str, list[Axis]] = {}
    for axis in summary.axes:
        if not axis.pairwise:
            judge = f"LLM judge {one_line(axis.scorer, 60)} ({axis.fingerprint[:8]})"
            title = judge if axis.kind == ScorerKind.LLM else KIND_TITLES.get(axis.kind, one_line(axis.kind, 60))
            grouped.setdefault(title, []).append(axis)
    return [
        Section(
            title=title,
            trusted=all(summary.trusted(a) for a in axes),
            axes=[_axis_view(a, book, _shared_scale(a, axes), summary.slots()) for a in axes],
        )
        for title, axes in grouped.items()
    ]


def _shared_scale(axis: Axis, axes: Sequence[Axis]) -> Scale:
    """Differences on axes with one scale are drawn alike, so that they can be compared by eye."""
    return symmetric([d.estimate for a in axes if a.scale == axis.scale for d in a.differences])


def _axis_view(axis: Axis, book: TagBook, spread: Scale, slots: Mapping[str | None, int]) -> AxisView:
    judge = axis.kind == ScorerKind.LLM
    notes = {"lower_is_better": "lower is better", "higher_is_better": "higher is better"}
    kind = "share of passes" if axis.rate else "mean"
    return AxisView(
        title=one_line(axis.axis if judge else f"{axis.scorer}: {axis.axis}", 80),
        note=", ".join(filter(None, (kind, axis.unit, notes.get(axis.direction)))),
        means=_means(axis, book, slots),
        ticks=ticks(axis.scale),
        differences=[_difference(axis, d, slots[d.candidate], spread, book) for d in axis.differences],
        zero_ticks=zero_ticks(spread),
    )


def _means(axis: Axis, book: TagBook, slots: Mapping[str | None, int]) -> list[Figure]:
    figures = []
    for arm in axis.arms:
        label = f"{one_line(axis.scorer, 60)}, {one_line(axis.axis, 60)}: {variant_name(arm.variant)}"
        figures.append(
            figure(
                arm.mean,
                axis.scale,
                decimals(axis.scale),
                name=variant_name(arm.variant),
                slot=slots[arm.variant],
                counted=f"{arm.ok} of {arm.total} scored",
                bars=histogram(arm.histogram, axis.scale),
                target=book.target(label, arm.total, "arm", axis.key, arm.variant),
            )
        )
    return figures


def _difference(axis: Axis, d: Difference, slot: int, spread: Scale, book: TagBook) -> Figure:
    name = f"{variant_name(d.candidate)} - {variant_name(d.baseline)}"
    label = f"{one_line(axis.scorer, 60)}, {one_line(axis.axis, 60)}: {name}"
    unit = "pairs" if d.paired else "traces, not paired"
    key = ("difference", axis.key, d.baseline, d.candidate)
    return figure(
        d.estimate,
        spread,
        decimals(axis.scale),
        signed=True,
        name=name,
        slot=slot,
        counted=f"{d.used} of {d.possible} {unit}",
        target=book.target(label, d.used, *key),
    )


def figure(
    e: Estimate | None,
    scale: Scale,
    places: int,
    *,
    name: str,
    slot: int,
    counted: str,
    target: Target,
    signed: bool = False,
    bars: Sequence[Bar] = (),
) -> Figure:
    """An estimate as a figure on ``scale``, written with ``places`` decimals."""
    return Figure(
        name=name,
        slot=slot,
        mark=mark(e, scale),
        value=number(e.value if e else None, places, signed=signed),
        interval=interval(e, places, signed=signed) if e else "no data",
        counted=counted,
        method=e.method if e else "no data",
        target=target,
        bars=bars,
    )
