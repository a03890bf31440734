"""Cases: traces that answer the same question, side by side with all their scores. What a figure drills down to."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from experiments.comparison import Row, has_value, item_key
from jobs.figures import Axis, Summary
from judgefleet.sample import Sample, sample_from_row

TraceKey = tuple[str, str]
AxisKey = tuple[str, str, str]
MAX_ANSWERS = 8
_COLUMNS = (
    *("trace_id", "span_id", "variant", "attributes", "scorer", "axis", "fingerprint", "status", "value", "label"),
    *("probabilities", "reason", "pair_id", "other_trace_id", "order_consistent", "orders"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One trace of a case. ``sample`` is None where the store has scores of it but not its text."""

    key: TraceKey
    variant: str | None
    sample: Sample | None
    rows: Sequence[Row]


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One question and its answers, at most ``MAX_ANSWERS`` of ``size``."""

    name: str
    answers: Sequence[Answer]
    size: int
    flipped: bool

    @property
    def rows(self) -> list[Row]:
        """Score rows of all answers."""
        return [r for a in self.answers for r in a.rows]


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """The cases on the page, worst first, and of how many traces they were chosen."""

    cases: Sequence[Case]
    shown: int
    total: int


def axis_key(row: Row) -> AxisKey:
    """What tells one axis of the summary from another."""
    return row["scorer"], row["axis"], row["fingerprint"] or ""


def select_cases(summary: Summary, scores: pa.Table, samples: pa.Table, max_traces: int) -> Selection:
    """Group all traces into cases and keep the first up to ``max_traces`` traces.

    First come the pairs whose verdict changed with the order, then the lowest scored.
    """
    rows: dict[TraceKey, list[Row]] = defaultdict(list)
    for row in scores.select(_COLUMNS).to_pylist():
        rows[_key(row)].append(row)
    known = {_key(r): r for r in samples.select(("trace_id", "span_id", "variant", "attributes")).to_pylist()}
    traces = {k: (known.get(k) or rows[k][0]) for k in sorted({*rows, *known})}
    groups = _groups(traces, rows)
    scales = {a.key: a for a in summary.axes}
    ranked = sorted(groups.items(), key=lambda g: (*_rank((r for k in g[1] for r in rows[k]), scales), g[0]))
    chosen = list(_fill(ranked, max_traces))
    texts = _texts(samples, [k for _, keys, _ in chosen for k in keys])
    cases = [
        Case(
            name=name,
            size=size,
            flipped=any(_flipped(r) for k in keys for r in rows[k]),
            answers=[
                Answer(key=k, variant=traces[k]["variant"], sample=texts.get(k), rows=sorted(rows[k], key=axis_key))
                for k in keys
            ],
        )
        for name, keys, size in chosen
    ]
    return Selection(cases=cases, shown=sum(len(c.answers) for c in cases), total=max(summary.traces, len(traces)))


def _key(row: Row) -> TraceKey:
    return row["trace_id"], row["span_id"] or ""


def _groups(traces: Mapping[TraceKey, Row], rows: Mapping[TraceKey, Sequence[Row]]) -> dict[str, list[TraceKey]]:
    """Traces by golden item; those without one by the pairs they were judged in."""
    links: dict[str, str] = {}

    def root(name: str) -> str:
        while (above := links.get(name, name)) != name:
            links[name] = links.get(above, above)
            name = above
        return name

    for trace_id, span in traces:
        for row in rows.get((trace_id, span), ()):
            if row["other_trace_id"] and item_key(row) is None:
                low, high = sorted((root(trace_id), root(row["other_trace_id"])))
                links[high] = low
    groups: dict[str, list[TraceKey]] = defaultdict(list)
    for key, row in traces.items():
        groups[item_key(row) or root(key[0])].append(key)
    return {n: sorted(keys, key=lambda k: (traces[k]["variant"] or "", k)) for n, keys in groups.items()}


def _flipped(row: Row) -> bool:
    return row["order_consistent"] is False


def _rank(rows: Iterable[Row], axes: Mapping[AxisKey, Axis]) -> tuple[bool, float]:
    """Disagreements first, then by the mean of all scores, each as its place on its scale (1 is best)."""
    held = list(rows)
    graded = [(r["value"], axes[axis_key(r)]) for r in held if has_value(r) and not r["other_trace_id"]]
    places = [float(goodness(np.array(value), axis.scale, axis.direction)) for value, axis in graded]
    return not any(map(_flipped, held)), fmean(places) if places else 1.0


def goodness(values: npt.NDArray[np.float64], scale: tuple[float, float], direction: str) -> npt.NDArray[np.float64]:
    """Each value's place on its scale, 1 for the best; a half where no end is better."""
    low, high = scale
    place = (values - low) / (high - low) if high > low else np.ones_like(values)
    return {"lower_is_better": 1 - place, "none": np.full_like(values, 0.5)}.get(direction, place)


def _fill(
    ranked: Sequence[tuple[str, Sequence[TraceKey]]], max_traces: int
) -> Iterator[tuple[str, Sequence[TraceKey], int]]:
    room = max_traces
    for name, keys in ranked:
        kept = keys[: min(MAX_ANSWERS, room)]
        if not kept:
            return
        room -= len(kept)
        yield name, kept, len(keys)


def _texts(samples: pa.Table, keys: Sequence[TraceKey]) -> dict[TraceKey, Sample]:
    wanted = set(keys)
    near = samples.filter(pc.is_in(samples["trace_id"], value_set=pa.array([k for k, _ in keys], pa.string())))
    found: dict[TraceKey, Sample] = {}
    for row in _dicts(near):
        if _key(row) in wanted:
            found[_key(row)] = sample_from_row(row)
    return found


def _dicts(table: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in table.to_batches(max_chunksize=64):
        yield from batch.to_pylist()
