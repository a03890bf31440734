"""Verdicts a second of judgefleet's pairwise judge and of tools people use now: same pairs, model and settings.

    python -m benchmarks.tools [--pairs 12] [--tools phoenix phoenix-label mlflow deepeval] [--input PAIRS.jsonl]

A verdict is valid when both orders of its pair gave a label. judgefleet has an engine of its own, the tools ask vLLM's
OpenAI server with the same settings. Both stay up and take turns, each with an emptied prefix cache: judgefleet, a
tool, judgefleet, the next tool. Times are from material to verdicts, without imports; the row "-pipeline" has beside
that the start of Ray Data, reading, and committing. The tools are installed into .venv-tools on first use. PAIRS.jsonl
has question, answer_a, answer_b and perhaps context in each line.
"""

import argparse
import json
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.tool_workers.environment import tools_env, tools_python
from benchmarks.tool_workers.fleet import Fleet
from benchmarks.tool_workers.pairs import Pairs, example_pairs, fleet_config, read_pairs
from benchmarks.tool_workers.server import MODEL, empty_cache, model_server
from benchmarks.tool_workers.turn import Turn, show, summary
from benchmarks.tool_workers.worker import Job
from jobs.cluster import ray_session
from jobs.console import ConsoleReporter
from jobs.demo import ROOT
from jobs.prepare import prepare
from judgefleet.rubric import load_rubric
from judges.judge import RUBRICS

# Name in the table: the worker, and whether it is to explain itself where that is a choice.
TOOLS = {
    "phoenix": ("phoenix", True),
    "phoenix-label": ("phoenix", False),
    "mlflow": ("mlflow", True),
    "deepeval": ("deepeval", True),
}


def instructions(rubric: str) -> str:
    """The words of a rubric without what they say about our own fences."""
    sentences = load_rubric(rubric, RUBRICS).instructions.split(". ")
    return ". ".join(sentence for sentence in sentences if "<<<" not in sentence)


def tool_turn(name: str, python: Path, address: str, pairs: Pairs, given: argparse.Namespace) -> Turn:
    """Both orders of all pairs through one tool, from an empty cache."""
    worker, explain = TOOLS[name]
    job = Job(
        base_url=f"{address}/v1",
        model=MODEL,
        instructions=instructions(pairs.rubric),
        shown=pairs.both_orders,
        explain=explain,
        in_flight=given.in_flight,
        max_tokens=given.max_tokens,
        limit_s=given.limit,
    )
    empty_cache(address)
    found = report_of(python, worker, job)
    labels = found["labels"]
    valid = sum(None not in orders for orders in zip(labels[::2], labels[1::2], strict=True))
    errors = sorted({error for error in found["errors"] if error})[:3]
    numbers = {"pairs": len(pairs.shown), "valid": valid, "seconds": found["seconds"]}
    return Turn(name=name, version=found["version"], errors=errors, **numbers)


def report_of(python: Path, worker: str, job: Job) -> dict[str, Any]:
    """What a worker printed last; tools print before it what they like."""
    command = [str(python), "-m", f"benchmarks.tool_workers.{worker}"]
    done = subprocess.run(  # noqa: S603 - our own command
        command, input=json.dumps(asdict(job)), text=True, capture_output=True, cwd=ROOT, env=tools_env(), check=False
    )
    if done.returncode:
        raise SystemExit(f"the worker of {worker} ended with {done.returncode}: {done.stderr[-2000:]}")
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


def turns(given: argparse.Namespace, folder: Path) -> Iterator[Turn]:
    """judgefleet before and after every tool, each tool once a round."""
    pairs = read_pairs(given.input, given.pairs) if given.input else example_pairs(folder / "example", given.pairs)
    prepared, python = prepare(fleet_config(pairs, folder, given.model)), tools_python()
    model = prepared.setup.models["default"].path if prepared.setup else None
    if model is None:
        raise SystemExit(f"{given.model} is no model that can be served here")
    count, engine = len(pairs.shown), prepared.config.engine
    with ray_session() as logs, ConsoleReporter() as reporter:
        fleet = Fleet(prepared, reporter, logs)
        with model_server(engine, model, folder / "server.log") as address:
            list(fleet.turns(count))
            reporter.say(f"{count} pairs in both orders; both engines are up and warm")
            for name in given.tools * given.rounds:
                yield from fleet.turns(count)
                reporter.say(f"now {name}, for at most {given.limit:.0f} s")
                yield tool_turn(name, python, address, pairs, given)
            yield from fleet.turns(count)


def arguments() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=12)
    parser.add_argument("--tools", nargs="+", choices=list(TOOLS), default=list(TOOLS))
    parser.add_argument("--rounds", type=int, default=1, help="turns of each tool")
    parser.add_argument("--input", type=Path, help="JSON Lines of pairs; without it, those of the shipped example")
    parser.add_argument("--model", default="embedded/smollm2-135m-instruct")
    parser.add_argument("--limit", type=float, default=300, help="seconds that a turn of a tool may take")
    parser.add_argument("--in-flight", type=int, default=32, help="questions that a tool may ask at once")
    parser.add_argument("--max-tokens", type=int, default=512, help="longest reply that a tool may ask for")
    parser.add_argument("--json", type=Path, help="write settings, rows and turns here as well")
    return parser.parse_args()


def main() -> None:
    """Measure and show."""
    given = arguments()
    with tempfile.TemporaryDirectory() as folder:
        found = list(turns(given, Path(folder)))
    rows = summary(found)
    show(rows)
    if given.json:
        settings = {name: str(value) if isinstance(value, Path) else value for name, value in vars(given).items()}
        written = {"settings": settings, "rows": rows, "turns": [asdict(turn) for turn in found]}
        given.json.write_text(json.dumps(written, indent=1) + "\n")


if __name__ == "__main__":
    main()
