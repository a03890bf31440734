"""What the figures of one variant are made of, added up part by part."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from jobs.axis_rows import Scored
from jobs.figures import BINS
from judgefleet.moments import Moments


@dataclass(kw_only=True, slots=True)
class ArmSums:
    """``rows``, of how many ``traces``; ``moments`` of those with a value; ``histogram``: values in ``BINS`` parts of
    the axis' scale, where one was given."""

    rows: int = 0
    traces: int = 0
    moments: Moments = field(default_factory=Moments)
    histogram: npt.NDArray[np.int64] | None = None

    def add(self, rows: Scored, scale: tuple[float, float] | None) -> None:
        """Take in a part: all that there is of some conversations."""
        self.rows += len(rows)
        self.traces += len(np.unique(rows.traces))
        valued = rows.valued
        self.moments += valued.moments
        if scale is not None:
            found = np.histogram(np.clip(valued.values, *scale), bins=BINS, range=scale)[0]
            self.histogram = found if self.histogram is None else self.histogram + found
