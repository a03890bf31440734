"""What a run left in its store: its figures, and the few of its traces that a report shows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import pyarrow as pa

from jobs.axis_rows import SUMMARISED, AxisKey, AxisRows, gather, trace_codes
from jobs.figures import Axis, Summary
from jobs.gates import by_fingerprint, gates_for
from jobs.redrawn import Redrawn
from jobs.sampled import Sampled, read_sampled
from jobs.summarise import axis_of, summary_of
from jobs.worst import Worst
from judgefleet.columns import Codes
from judgefleet.memory import give_back
from judgefleet.pieces import is_one_of
from judgefleet.store import score_batches, scorers_in, scores_of, while_files_merge
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
    def _redrawn(self) -> Redrawn:
        return Redrawn(self.sampled)

    @property
    def summary(self) -> Summary:
        """The figures."""
        return self._read[0]

    def shown(self) -> tuple[pa.Table, pa.Table]:
        """Scores and samples, with their texts, of the traces that a report may show."""
        ids = self._candidates()
        scores = scores_of(self.store, ids, self.facts["fingerprints"])
        return scores, read_samples(self.store, self.facts["run_id"], trace_ids=ids)

    @cached_property
    def _read(self) -> tuple[Summary, Worst]:
        worst = Worst(self.sampled.codes)
        axes: list[Axis] = []
        for axis, rows in self.axes():
            worst.add(rows, axis)
            axes.append(axis)
            del rows  # before those of the next scorer are read
        gates = by_fingerprint(gates_for(self.store, [axis.key for axis in axes]))
        return summary_of(axes, self.facts, len(np.unique(self.sampled.codes)), gates), worst

    def axes(self) -> Iterator[tuple[Axis, AxisRows]]:
        """One scorer after the other: the rows of one are held at a time."""
        for scorer in scorers_in(self.store):
            found = while_files_merge(partial(self._gathered, scorer))
            give_back()
            while found:
                key = next(iter(found))
                yield axis_of(found[key], key, self.sampled.variants), found.pop(key)

    def _gathered(self, scorer: str) -> dict[AxisKey, AxisRows]:
        return gather(self._rows(scorer))

    def _rows(self, scorer: str) -> Iterator[pa.Table]:
        mine = is_one_of("fingerprint", self.facts["fingerprints"])
        for rows in score_batches(self.store, list(SUMMARISED), mine, scorer):
            yield self._redrawn.told(rows.filter(pa.array(self.sampled.has(trace_codes(rows)))))

    def _candidates(self) -> list[str]:
        """Ids of traces, whole questions: first those whose verdict changed with the order, then the lowest scored."""
        codes, worst = self.sampled.codes, self._read[1]
        if len(codes) <= _CANDIDATES:
            return self._names(codes)
        mine = np.isin(codes, worst.traces(_WORST))
        together = np.isin(worst.items, np.setdiff1d(worst.items[mine], [0])) | mine
        # The worst themselves come first, whatever answers the same questions.
        order = np.argsort(~mine[together], kind="stable")[:_CANDIDATES]
        return self._names(codes[together][order])

    def _names(self, codes: Codes) -> list[str]:
        """The ids of the traces behind ``codes``, in any order."""
        tables = sample_pieces(self.store, self.facts["run_id"], ["trace_id", "span_id"])
        found = [rows["trace_id"].filter(pa.array(np.isin(trace_codes(rows), codes))) for rows in tables]
        return [name for names in found for name in names.to_pylist()]
