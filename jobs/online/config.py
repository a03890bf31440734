"""The configuration of the online loop: that of a batch run, and how the loop behaves."""

from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator

from jobs.config import BatchConfig
from judgefleet.sampling import SamplingPlan
from judgefleet.yaml_model import StrictModel, load_yaml_model

_Seconds = Annotated[float, Field(gt=0)]
_Count = Annotated[int, Field(ge=1)]


class BudgetConfig(StrictModel):
    """What a day (UTC) may take; None is no limit. It is given out through the day, an hour's share ahead.

    ``tokens_per_day``: read and written. ``judge_seconds_per_day``: time spent scoring. ``cost_per_day``: in the unit
    of the engine's prices and ``cost_per_hour``. ``lowest_factor``: rates are halved down to this before scoring
    waits.
    """

    tokens_per_day: _Count | None = None
    judge_seconds_per_day: _Seconds | None = None
    cost_per_day: _Seconds | None = None
    lowest_factor: Annotated[float, Field(gt=0, le=1)] = 1 / 64


class OnlineSettings(StrictModel):
    """How the loop behaves.

    ``poll_seconds``: between two looks for new objects. ``batch_traces``: sampled traces committed together at most,
    and ``in_flight`` such batches in work at a time. ``workers``: processes that score beside the engine.
    ``settle_seconds``: a trace made of spans is judged when nothing of it came for so long. ``group_seconds``: how
    long one half of a pair waits for the other, and a conversation for its next turn. ``late``: what becomes of spans
    that come after their trace was scored: ``list`` counts and lists them, ``supersede`` also scores the trace again,
    in rows that name those they replace. ``order``: which objects of a
    backlog are read first. ``partition``: how folders below the input are named by time, as strftime writes it
    (``%Y/%m/%d/%H``), in ``partition_zone`` (``Europe/Berlin``); then only those of the last ``lookback_hours`` are
    listed. ``max_pending_traces``: traces that may wait for their spans; beyond it the oldest are judged as they are.
    ``max_tries``: after so many, what kills its worker goes to the dead letters. ``lease_seconds``: a loop that gave no
    sign of life for so long is replaced by one that waits. ``compact_files``: small files of one date and scorer that
    are merged into one.
    """

    poll_seconds: _Seconds = 5.0
    batch_traces: Annotated[int, Field(ge=1, le=8192)] = 256
    in_flight: Annotated[int, Field(ge=1, le=16)] = 2
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    settle_seconds: Annotated[float, Field(ge=0)] = 30.0
    group_seconds: Annotated[float, Field(ge=0)] = 600.0
    late: Literal["list", "supersede"] = "list"
    order: Literal["oldest_first", "newest_first"] = "oldest_first"
    partition: str | None = None
    partition_zone: str = "UTC"
    lookback_hours: _Seconds = 24.0
    max_pending_traces: _Count = 20_000
    max_tries: _Count = 3
    lease_seconds: Annotated[float, Field(ge=1)] = 30.0
    compact_files: Annotated[int, Field(ge=2)] = 32
    checkpoint_every: _Count = 200
    metrics_port: Annotated[int, Field(ge=0, le=65535)] | None = None
    metrics_host: str = "127.0.0.1"
    budget: BudgetConfig = BudgetConfig()

    @field_validator("partition_zone")
    @classmethod
    def _is_a_zone(cls, given: str) -> str:
        try:
            ZoneInfo(given)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(
                f"found {given!r}; a name of the IANA time zones belongs here, as Europe/Berlin"
            ) from error
        return given


class OnlineConfig(BatchConfig):
    """What ``judgefleet online`` follows. ``name`` is the stream: its progress stays when anything else is changed."""

    online: OnlineSettings = OnlineSettings()

    @field_validator("sampling")
    @classmethod
    def _decides_at_once(cls, sampling: SamplingPlan) -> SamplingPlan:
        if sampling.needs_whole_input:
            raise ValueError(
                "a floor or a cap needs the whole input, and a stream has no end: how many traces a window will "
                "have is not known when the first of them is decided. Raise the rate of the stratum ('judgefleet plan' "
                "says to what), limit the cost with online.budget, or score closed days with 'judgefleet batch'"
            )
        return sampling


def load_online_config(path: Path) -> OnlineConfig:
    """The configuration in ``path``. Raises ConfigError with every mistake, its line and what is allowed."""
    return load_yaml_model(path, OnlineConfig)
