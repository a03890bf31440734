"""What the commands do, once the command line is understood."""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console

from jobs.batch import plan_only, run_batch
from jobs.config import BatchConfig
from jobs.console import ConsoleReporter
from jobs.engines.config import EngineConfig
from jobs.report import write_report
from jobs.report_trends import trends_on_page
from jobs.run_data import RunData
from jobs.summary import Summary, print_summary
from judgefleet.errors import ConfigError
from judgefleet.score import Status
from judgefleet.storage import explained, open_location

TOO_MANY_FAILED = 4
_FAILED = [s.value for s in Status if s not in (Status.OK, Status.NOT_APPLICABLE)]


def batch_command(config: BatchConfig, *, fresh: bool, as_json: bool, retry: bool = False) -> int:
    """Run, summarise, report; returns the exit code."""
    with ConsoleReporter() as reporter:
        finished = run_batch(config, reporter, fresh=fresh, retry=retry)
        reporter.say(f"{finished.written:,} new rows; writing the report")
    data = RunData(store=config.store, facts=finished.facts)
    summary = data.summary
    trends = trends_on_page(config.store)
    path = write_report(summary, *data.shown(), report_path(config.store), trends=trends)
    if as_json:
        print(json.dumps(json.loads(summary.to_json()) | {"store": config.store, "report": str(path)}))  # noqa: T201
    else:
        console = Console(highlight=False)
        print_summary(summary, console)
        console.print(f"store: {config.store}\nreport: {path}", markup=False, soft_wrap=True)
    return _exit_code(config, summary, finished.facts)


def _exit_code(config: BatchConfig, summary: Summary, facts: dict[str, Any]) -> int:
    """4 when more rows failed, or more of the input was rejected, than the configuration allows."""
    arms = [arm for axis in summary.axes for arm in axis.arms]
    failed = sum(arm.failures.get(name, 0) for arm in arms for name in _FAILED)
    applicable = sum(arm.ok for arm in arms) + failed
    read = sum(v for k, v in facts.items() if k.startswith("traces_"))
    problems = [
        f"{bad:,} of {total:,} {what} (allowed: {allowed:.0%}, run.{name})"
        for bad, total, what, allowed, name in (
            (failed, applicable, "rows failed", config.run.max_failed_share, "max_failed_share"),
            (facts["rejects"], read, "traces were rejected", config.run.max_rejected_share, "max_rejected_share"),
        )
        if bad > allowed * total
    ]
    for problem in problems:
        Console(stderr=True, highlight=False).print(f"too many failures: {problem}", markup=False, soft_wrap=True)
    return TOO_MANY_FAILED if problems else 0


def dry_run_command(config: BatchConfig, *, as_json: bool) -> None:
    """Print what a run would do; nothing is scored."""
    with ConsoleReporter() as reporter:
        planned = plan_only(config, reporter)
    if as_json:
        print(json.dumps(planned))  # noqa: T201
        return
    console = Console(highlight=False)
    for name, shown in _dry_run_lines(planned, config.all_engines):
        console.print(f"{name:<22}{shown}", markup=False, soft_wrap=True)


def _dry_run_lines(planned: dict[str, Any], engines: Mapping[str, EngineConfig]) -> Iterator[tuple[str, str]]:
    yield "run", planned["run_id"]
    yield "objects", f"{planned['objects']:,}"
    for name, count in planned.items():
        if name.startswith("traces_"):
            yield name.replace("_", " "), f"{count:,}"
    yield "rows", f"{planned['rows']:,}, of them {planned['rows_in_the_store']:,} in the store already"
    if "prompts" in planned:
        yield "prompts to ask", f"{planned['prompts']:,}"
        reckoned = ", where an engine is sent text reckoned from its characters" if planned["approximate"] else ""
        yield "their tokens", f"{planned['tokens']:,}{reckoned}"
        yield "tokens to compute", f"{planned['tokens_computed']:,} with the prefix cache"
        without = timedelta(seconds=round(planned["seconds_without_cache"]))
        yield "engine time", f"{timedelta(seconds=round(planned['seconds']))}, without the prefix cache {without}"
        rates = ", ".join(f"{engine.tokens_per_second:,.0f}" for engine in engines.values())
        yield "", f"reckoned with {rates} tokens a second (engine.tokens_per_second); the engine's start not counted"
        yield "cost", f"{planned['cost']:,.2f} (engine.cost_per_hour and prices by token)"


def report_command(store_uri: str, out: Path | None) -> None:
    """Write the report of the newest run in a store, with all its scores."""
    facts = newest_run(store_uri)
    data = RunData(store=store_uri, facts=facts)
    trends = trends_on_page(store_uri)
    path = write_report(data.summary, *data.shown(), out or report_path(store_uri), trends=trends)
    Console(highlight=False).print(f"report: {path}", markup=False, soft_wrap=True)


def newest_run(store_uri: str) -> dict[str, Any]:
    """What the run that finished last said about itself. Raises ConfigError where there is no store, or no run."""
    from pyarrow import fs

    store = open_location(store_uri)
    runs = fs.FileSelector(store.child("_runs").path, allow_not_found=True, recursive=True)
    with explained("read", store):
        found = [info.path for info in store.fs.get_file_info(runs) if info.base_name == "run.json"]
        records = [json.loads(store.fs.open_input_file(path).read()) for path in found]
    if not records:
        raise ConfigError(f"no finished run in {store_uri!r}; 'judgefleet batch CONFIG' or 'judgefleet demo' makes one")
    newest: dict[str, Any] = max(records, key=lambda record: record["finished_at"])
    return newest


def report_path(store_uri: str) -> Path:
    """Next to a local store (never in it: readers of a folder of Parquet stumble over anything else)."""
    store = open_location(store_uri)
    folder = Path(store.path) if store.is_local else Path(store.path.rsplit("/", 1)[-1])
    return folder.with_name(f"{folder.name}-report.html")
