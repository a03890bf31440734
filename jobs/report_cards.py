"""Cards: a case as the page shows it, every text cut to a stated length."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from experiments.comparison import Row, has_value
from experiments.pairs import LOSS, TIE, WIN
from experiments.preference import winner
from jobs.figures import Axis, Summary, failure_name
from jobs.pair_rows import cell_of, once
from jobs.report_cases import Answer, AxisKey, Case, axis_key
from jobs.report_tags import TagBook
from jobs.wording import decimals, number, one_line, variant_name, visible

OUTPUT_LIMIT, QUESTION_LIMIT, CONTEXT_LIMIT, REASON_LIMIT = 4000, 2000, 1200, 600
MAX_CONTEXTS, MAX_MESSAGES, MAX_LABELS = 6, 4, 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Excerpt:
    """The first ``kept`` of ``total`` characters, made visible."""

    shown: str
    kept: int
    total: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """A label and its probability from 0 to 1."""

    label: str
    share: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One score: a value, or a failure with its status. ``verdicts`` has one sentence an order."""

    scorer: str
    axis: str
    trusted: bool
    ok: bool
    value: str
    label: str
    shares: Sequence[Share]
    reason: Excerpt | None
    verdict: str = ""
    verdicts: Sequence[str] = ()
    flipped: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerCard:
    """An answer with its scores. ``question`` is set only where it is not the card's."""

    variant: str
    slot: int
    trace: str
    question: Excerpt | None
    output: Excerpt | None
    contexts: Sequence[Excerpt]
    more_contexts: int
    messages: Sequence[tuple[str, Excerpt]]
    lines: Sequence[Line]


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """A case on the page. ``tags``: the figures it is behind, with its value there where it has one."""

    anchor: str
    name: str
    title: str
    question: Excerpt | None
    reference: Excerpt | None
    answers: Sequence[AnswerCard]
    left_out: int
    pairs: Sequence[Line]
    flipped: bool
    failed: int
    tags: dict[str, float | None]


def excerpt(text: str | None, limit: int) -> Excerpt | None:
    """The first ``limit`` characters, made visible; None for None.

    >>> excerpt("abcdef", 4)
    Excerpt(shown='abcd', kept=4, total=6)
    """
    if text is None:
        return None
    return Excerpt(shown=visible(text[:limit]), kept=min(limit, len(text)), total=len(text))


def cards(cases: Sequence[Case], summary: Summary, book: TagBook) -> list[Card]:
    """A card a case. Call it after the figures, so that the book knows their targets."""
    axes = {a.key: a for a in summary.axes}
    slots = summary.slots()
    return [_card(f"c{i}", case, summary, axes, slots, book) for i, case in enumerate(cases)]


def _card(
    anchor: str, case: Case, summary: Summary, axes: dict[AxisKey, Axis], slots: dict[str | None, int], book: TagBook
) -> Card:
    question = next((a.sample.trace.question for a in case.answers if a.sample), None)
    reference = next((a.sample.trace.reference for a in case.answers if a.sample), None)
    pairs = once([r for r in case.rows if r["other_trace_id"]])
    variants = {a.key[0]: variant_name(a.variant) for a in case.answers}
    return Card(
        anchor=anchor,
        name=one_line(case.name, 60),
        title=one_line(question or "", 160) or "(no question)",
        question=excerpt(question, QUESTION_LIMIT),
        reference=excerpt(reference, CONTEXT_LIMIT),
        answers=[_answer(a, question, slots.get(a.variant, 0), summary, axes) for a in case.answers],
        left_out=case.size - len(case.answers),
        pairs=[_pair(r, summary, axes, variants) for r in pairs],
        flipped=case.flipped,
        failed=sum(not has_value(r) for r in case.rows),
        tags={t: v for t, v in _tags(case, axes, book) if t in book.targets},
    )


def _answer(a: Answer, question: str | None, slot: int, summary: Summary, axes: dict[AxisKey, Axis]) -> AnswerCard:
    trace = a.sample.trace if a.sample else None
    contexts = trace.contexts if trace else ()
    messages = trace.messages[-MAX_MESSAGES:] if trace else ()
    return AnswerCard(
        variant=variant_name(a.variant),
        slot=slot,
        trace=one_line(" / ".join(filter(None, a.key)), 80),
        question=excerpt(trace.question, QUESTION_LIMIT) if trace and trace.question != question else None,
        output=excerpt(trace.output, OUTPUT_LIMIT) if trace else None,
        contexts=[e for c in contexts[:MAX_CONTEXTS] if (e := excerpt(c, CONTEXT_LIMIT))],
        more_contexts=max(0, len(contexts) - MAX_CONTEXTS),
        messages=[(one_line(m.role, 20), e) for m in messages if (e := excerpt(m.content, CONTEXT_LIMIT))],
        lines=[_line(r, summary, axes) for r in a.rows if not r["other_trace_id"]],
    )


