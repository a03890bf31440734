"""Sampling rates: how many judged traces a stratum needs, so that the drop worth detecting is seen."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from calibration.prevalence import apparent_rate
from jobs.capacity_options import PlanOptions, PlanStratum
from judgefleet.detection import plan_drop_detection, smallest_drop


@dataclass(frozen=True, kw_only=True, slots=True)
class StratumPlan:
    """One stratum. Rates of passing by people's standard: ``pass_rate``, ``drop``, ``smallest_drop``; as the judge
    sees them: ``judged_rate``, ``judged_drop``. ``needed_per_window`` traces are to be judged, ``rate`` of the traffic
    is drawn. Where the traffic is too small, ``rate`` is 1 and ``smallest_drop`` above ``drop``; ``days_needed`` says
    how long a window would have to be. ``smallest_drop`` is None where no drop is seen."""

    name: str
    traffic_per_day: float
    pass_rate: float
    drop: float
    judged_rate: float
    judged_drop: float
    needed_per_window: int
    days_needed: float
    rate: float
    judged_per_day: float
    smallest_drop: float | None

    @property
    def feasible(self) -> bool:
        """Whether the traffic is enough."""
        return self.rate < 1 or (self.smallest_drop is not None and self.smallest_drop <= self.drop * (1 + 1e-6))


def alpha_each(options: PlanOptions) -> float:
    """What one comparison may spend on the side of a drop: trends look at both sides, ``horizon`` times."""
    return options.alpha / options.horizon / 2


def plan_strata(options: PlanOptions, times: float = 1.0) -> list[StratumPlan]:
    """The strata for drops ``times`` as large as those asked for. Raises ValueError for a judge that sees nothing."""
    return [_plan(options, stratum, times) for stratum in options.strata]


def largest_times(options: PlanOptions) -> float:
    """By how much the drops can be multiplied before a rate is 0."""
    return min(_pass_rate(options, s) / _drop(options, s) for s in options.strata) * (1 - 1e-6)


def judged_per_day(strata: Sequence[StratumPlan]) -> float:
    """Judged traces a day."""
    return sum(stratum.judged_per_day for stratum in strata)


def _plan(options: PlanOptions, stratum: PlanStratum, times: float) -> StratumPlan:
    sensitivity, specificity = options.accuracies
    rate, drop = _pass_rate(options, stratum), _drop(options, stratum) * times
    before, after = (apparent_rate(p, sensitivity, specificity) for p in (rate, rate - drop))
    daily = options.traffic * stratum.share
    usable = daily * options.within * options.valid_share
    how = {"alpha": alpha_each(options), "power": options.power, "design_effect": options.design_effect}
    needed = plan_drop_detection(before, after, traffic_per_window=usable, **how)
    # Rounded up, so that what is written into a configuration does not fall short.
    drawn = min(1.0, math.ceil(needed.sampling_rate * 1e6) / 1e6)
    seen = smallest_drop(before, drawn * usable, **how)
    return StratumPlan(
        name=stratum.name,
        traffic_per_day=daily,
        pass_rate=rate,
        drop=drop,
        judged_rate=before,
        judged_drop=before - after,
        needed_per_window=math.ceil(needed.n_per_window / options.valid_share),
        days_needed=needed.n_per_window / options.valid_share / daily,
        rate=drawn,
        judged_per_day=drawn * daily,
        smallest_drop=_true_drop(seen, rate, sensitivity + specificity - 1),
    )


def _true_drop(seen: float | None, rate: float, youden: float) -> float | None:
    """The drop by people's standard behind one that the judge sees; None where the rate cannot fall so far."""
    return None if seen is None or seen / youden > rate else seen / youden


def _pass_rate(options: PlanOptions, stratum: PlanStratum) -> float:
    return stratum.pass_rate or options.pass_rate


def _drop(options: PlanOptions, stratum: PlanStratum) -> float:
    return stratum.detect or options.detect
