"""What the pipeline costs beside its engine, and whether its memory stays flat: the scripted engine, many traces.

    python -m benchmarks.scale [--traces 100000 1000000]

Each size is one run of the command that a user types, on traces made up here, into a new store. Memory is the
proportional set size (PSS) of the command and all its processes, Ray's included, looked at twice a second; so is their
CPU time, which says what a trace costs also where the machine does something else beside it.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table

from benchmarks.measuring import Cost, cost_of

_A_FILE = 10_000
_WORDS = ("parcel", "refund", "policy", "return", "address", "order", "days", "label", "customer", "damaged", "courier")


def text(seed: int, words: int) -> str:
    """Words that differ from trace to trace."""
    return " ".join(_WORDS[(seed * 7 + i * i) % len(_WORDS)] for i in range(words)) + f" {seed}"


def write_traces(folder: Path, count: int) -> None:
    """JSON Lines, ``_A_FILE`` traces each, over 30 days."""
    folder.mkdir()
    for start in range(0, count, _A_FILE):
        lines = (json.dumps(trace(n)) for n in range(start, min(start + _A_FILE, count)))
        (folder / f"part-{start:09d}.jsonl").write_text("\n".join(lines) + "\n")


def trace(number: int) -> dict[str, object]:
    """One answer of about 40 words to a question of about 12."""
    return {
        "trace_id": f"{number:032x}",
        "question": text(number, 12),
        "output": text(number + 1, 40),
        "contexts": [f"RET-{number % 50}: {text(number % 50, 60)}"],
        "variant": "AB"[number % 2],
        "started_at": f"2026-10-{1 + number % 30:02d}T10:00:00Z",
    }


def write_config(folder: Path, chunk_traces: int) -> Path:
    """A check and a judge of one axis."""
    rubric = {
        "name": "scale",
        "version": "1",
        "instructions": "Grade the answer.",
        "axes": [{"name": "clarity", "question": "Is it clear?", "scale": {"min": 1, "max": 5}}],
    }
    (folder / "rubric.yaml").write_text(yaml.safe_dump(rubric))
    config = {
        "name": "scale",
        "store": str(folder / "store"),
        "input": {"uri": str(folder / "traces")},
        "engine": {"kind": "scripted"},
        "scorers": [
            {"use": "not_empty"},
            {"use": "judge_pointwise", "name": "quality", "rubric": str(folder / "rubric.yaml")},
        ],
        "run": {"chunk_traces": chunk_traces},
    }
    (folder / "scale.yaml").write_text(yaml.safe_dump(config))
    return folder / "scale.yaml"


def measure(folder: Path, traces: int, chunk_traces: int) -> tuple[Cost, int]:
    """One run from an empty store: what it took, and its rows."""
    write_traces(folder / "traces", traces)
    command = [sys.executable, "-c", "from jobs.cli import main; main()", "batch"]
    cost = cost_of([*command, str(write_config(folder, chunk_traces)), "--json"])
    return cost, json.loads(cost.output)["facts"]["rows_written"]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--chunk-traces", type=int, default=512, help="traces committed together")
    given = parser.parse_args()
    table = Table(
        "traces", "rows", "seconds", "ms a trace", "CPU ms a trace", "command, MiB", "all processes, MiB", box=None
    )
    for count in given.traces:
        with tempfile.TemporaryDirectory() as folder:
            found, rows = measure(Path(folder), count, given.chunk_traces)
        each = [f"{1000 * seconds / count:.3f}" for seconds in (found.seconds, found.cpu_seconds)]
        sizes = [f"{size:,.0f}" for size in (found.command_mib, found.all_mib)]
        table.add_row(f"{count:,}", f"{rows:,}", f"{found.seconds:.0f}", *each, *sizes)
    Console().print(table)


if __name__ == "__main__":
    main()
