"""Which of a run's traces look worst, from one axis after the other: no more than twenty bytes a trace are held."""

import numpy as np

from jobs.axis_rows import AxisRows
from jobs.figures import Axis
from jobs.report_cases import goodness
from judgefleet.columns import Codes


class Worst:
    """Of each trace (``codes``, sorted, shape (n,)): its place on the scales of all axes, whether the order of the
    answers changed a verdict about it, and the golden item that it answers (``items``, 0 for none)."""

    def __init__(self, codes: Codes) -> None:
        self._codes = codes
        self._sums = np.zeros(len(codes))
        self._counts = np.zeros(len(codes), np.int32)
        self._flipped = np.zeros(len(codes), np.bool_)
        self.items: Codes = np.zeros(len(codes), np.uint64)

    def add(self, rows: AxisRows, axis: Axis) -> None:
        """Take in the rows of an axis, all of them about the traces; ``axis``: their figures."""
        at = np.searchsorted(self._codes, rows.traces)
        named = rows.columns.items != 0
        self.items[at[named]] = rows.columns.items[named]
        self._flipped[np.searchsorted(self._codes, rows.flipped)] = True
        if not axis.pairwise:
            there = np.isfinite(rows.columns.values)
            np.add.at(self._sums, at[there], goodness(rows.columns.values[there], axis))
            np.add.at(self._counts, at[there], 1)

    def traces(self, most: int) -> Codes:
        """At most so many: verdicts that changed with the order first, then by the mean place on all scales."""
        graded = np.flatnonzero(self._counts)
        means = self._sums[graded] / self._counts[graded]
        lowest = self._codes[graded[np.argsort(means, kind="stable")[:most]]]
        chosen: Codes = np.concatenate([np.unique(self._codes[self._flipped]), lowest])[:most]
        return chosen
