"""What a sampling plan would draw of an input, and what judging that would cost. Nothing is scored, nothing is kept.

All objects are read, in this process, into a scratch folder; from there on it is the plan of 'judgefleet batch'.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.batch import Reporter
from jobs.config import BatchConfig, load_batch_config
from jobs.draw import Cell
from jobs.engines.budget import Tokens, cost
from jobs.engines.config import EngineConfig
from jobs.estimate import Estimate, asked, estimate_prompts, tokens_of
from jobs.intake import INTAKE_SCHEMA, Intake, listed
from jobs.joined import write_joined
from jobs.plan import Plan, make_plan, staged_dataset
from jobs.prepare import Prepared, prepare
from jobs.traces_input import with_given
from judgefleet.errors import ConfigError
from judgefleet.ids import IdSet
from judgefleet.sampling import DEFAULT_STRATUM, SamplingPlan
from judgefleet.storage import open_location, read_table
from judgefleet.validation import validate_mapping
from judgefleet.yaml_model import load_yaml_model
from judges.prompt import Prompt

_RUN = "sample"


@dataclass(frozen=True, kw_only=True, slots=True)
class StratumDraw:
    """One stratum. ``rate`` as asked, ``lowered`` by a cap; ``sampled``: traces, ``expected`` over all salts.

    ``units``: what is drawn as one. ``probability_min``, ``probability_mean``: inclusion probability, over windows and
    over traces; None where there are no traces. ``tokens``, ``cost``: read and written by judges for what is sampled,
    with no prefix cache; None without a configuration of judges.
    """

    stratum: str
    traces: int
    units: int
    windows: int
    rate: float
    floor: int
    lowered: float
    probability_min: float | None
    probability_mean: float | None
    expected: float
    sampled: int
    tokens: int | None = None
    cost: float | None = None


@dataclass(kw_only=True)
class _Spent:
    """On the prompts of a stratum; ``price``: of its tokens."""

    tokens: Tokens = field(default_factory=Tokens)
    price: float = 0.0

    def add(self, prompt: Prompt, engine: EngineConfig) -> None:
        """One more prompt for ``engine``."""
        taken = tokens_of(prompt, engine)
        self.tokens, self.price = self.tokens + taken, self.price + cost(engine, taken)


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """All of it. ``decisions``: traces and rejects by what became of them. ``reasons``: rejects by reason."""

    uri: str
    plan_hash: str
    unit: str
    factor: float
    objects: int
    decisions: Mapping[str, int]
    reasons: Mapping[str, int]
    strata: tuple[StratumDraw, ...]
    costs: Estimate | None


def read_plan(path: Path, uri: str, format: str = "auto") -> BatchConfig:  # noqa: A002
    """The plan in ``path`` for the traces at ``uri``, judged by nobody. Raises ConfigError with every mistake."""
    try:
        plan = load_yaml_model(path, SamplingPlan)
    except ConfigError as error:
        hint = f"{path}: what stands below 'sampling:' belongs here; for a whole configuration, use --config"
        raise ConfigError(f"{error}\n{hint}") from error
    content = {
        "name": "sample",
        "store": ".",
        "input": {"uri": uri, "format": format},
        "scorers": [{"use": "not_empty"}],
        "run": {"chunk_traces": 4096},
    }
    checked = validate_mapping(content, BatchConfig, "traces sample", lambda _: None)
    return checked.model_copy(update={"sampling": plan})


def read_config(path: Path, uri: str | None = None, format: str | None = None) -> BatchConfig:  # noqa: A002
    """The configuration in ``path``, for other traces where ``uri`` is given. Raises ConfigError."""
    config = load_batch_config(path)
    found = with_given(config.input.model_dump(exclude_unset=True), uri, format)
    return config.model_copy(update={"input": found})


def sample(config: BatchConfig, report: Reporter) -> Drawn:
    """Read all of the input and draw. Raises ConfigError where nothing is there, or a cap cannot hold."""
    with TemporaryDirectory(prefix="judgefleet-") as scratch:
        prepared = prepare(config.model_copy(update={"store": f"{scratch}/store"}))
        report.say(f"reading {len(prepared.objects):,} objects from {config.input.uri}")
        staged = Path(scratch, "staged")
        staged.mkdir()
        _stage(prepared, staged / "intake.parquet", report)
        plan = make_plan(
            staged_dataset(open_location(staged)), prepared.store, _RUN, config.run.chunk_traces, config.sampling
        )
        spent: dict[str, _Spent] = defaultdict(_Spent)
        costs = _costs(prepared, plan, spent, report)
        rejects = read_table(prepared.store.child(f"_runs/{_RUN}/rejects.parquet"), ["reason"])
    return Drawn(
        uri=config.input.uri,
        plan_hash=config.sampling.hash,
        unit=config.sampling.unit,
        factor=plan.factor,
        objects=len(prepared.objects),
        decisions=dict(plan.counts),
        reasons=dict(Counter(rejects["reason"].to_pylist())),
        strata=tuple(_strata(config, plan.cells, costs, spent)),
        costs=costs,
    )


def _stage(prepared: Prepared, path: Path, report: Reporter) -> None:
    intake = Intake(config=prepared.config, group_by=prepared.group_by, weigh=True)
    objects = pa.Table.from_pylist(listed(prepared.objects))
    with pq.ParquetWriter(path, INTAKE_SCHEMA, compression="zstd") as writer:
        for table in intake(objects):
            writer.write_table(table)
            report.progress(int(table["place"][-1].as_py().partition("-")[0]) + 1, objects.num_rows)
    folder = open_location(path.parent)
    write_joined(intake.joined(staged_dataset(folder)), INTAKE_SCHEMA, folder)


def _costs(prepared: Prepared, plan: Plan, spent: dict[str, _Spent], report: Reporter) -> Estimate | None:
    """Of every prompt that follows from the draw; ``spent`` is filled by stratum. None where nobody judges."""
    if (setup := prepared.setup) is None:
        return None
    report.say("writing every prompt to count its tokens")
    engines = prepared.config.all_engines

    def seen() -> Iterator[Prompt]:
        for unit, prompt in asked(prepared.store, setup, plan.chunks, IdSet()):
            # Both halves of a pair are in one prompt: it is counted where the first of them is.
            spent[unit.rows[0].sample.stratum].add(prompt, engines[prompt.engine])
            yield prompt

    return estimate_prompts(seen(), engines)


def _strata(
    config: BatchConfig, cells: Sequence[Cell], costs: Estimate | None, spent: Mapping[str, _Spent]
) -> Iterator[StratumDraw]:
    """Every stratum of the plan in its order, also one that no trace is in."""
    plan = config.sampling
    asked_for = [(s.name, s.rate, s.floor) for s in plan.strata]
    for name, rate, floor in [*asked_for, (DEFAULT_STRATUM, plan.default_rate, plan.default_floor)]:
        mine = [cell for cell in cells if cell.stratum == name]
        traces = sum(cell.traces for cell in mine)
        expected = sum(cell.probability * cell.traces for cell in mine)
        taken = spent.get(name, _Spent())
        yield StratumDraw(
            stratum=name,
            traces=traces,
            units=sum(cell.units for cell in mine),
            windows=sum(cell.window is not None for cell in mine),
            rate=rate,
            floor=floor.traces if floor else 0,
            lowered=mine[0].lowered if mine else rate,
            probability_min=min((cell.probability for cell in mine), default=None),
            probability_mean=expected / traces if traces else None,
            expected=expected,
            sampled=sum(cell.sampled for cell in mine),
            tokens=taken.tokens.read + taken.tokens.written if costs else None,
            cost=_price(costs, spent, taken) if costs else None,
        )


def _price(costs: Estimate, spent: Mapping[str, _Spent], mine: _Spent) -> float:
    """Prices by token as they are; the time of an engine is shared out by tokens read."""
    hours = costs.cost - sum(each.price for each in spent.values())
    read = sum(each.tokens.read for each in spent.values())
    return mine.price + (hours * mine.tokens.read / read if read else 0.0)
