"""Chances that a running total first crosses a boundary at each look (Armitage, McPherson & Rowe 1969).

The score at information t is normal with mean ``drift * t`` and variance t, and its increments are independent. The
density of those that have not stopped is carried from look to look by Gauss-Legendre quadrature. Looks may lie close
together, down to about 1e-5 of the information.
"""

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy import stats

from judgefleet.moments import Array

# Standard deviations beyond which a density is left out; both tails hold 2e-17.
_REACH = 8.5
# Gauss-Legendre on panels of 20 nodes: ten at least, and none wider than a few standard deviations of the steps that
# lead to a look and away from it, since looks that lie close together have a narrow transition.
_NODES, _PANELS, _MOST_PANELS, _PANEL_WIDTH = 20, 10, 150, 4.0


@dataclass(frozen=True, slots=True)
class Recursion:
    """Where those are that have not stopped: masses at scores, shape (n,), at the information of the last look."""

    sided: int
    drift: float = 0.0
    time: float = 0.0
    scores: Array = field(default_factory=lambda: np.zeros(1))
    masses: Array = field(default_factory=lambda: np.ones(1))

    def crossing(self, time: float, z: float) -> float:
        """Chance to have gone on so far and to cross ``z`` (with ``sided`` 2, either of +z and -z) at ``time``."""
        centre, spread = self._step(time)
        bound = z * time**0.5
        tails = stats.norm.sf((bound - centre) / spread)
        if self.sided == 2:
            tails = tails + stats.norm.cdf((-bound - centre) / spread)
        return float(self.masses @ tails)

    def passed(self, time: float, z: float, following: float) -> "Recursion":
        """The state after a look at ``time`` at which those beyond ``z`` stopped; the next look is at ``following``."""
        centre, spread = self._step(time)
        low, high = self._region(time, z)
        scores, weights = _quadrature(low, high, (high - low) / min(spread, (following - time) ** 0.5) / _PANEL_WIDTH)
        density = stats.norm.pdf((scores[:, None] - centre[None, :]) / spread) / spread @ self.masses
        return replace(self, time=time, scores=scores, masses=density * weights)

    def _step(self, time: float) -> tuple[Array, float]:
        elapsed = time - self.time
        return self.scores + self.drift * elapsed, elapsed**0.5

    def _region(self, time: float, z: float) -> tuple[float, float]:
        """The scores at which nobody stops, cut off where there is no mass."""
        root, mean = time**0.5, self.drift * time
        low, high = mean - _REACH * root, mean + _REACH * root
        if self.sided == 2:
            low = max(low, -z * root)
        return min(low, z * root), max(low, min(high, z * root))


def _quadrature(low: float, high: float, panels: float) -> tuple[Array, Array]:
    """Nodes between ``low`` and ``high`` and their weights, on about so many panels."""
    count = int(np.clip(np.ceil(panels), _PANELS, _MOST_PANELS))
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    width = (high - low) / count
    starts = low + width * np.arange(count)
    return (starts[:, None] + width * (nodes + 1) / 2).ravel(), np.tile(weights * width / 2, count)


def crossing_probabilities(
    information: npt.ArrayLike, z: npt.ArrayLike, *, sided: int = 2, drift: float = 0.0
) -> Array:
    """Chance to stop at each look, shape (K,), for boundaries ``z`` at ascending ``information``, both of shape (K,).

    With ``drift`` 0 their sum is the type I error; with ``drift = effect / standard error at information 1`` the power.

    >>> [round(float(p), 4) for p in crossing_probabilities([0.5, 1.0], [1.96, 1.96])]
    [0.05, 0.0331]
    """
    times, bounds = np.asarray(information, dtype=np.float64), np.asarray(z, dtype=np.float64)
    if times.shape != bounds.shape or times.ndim != 1 or not (np.diff(times, prepend=0.0) > 0).all():
        raise ValueError("information ascends from above 0, with one z value for each look")
    if sided == 2 and (bounds < 0).any():
        raise ValueError("two-sided boundaries are z values from 0 up")
    state, found = Recursion(sided, drift), []
    for time, bound, following in zip(times.tolist(), bounds.tolist(), [*times.tolist()[1:], None], strict=True):
        found.append(state.crossing(time, bound))
        if following is not None:
            state = state.passed(time, bound, following)
    return np.array(found)
