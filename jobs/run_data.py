"""What a run left in its store: its rows, batch by batch, and the few of its traces that a report shows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from jobs.axis_rows import SUMMARISED, AxisKey, AxisRows, gather, trace_codes
from jobs.figures import Summary
from jobs.gates import by_fingerprint, gates_for
from jobs.redrawn import Redrawn
from jobs.report_cases import goodness
from jobs.sampled import Sampled, read_sampled
from jobs.summarise import summarise_axes
from judgefleet.columns import NO_CODES, Codes
from judgefleet.memory import give_back
from judgefleet.pieces import is_one_of
from judgefleet.store import score_batches, scores_of
from judgefleet.stored_samples import read_samples, sample_pieces

# Up to so many traces a report chooses from all of them; of more, from those that look worst.
_CANDIDATES = 4000
_WORST = 500


@dataclass(frozen=True, kw_only=True)
class RunData:
    """The rows of one run; a store may hold more than one. ``facts``: what the run said about itself."""

    store: str
    facts: Mapping[str, Any]

    @cached_property
    def sampled(self) -> Sampled:
        """Every sampled trace, as numbers."""
        return read_sampled(self.store, self.facts["run_id"])

    @cached_property
    def axes(self) -> dict[AxisKey, AxisRows]:
        """The rows as numbers, by scorer, axis and fingerprint."""
        found = gather(self._scores())
        give_back()
        return found

    @cached_property
    def summary(self) -> Summary:
        """The figures."""
        return summarise_axes(self.axes, self.sampled, self.facts, by_fingerprint(gates_for(self.store, self.axes)))

    def shown(self) -> tuple[pa.Table, pa.Table]:
        """Scores and samples, with their texts, of the traces that a report may show."""
        ids = self._candidates()
        scores = scores_of(self.store, ids, self.facts["fingerprints"])
        return scores, read_samples(self.store, self.facts["run_id"], trace_ids=ids)

    def _scores(self) -> Iterator[pa.Table]:
        redrawn = Redrawn(self.sampled)
        mine = is_one_of("fingerprint", self.facts["fingerprints"])
        for rows in score_batches(self.store, list(SUMMARISED), mine):
            yield redrawn.told(rows.filter(pa.array(self.sampled.has(trace_codes(rows)))))

    def _candidates(self) -> list[str]:
        """Ids of traces, whole questions: first those whose verdict changed with the order, then the lowest scored."""
        codes = self.sampled.codes
        if len(codes) <= _CANDIDATES:
            return self._names(codes)
        mine = np.isin(codes, worst_traces(self.axes, self.summary, _WORST))
        items = self._items()
        together = np.isin(items, np.setdiff1d(items[mine], [0])) | mine
        # The worst themselves come first, whatever answers the same questions.
        order = np.argsort(~mine[together], kind="stable")[:_CANDIDATES]
        return self._names(codes[together][order])

    def _names(self, codes: Codes) -> list[str]:
        """The ids of the traces behind ``codes``, in any order."""
        tables = sample_pieces(self.store, self.facts["run_id"], ["trace_id", "span_id"])
        found = [rows["trace_id"].filter(pa.array(np.isin(trace_codes(rows), codes))) for rows in tables]
        return [name for names in found for name in names.to_pylist()]

    def _items(self) -> Codes:
        """The golden item of each sample, in the order of ``sampled``."""
        items = np.zeros(len(self.sampled), np.uint64)
        for rows in self.axes.values():
            named = rows.columns.items != 0
            items[np.searchsorted(self.sampled.codes, rows.traces[named])] = rows.columns.items[named]
        return items


def worst_traces(axes: Mapping[AxisKey, AxisRows], summary: Summary, most: int) -> Codes:
    """At most ``most`` traces: verdicts that changed with the order first, then by the mean place on all scales."""
    shown = {axis.key: axis for axis in summary.axes}
    flipped = [_flipped(rows.pairs) for rows in axes.values() if rows.pairs is not None]
    graded = [(rows, shown[key]) for key, rows in axes.items() if rows.pairs is None]
    traces = np.unique(np.concatenate([NO_CODES, *(np.unique(_valued(rows)) for rows, _ in graded)]))
    sums, counts = np.zeros(len(traces)), np.zeros(len(traces))
    for rows, axis in graded:
        at = np.searchsorted(traces, _valued(rows))
        sums += np.bincount(at, goodness(rows.columns.valued.values, axis), len(traces))
        counts += np.bincount(at, minlength=len(traces))
    lowest: Codes = traces[np.argsort(sums / counts, kind="stable")[:most]]
    first = np.unique(np.concatenate([NO_CODES, *flipped]))
    chosen: Codes = np.concatenate([first, lowest])[:most]
    return chosen


def _valued(rows: AxisRows) -> Codes:
    found: Codes = rows.traces[np.isfinite(rows.columns.values)]
    return found


def _flipped(pairs: pa.Table) -> Codes:
    changed = pairs.filter(pa.array([value is False for value in pairs["order_consistent"].to_pylist()], pa.bool_()))
    return trace_codes(changed)
