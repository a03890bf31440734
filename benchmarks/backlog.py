"""What a trace costs the online loop, with a backlog of an hour and of a day: the scripted engine, a sampled stream.

    python -m benchmarks.backlog [--per-minute 10000] [--hours 1 24] [--rate 0.02]

Each backlog lies in a folder, one object a minute, before ``judgefleet online --once`` starts on an empty store. A day
of 10,000 traces a minute is 14.4 million traces and 8 GB. CPU time is that of all processes, Ray's included, so it says
what a trace costs also where the machine does something else beside it.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table

from benchmarks.measuring import cost_of
from benchmarks.scale import text, write_config

_BODIES = 997


def write_backlog(folder: Path, minutes: int, per_minute: int) -> int:
    """One object a minute up to now; returns the bytes written."""
    folder.mkdir()
    bodies = [
        json.dumps({"question": text(n, 12), "output": text(n + 1, 40), "variant": "AB"[n % 2]})[1:]
        for n in range(_BODIES)
    ]
    now, written = time.time(), 0
    for minute in range(minutes):
        at = now - 60 * (minutes - minute)
        day = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        first = minute * per_minute
        lines = (
            f'{{"trace_id": "{n:032x}", "started_at": "{day}", {bodies[n % _BODIES]}\n'
            for n in range(first, first + per_minute)
        )
        path = folder / f"minute-{minute:06d}.jsonl"
        written += path.write_text("".join(lines))
        os.utime(path, (at, at))
    return written


def online_config(folder: Path, rate: float) -> Path:
    """The scorers of ``benchmarks.scale`` behind a plan that draws at ``rate``."""
    path = write_config(folder, chunk_traces=512)
    config = yaml.safe_load(path.read_text()) | {"sampling": {"default_rate": rate}, "online": {"batch_traces": 1024}}
    del config["run"]
    path.write_text(yaml.safe_dump(config))
    return path


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--per-minute", type=int, default=10_000)
    parser.add_argument("--hours", type=float, nargs="+", default=[1.0, 24.0])
    parser.add_argument("--rate", type=float, default=0.02, help="share of the traces that is scored")
    parser.add_argument("--folder", type=Path, help="where the backlog goes; default: the folder for temporary files")
    given = parser.parse_args()
    names = ("backlog", "traces", "rows", "seconds", "traces a minute", "ms", "CPU ms", "loop, MiB", "all, MiB")
    table = Table(*names, box=None)
    for hours in given.hours:
        minutes = max(1, round(60 * hours))
        count = minutes * given.per_minute
        with tempfile.TemporaryDirectory(dir=given.folder) as name:
            folder = Path(name)
            write_backlog(folder / "traces", minutes, given.per_minute)
            command = [sys.executable, "-c", "from jobs.cli import main; main()", "online", "--once", "--json"]
            cost = cost_of([*command, str(online_config(folder, given.rate))])
        each = [f"{1000 * seconds / count:.3f}" for seconds in (cost.seconds, cost.cpu_seconds)]
        sizes = [f"{size:,.0f}" for size in (cost.command_mib, cost.all_mib)]
        speed, rows = f"{60 * count / cost.seconds:,.0f}", f"{json.loads(cost.output)['rows_committed']:,}"
        table.add_row(f"{hours:g} h", f"{count:,}", rows, f"{cost.seconds:.0f}", speed, *each, *sizes)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
