"""A batch run: read, sample, plan, score what is missing, and say what came of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from filelock import FileLock, Timeout
from pyarrow.fs import FileSelector

from jobs.cluster import drive, ray_session
from jobs.config import BatchConfig
from jobs.estimate import estimate
from jobs.forget import forget
from jobs.intake import INTAKE_SCHEMA, Intake, stage_intake
from jobs.joined import write_joined
from jobs.plan import Plan, clear_old_chunks, clear_staged, make_plan, staged_dataset
from jobs.prepare import Prepared, prepare
from jobs.redrawn import Redrawn
from jobs.remaining import Remaining, find_remaining
from jobs.sampled import read_sampled
from jobs.scoring import Done, run_judges, run_local
from judgefleet.errors import ConfigError, RunError
from judgefleet.ids import IdSet
from judgefleet.memory import give_back
from judgefleet.storage import Location, write_atomic
from judgefleet.store import committed_rows, score_files, score_ids
from judgefleet.upkeep import drop_duplicates


class Reporter(Protocol):
    """Where a run says what it does; the command line shows it, tests collect it."""

    def say(self, text: str) -> None:
        """One line for the log."""
        ...

    def progress(self, done: int, total: int) -> None:
        """Rows in the store of all that the plan gives."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """What a run did. ``written``: rows that were not in the store before."""

    facts: dict[str, Any]
    written: int


def run_batch(config: BatchConfig, report: Reporter, *, fresh: bool = False, retry: bool = False) -> Finished:
    """Score everything that ``config`` asks for and the store does not have.

    ``fresh``: forget the rows of this run first. ``retry``: forget those whose engine failed.

    Raises ConfigError before any work, RunError when rows are missing at the end; what was scored stays scored.
    """
    started = datetime.now(UTC)
    report.say("checking the configuration, the input and the models")
    prepared = prepare(config)
    with only_run(prepared):
        if dropped := drop_duplicates(prepared.store):
            report.say(f"{dropped} rows that a killed run had written twice were removed")
        plan, written, expected = _read_and_score(prepared, report, fresh=fresh, retry=retry)
    facts = run_facts(prepared, plan, started) | {"rows_expected": expected, "rows_written": written}
    record = json.dumps(facts, indent=2, default=str).encode()
    write_atomic(prepared.store.child(f"_runs/{config.run_id}/run.json"), record)
    return Finished(facts=facts, written=written)


def plan_only(config: BatchConfig, report: Reporter) -> dict[str, Any]:
    """What a run would do and cost: counts, tokens with and without the prefix cache, time. Scores nothing."""
    prepared = prepare(config)
    done = _done(prepared)
    with only_run(prepared), ray_session() as logs:
        plan = read_input(prepared, report, logs)
    left = find_remaining(prepared, plan, done)
    report.say("writing every prompt to count its tokens")
    costs = estimate(prepared.store, prepared.setup, left.judged, done, config.all_engines) if prepared.setup else None
    return {
        "run_id": config.run_id,
        "objects": len(prepared.objects),
        **{f"traces_{name}": count for name, count in sorted(plan.counts.items())},
        "rows": left.expected,
        "rows_in_the_store": left.expected - left.missing,
        "chunks": len(plan.chunks),
        **(costs.to_dict() if costs else {}),
    }


def _raise_chances(prepared: Prepared) -> int:
    """In rows that an earlier run with lower rates wrote."""
    if not score_files(prepared.store):
        return 0
    sampled = read_sampled(prepared.store.uri, prepared.config.run_id)
    return Redrawn(sampled).raise_in(prepared.store, {info.fingerprint for info in prepared.infos})


def _read_and_score(prepared: Prepared, report: Reporter, *, fresh: bool, retry: bool) -> tuple[Plan, int, int]:
    """Returns the plan, the rows written and the rows the plan gives. Each try has a Ray session of its own."""
    with ray_session() as logs:
        plan = read_input(prepared, report, logs)
        if removed := forget(prepared, plan, fresh=fresh, retry=retry):
            report.say(f"{removed:,} rows removed: to be scored again, or overtaken by what was read since")
        if raised := _raise_chances(prepared):
            report.say(f"{raised:,} rows of an earlier draw have the greater chance of this one now")
        first = left = find_remaining(prepared, plan, _done(prepared))
        report.say(f"{first.expected:,} rows to give, {first.expected - first.missing:,} in the store already")
        if first.missing:
            left = _attempt(prepared, plan, left, report, logs)
    tries_left = prepared.config.run.attempts - (left.missing == first.missing)
    while left.missing and tries_left:
        before = left.missing
        with ray_session() as logs:
            left = _attempt(prepared, plan, left, report, logs)
        tries_left = prepared.config.run.attempts if left.missing < before else tries_left - 1
    if left.missing:
        raise RunError(
            f"{left.missing:,} rows are missing after {prepared.config.run.attempts} attempts without a new one; all "
            f"others are safe in {prepared.store.uri}. Mend the cause named above and run the same command again"
        )
    drop_duplicates(prepared.store)
    give_back()
    return plan, first.missing, first.expected


def _done(prepared: Prepared) -> IdSet:
    return score_ids(prepared.store)


def read_input(prepared: Prepared, report: Reporter, logs: Path) -> Plan:
    """Read all objects and plan the run; needs a Ray session."""
    config = prepared.config
    report.say(f"reading {len(prepared.objects):,} objects from {config.input.uri}")
    clear_staged(prepared.store, config.run_id)
    folder = prepared.store.child(f"_runs/{config.run_id}/staged-{time.time_ns()}")
    intake = Intake(config=config, group_by=prepared.group_by)
    drive(
        lambda: stage_intake(intake, prepared.objects, folder),
        lambda: _files_in(folder),
        config.run.stall_seconds,
        logs,
    )
    write_joined(intake.joined(staged_dataset(folder)), INTAKE_SCHEMA, folder)
    weighed = config.sampling if intake.weigh else None
    plan = make_plan(staged_dataset(folder), prepared.store, config.run_id, config.run.chunk_traces, weighed)
    clear_staged(prepared.store, config.run_id)
    clear_old_chunks(prepared.store, config.run_id, plan)
    give_back()
    counted = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in sorted(plan.counts.items()))
    lowered = f"; all rates times {plan.factor:g}, for the cap" if plan.factor < 1 else ""
    report.say(f"traces: {counted or 'none'}{lowered}")
    return plan


def _files_in(folder: Location) -> int:
    """How far reading is: the watch over an execution sees this grow."""
    return len(folder.fs.get_file_info(FileSelector(folder.path, allow_not_found=True)))


def _attempt(prepared: Prepared, plan: Plan, left: Remaining, report: Reporter, logs: Path) -> Remaining:
    """One go at everything that is missing; what goes wrong is said. Returns what is missing then."""
    watch = _progress(prepared.store, report, left)
    shared, stall = Done(_done(prepared)), prepared.config.run.stall_seconds
    try:
        if left.local:
            report.say(f"checks and similarity: {len(left.local):,} chunks")
            drive(lambda: run_local(prepared, left.local, shared), watch, stall, logs)
        if left.judged and (setup := prepared.setup):
            names = ", ".join(sorted({model.name for model in setup.models.values()}))
            report.say(f"judging with {names}: {len(left.judged):,} chunks; the engine starts first")
            drive(lambda: run_judges(prepared, setup, left.judged, shared), watch, stall, logs)
    except RunError as error:
        report.say(f"an attempt ended early: {error}")
    left = find_remaining(prepared, plan, _done(prepared))
    give_back()
    return left


def _progress(store: Location, report: Reporter, left: Remaining) -> Callable[[], int]:
    """Rows committed so far; reads only the footers of files that were not there at the last call."""
    known = dict(committed_rows(store, {}))
    before = sum(known.values())

    def committed() -> int:
        known.update(committed_rows(store, known))
        new = sum(known.values()) - before
        report.progress(left.expected - left.missing + new, left.expected)
        return new

    return committed


@contextmanager
def only_run(prepared: Prepared) -> Iterator[None]:
    """One run at a time writes to a local store; the lock goes with its process, however that ends."""
    path = Path(prepared.store.path) / "_runs" / "lock"
    if prepared.store.is_local:
        path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, timeout=0) if prepared.store.is_local else nullcontext()
    try:
        with lock:
            yield
    except Timeout as error:
        raise ConfigError(
            f"another run is writing to {prepared.store.uri}; wait for it, or use another store"
        ) from error


def run_facts(prepared: Prepared, plan: Plan, started: datetime) -> dict[str, Any]:
    """What a run says about itself, for the summary, the report and the record in the store."""
    config, models = prepared.config, list(prepared.setup.models.values()) if prepared.setup else []
    return {
        "name": config.name,
        "run_id": config.run_id,
        "job": "batch",
        "engine": ", ".join(sorted({f"{m.engine} {m.engine_version}" for m in models})) or None,
        "model": ", ".join(m.name for m in models) or None,
        "model_digest": ", ".join(str(m.digest) for m in models) or None,
        "input": config.input.uri,
        "objects": len(prepared.objects),
        **{f"traces_{name}": count for name, count in sorted(plan.counts.items())},
        "rejects": plan.rejects,
        "fingerprints": [info.fingerprint for info in prepared.infos],
        "plan_hash": config.sampling.hash,
        "sampling_factor": plan.factor,
        "started_at": started.isoformat(),
        "finished_at": datetime.now(UTC).isoformat(),
    }
