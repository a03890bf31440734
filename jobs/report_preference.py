"""The report's pairwise figures: win rate, the tally, and the verdicts of the two orders against each other."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from experiments.pairs import FIRST, LOSS, SECOND, TIE, WIN
from experiments.preference import PositionBias, Preference
from jobs.figures import Axis, Cell, Summary
from jobs.report_figures import Figure, figure
from jobs.report_plots import Bar, Tick, place, stack, ticks
from jobs.report_tags import TagBook, Target
from jobs.wording import number, one_line, percent, variant_name

VERDICTS = (LOSS, TIE, WIN)
SHADES = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A part of a stacked bar, or a cell of the matrix; ``shade`` from 0 to 4 says how full it is."""

    name: str
    count: int
    share: str
    target: Target
    bar: Bar | None = None
    shade: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class PreferenceView:
    """``matrix``: rows are the verdict with the baseline's answer first, columns with the candidate's first; in both,
    baseline better, tie, candidate better."""

    title: str
    trusted: bool
    baseline: str
    candidate: str
    baseline_slot: int
    win_rate: Figure
    probability: str
    tally: Sequence[Part]
    failed: int
    matrix: Sequence[Sequence[Part]]


@dataclass(frozen=True, kw_only=True, slots=True)
class PositionView:
    """What the order of the answers did, over all pairs of an axis."""

    title: str
    trusted: bool
    flips: Figure
    first_slot: Figure
    slots: Sequence[Part]


HALF = place(0.5, (0, 1))
SHARE_TICKS: Sequence[Tick] = ticks((0, 1))


def preferences(summary: Summary, book: TagBook) -> list[PreferenceView]:
    """One view for each pairwise axis and pair of variants."""
    return [
        _preference(summary, a, p, cells, book)
        for a in summary.axes
        for p, cells in zip(a.preferences, a.matrices, strict=True)
    ]


def _preference(summary: Summary, axis: Axis, p: Preference, cells: Sequence[Cell], book: TagBook) -> PreferenceView:
    a, b = variant_name(p.baseline), variant_name(p.candidate)
    what = f"{_what(axis)}: {b} against {a}"
    key = (axis.key, p.baseline, p.candidate)
    won = figure(
        p.win_rate,
        (0, 1),
        3,
        name=f"{b} preferred",
        slot=summary.slots().get(p.candidate, 0),
        counted=f"{p.pairs - p.failed} of {p.pairs} pairs judged",
        target=book.target(what, p.pairs, "pairs", *key),
    )
    return PreferenceView(
        title=what,
        trusted=summary.trusted(axis),
        baseline=a,
        candidate=b,
        baseline_slot=summary.slots().get(p.baseline, 0),
        win_rate=won,
        probability=number(p.probability.value, 3),
        tally=_tally(p, what, key, book),
        failed=p.failed,
        matrix=_matrix(cells, what, key, book),
    )


def _what(axis: Axis) -> str:
    return f"{one_line(axis.scorer, 60)}, {one_line(axis.axis, 60)}"


def _words(baseline: str, candidate: str) -> dict[str, str]:
    a, b = variant_name(baseline), variant_name(candidate)
    return {WIN: f"{b} better", TIE: "tie", LOSS: f"{a} better"}


def _tally(p: Preference, what: str, key: tuple[object, str, str], book: TagBook) -> list[Part]:
    tally = {WIN: p.wins, TIE: p.ties, LOSS: p.losses}
    bars = stack(list(tally.values()))
    return [
        Part(
            name=(name := _words(key[1], key[2])[label]),
            count=count,
            share=percent(count, sum(tally.values())),
            bar=bar,
            target=book.target(f"{what}: {name}", count, "verdict", *key, label),
        )
        for (label, count), bar in zip(tally.items(), bars, strict=True)
    ]


def _matrix(found: Sequence[Cell], what: str, key: tuple[object, str, str], book: TagBook) -> list[list[Part]]:
    cells = Counter({(cell.baseline_first, cell.candidate_first): cell.count for cell in found})
    total, fullest = sum(cells.values()), max(cells.values(), default=1)
    words = _words(key[1], key[2])

    def part(x: str, y: str) -> Part:
        count = cells[(x, y)]
        label = f"{what}: {words[x]} with {variant_name(key[1])} first, {words[y]} with {variant_name(key[2])} first"
        return Part(
            name=label,
            count=count,
            share=percent(count, total),
            shade=-(-SHADES * count // fullest),
            target=book.target(label, count, "cell", *key, x, y),
        )

    return [[part(x, y) for y in VERDICTS] for x in VERDICTS]


def positions(summary: Summary, book: TagBook) -> list[PositionView]:
    """One view for each pairwise axis."""
    return [_position(summary, a, a.position, book) for a in summary.axes if a.position]


def _position(summary: Summary, axis: Axis, bias: PositionBias, book: TagBook) -> PositionView:
    what = _what(axis)
    flips = figure(
        bias.flip_rate,
        (0, 1),
        3,
        name="Pairs whose verdict changed with the order",
        slot=2,
        counted=f"{bias.flips} of {bias.pairs} pairs",
        target=book.target(f"{what}: verdict changed with the order", bias.flips, "flip", axis.key),
    )
    first = figure(
        bias.first_slot,
        (0, 1),
        3,
        name="Verdicts for the answer that stood first",
        slot=3,
        counted=f"{bias.first} of {bias.verdicts} verdicts",
        target=book.target(f"{what}: first slot won", bias.first, "slot", axis.key, FIRST),
    )
    named = {FIRST: ("first slot", bias.first), TIE: ("tie", bias.ties), SECOND: ("second slot", bias.second)}
    bars = stack([count for _, count in named.values()])
    slots = [
        Part(
            name=name,
            count=count,
            share=percent(count, bias.verdicts),
            bar=bar,
            target=book.target(f"{what}: {name}", count, "slot", axis.key, label),
        )
        for (label, (name, count)), bar in zip(named.items(), bars, strict=True)
    ]
    return PositionView(title=what, trusted=summary.trusted(axis), flips=flips, first_slot=first, slots=slots)