def _line(row: Row, summary: Summary, axes: dict[AxisKey, Axis]) -> Line:
    axis = axes[axis_key(row)]
    ok = has_value(row)
    shares = sorted(dict(row["probabilities"] or ()).items())[:MAX_LABELS]
    return Line(
        scorer=one_line(row["scorer"], 60),
        axis=one_line(row["axis"], 60),
        trusted=summary.trusted(axis),
        ok=ok,
        value=number(row["value"], decimals(axis.scale)) if ok else visible(row["status"]).replace("_", " "),
        label=one_line(row["label"], 40) if row["label"] else "",
        shares=[Share(label=one_line(name, 20), share=min(1.0, max(0.0, p))) for name, p in shares if p is not None],
        reason=excerpt(row["reason"], REASON_LIMIT),
    )


def _pair(row: Row, summary: Summary, axes: dict[AxisKey, Axis], variants: dict[str, str]) -> Line:
    """The verdict on a pair, and each order in words: which answer stood first, which was called better."""
    mine, other = (variants.get(row[k], one_line(row[k], 12)) for k in ("trace_id", "other_trace_id"))
    lines = []
    for o in row["orders"] or ():
        first = mine if o["first"] == row["trace_id"] else other
        lines.append(f"{first} first: {_say(winner(o, row['trace_id']), mine, other)}{_percentages(o)}")
    words = f"{_say(row['label'], mine, other)} (probability of {mine}: {number(row['value'], 3)})"
    flipped = row["order_consistent"] is False
    return replace(_line(row, summary, axes), verdict=words, verdicts=lines, flipped=flipped)


def _say(verdict: str | None, mine: str, other: str) -> str:
    return {WIN: f"{mine} better", LOSS: f"{other} better", TIE: "tie"}.get(verdict or "", "no verdict")


def _percentages(order: Row) -> str:
    shares = [f"{one_line(k, 20)} {p:.2f}" for k, p in dict(order["probabilities"] or ()).items() if p is not None]
    return f" ({', '.join(shares)})" if shares else ""


def _tags(case: Case, axes: dict[AxisKey, Axis], book: TagBook) -> Iterator[tuple[str, float | None]]:
    variants = {a.key[0]: a.variant for a in case.answers}
    for row in case.rows:
        axis = axes[axis_key(row)]
        value = row["value"] if has_value(row) else None
        yield book.tag("arm", axis.key, row["variant"]), value
        if value is None:
            yield book.tag("status", axis.key, row["variant"], failure_name(row["status"])), None
        if row["other_trace_id"]:
            key = (axis.key, variants.get(row["other_trace_id"]), row["variant"])
            yield from _pair_tags(row, key, book)
    for axis in axes.values():
        yield from _difference_tags(case, axis, book)


def _pair_tags(
    row: Row, key: tuple[AxisKey, str | None, str | None], book: TagBook
) -> Iterator[tuple[str, float | None]]:
    yield book.tag("pairs", *key), row["value"] if has_value(row) else None
    if not has_value(row):
        return
    yield book.tag("verdict", *key, row["label"]), row["value"]
    if cell := cell_of(row):
        yield book.tag("cell", *key, *cell), row["value"]
    if row["order_consistent"] is False:
        yield book.tag("flip", key[0]), None
    for order in row["orders"] or ():
        yield book.tag("slot", key[0], order["label"]), None


def _difference_tags(case: Case, axis: Axis, book: TagBook) -> Iterator[tuple[str, float | None]]:
    values: dict[str, list[float]] = {}
    for row in case.rows:
        if axis_key(row) == axis.key and has_value(row):
            values.setdefault(row["variant"], []).append(row["value"])
    for d in axis.differences:
        if d.baseline in values and d.candidate in values:
            tag = book.tag("difference", axis.key, d.baseline, d.candidate)
            yield tag, fmean(values[d.candidate]) - fmean(values[d.baseline])
