"""Which of a run's traces look worst, part by part: no more than the worst so far are held."""

from collections.abc import Iterable

import numpy as np

from jobs.axis_rows import AxisRows, Scored
from jobs.report_cases import goodness
from judgefleet.columns import NO_CODES, Codes


class Worst:
    """The ``most`` traces with the lowest mean place on the scales of all axes; of equals, those with the lowest hash.

    ``traces``: their hashes, the worst first.
    """

    def __init__(self, most: int) -> None:
        self._most, self._means = most, np.empty(0)
        self.traces: Codes = NO_CODES

    def add(self, axes: Iterable[tuple[AxisRows, Scored]]) -> None:
        """Take in a part of the rows of every axis: all that there is about some traces."""
        graded = [(axis, rows.valued) for axis, rows in axes if axis.pairs is None]
        codes: Codes = np.concatenate([NO_CODES, *(rows.traces for _, rows in graded)])
        found, at = np.unique(codes, return_inverse=True)
        places = [goodness(rows.values, axis.scale, axis.shared["direction"]) for axis, rows in graded]
        means = np.bincount(at, np.concatenate([np.empty(0), *places])) / np.bincount(at)
        traces, means = np.concatenate([self.traces, found]), np.concatenate([self._means, means])
        lowest = np.lexsort((traces, means))[: self._most]
        self.traces, self._means = traces[lowest], means[lowest]
