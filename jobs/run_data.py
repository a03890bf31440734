"""What a run left in its store: its figures, and the few of its traces that a report shows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from experiments.columns import item_codes
from jobs.axis_rows import SUMMARISED, AxisKey, AxisRows, gather
from jobs.figures import Summary
from jobs.gates import by_fingerprint, gates_for
from jobs.parted import parts_for
from jobs.redrawn import Redrawn
from jobs.sampled import Sampled, read_sampled, trace_codes
from jobs.summarise import axes_of, summary_of
from jobs.working_folder import working_folder
from jobs.worst import Worst
from judgefleet.columns import NO_CODES, Codes
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
    def _read(self) -> tuple[Summary, Codes]:
        """The figures, and the traces that look worst: first those whose verdict changed with the order."""
        worst = Worst(_WORST)
        with working_folder() as folder:
            found = self.rows(folder)
            axes = axes_of(found, self.sampled.variants, worst)
            flipped = np.unique(np.concatenate([NO_CODES, *(rows.flipped for rows in found.values())]))
        gates = by_fingerprint(gates_for(self.store, [axis.key for axis in axes]))
        chosen = np.concatenate([flipped, worst.traces])[:_WORST]
        return summary_of(axes, self.facts, self.sampled.traces, gates), chosen

    def rows(self, folder: Path) -> dict[AxisKey, AxisRows]:
        """The rows of every axis; they lie in ``folder``."""
        found: dict[AxisKey, AxisRows] = {}
        for scorer in scorers_in(self.store):
            found |= while_files_merge(partial(self._gathered, scorer, folder))
            give_back()
        return found

    def _gathered(self, scorer: str, folder: Path) -> dict[AxisKey, AxisRows]:
        return gather(self._told(scorer), Path(mkdtemp(dir=folder)), parts_for(len(self.sampled)))

    def _told(self, scorer: str) -> Iterator[pa.Table]:
        mine = is_one_of("fingerprint", self.facts["fingerprints"])
        for rows in score_batches(self.store, list(SUMMARISED), mine, scorer):
            yield self._redrawn.told(rows.filter(pa.array(self.sampled.has(trace_codes(rows)))))

    def _candidates(self) -> list[str]:
        """Ids of traces: the worst, then others that answer the same questions, as long as there is room."""
        if len(self.sampled) <= _CANDIDATES:
            return [name for rows in self._samples() for name in rows["trace_id"].to_pylist()]
        worst = self._read[1]
        mine = pa.concat_tables(rows.filter(_among(trace_codes(rows), worst)) for rows in self._samples())
        questions = np.setdiff1d(item_codes(mine["attributes"]), [0])
        names = mine["trace_id"].to_pylist()
        return [*names, *islice(self._others(questions, worst), max(_CANDIDATES - len(names), 0))]

    def _others(self, questions: Codes, worst: Codes) -> Iterator[str]:
        for rows in self._samples() if len(questions) else ():
            asked = rows.filter(_among(item_codes(rows["attributes"]), questions))
            yield from asked.filter(pc.invert(_among(trace_codes(asked), worst)))["trace_id"].to_pylist()

    def _samples(self) -> Iterator[pa.Table]:
        return sample_pieces(self.store, self.facts["run_id"], ["trace_id", "span_id", "attributes"])


def _among(codes: Codes, chosen: Codes) -> pa.Array:
    return pa.array(np.isin(codes, chosen))
