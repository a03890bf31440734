"""What judging so many traces takes: tokens, GPUs, money, and how far scores are behind."""

import math
from dataclasses import dataclass

from jobs.capacity_options import PlanOptions

_DAY = 86_400.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """A day's work. ``computed_tokens``: those that the prefix cache does not save. ``busy_share``: of the time of all
    GPUs at the peak. ``cost``: GPU hours over ``utilisation``, for a fleet that shrinks when there is less to do;
    ``cost_always_on``: all GPUs of the peak, all day. Lags in seconds, from an object in storage to its committed row,
    without what exporters take before."""

    judged: float
    tokens: float
    computed_tokens: float
    gpu_hours: float
    gpus: int
    busy_share: float
    cost: float
    cost_always_on: float
    lag_average: float
    lag_at_peak: float


def load_of(options: PlanOptions, judged: float) -> Load:
    """The load of ``judged`` traces a day."""
    tokens = judged * options.tokens_per_trace
    computed = tokens * (1 - options.cached_share)
    hours = computed / options.tokens_per_second / 3600
    at_peak = hours / 24 * options.peak_factor
    gpus = max(1, math.ceil(at_peak / options.utilisation))
    return Load(
        judged=judged,
        tokens=tokens,
        computed_tokens=computed,
        gpu_hours=hours,
        gpus=gpus,
        busy_share=at_peak / gpus,
        cost=hours / options.utilisation * options.gpu_cost_per_hour,
        cost_always_on=gpus * 24 * options.gpu_cost_per_hour,
        lag_average=lag(options, judged / _DAY, gpus),
        lag_at_peak=lag(options, judged / _DAY * options.peak_factor, gpus),
    )


def paid(options: PlanOptions, load: Load) -> float:
    """What a budget has to pay: the whole day of every GPU where they stay up, else what the load takes."""
    return load.cost_always_on if options.always_on else load.cost


def lag(options: PlanOptions, per_second: float, gpus: int) -> float:
    """Mean seconds from an object in storage to its row: settling, half a poll, waiting, and the batch it is in.

    Waiting by Pollaczek and Khinchine for one server, Poisson arrivals of batches, and batches whose time varies as an
    exponential does (``rho S / (1 - rho)``): M/M/1, on the safe side of the evener batches there are. A batch is what
    comes between two polls, at most ``batch_traces`` and at least one trace.
    """
    each = options.tokens_per_trace * (1 - options.cached_share) / options.tokens_per_second / gpus
    batch = min(options.batch_traces, max(1.0, per_second * options.poll_seconds))
    busy, service = per_second * each, batch * each
    return options.settle_seconds + options.poll_seconds / 2 + busy * service / (1 - busy) + service
