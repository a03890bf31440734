"""Kill a run at random moments, run it again, and compare with a run that nobody disturbed.

    python tests/jobs/chaos.py --kills 10 --seed 1 [--engine vllm] [--items 24]

Victims are drawn at random among the driver, a Ray worker and the engine (with --engine vllm), and killed with SIGKILL.
A run that is complete is compared, and the next kill begins a new store. Ends with 0 and one line when every store has
the score ids of the undisturbed one, each once; with 1 and the difference otherwise.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import psutil
import yaml

RUBRIC = {
    "name": "tiny",
    "version": "1",
    "instructions": "Grade the answer.",
    "axes": [{"name": "clarity", "question": "Is it clear?", "scale": {"min": 1, "max": 5}}],
}
SCORERS: list[dict[str, object]] = [
    {"use": "not_empty"},
    {"use": "judge_pairwise", "name": "preference", "rubric": "support_preference", "variants": ["A", "B"]},
]


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A folder with traces and a configuration whose store can be chosen. ``delay_ms`` slows the scripted engine."""

    folder: Path
    engine: str
    items: int
    delay_ms: float

    def prepare(self) -> None:
        """Write traces (two days, so that pairs lie in two partitions) and the rubric."""
        (self.folder / "traces").mkdir(parents=True)
        lines = [json.dumps(self._trace(item, variant)) for item in range(self.items) for variant in "AB"]
        (self.folder / "traces" / "all.jsonl").write_text("\n".join(lines) + "\n")
        (self.folder / "tiny.yaml").write_text(yaml.safe_dump(RUBRIC))

    def _trace(self, item: int, variant: str) -> dict[str, object]:
        return {
            "trace_id": f"{variant}{item:04d}",
            "question": f"Question {item}?",
            "output": f"Answer {variant} to question {item}.",
            "contexts": [f"Policy {item}."],
            "variant": variant,
            "started_at": f"2026-11-{20 + (variant == 'B')}T10:00:00Z",
            "attributes": {"judgefleet.item_id": f"q{item}"},
        }

    def command(self, store: str) -> list[str]:
        """The command that scores into ``store``."""
        tiny = {"use": "judge_pointwise", "name": "quality", "rubric": str(self.folder / "tiny.yaml")}
        config = {
            "name": "chaos",
            "store": str(self.folder / store),
            "input": {"uri": str(self.folder / "traces")},
            "engine": {"kind": self.engine, "scripted_delay_ms": self.delay_ms},
            "scorers": [*SCORERS, tiny],
            "run": {"chunk_traces": 4},
        }
        path = self.folder / f"{store}.yaml"
        path.write_text(yaml.safe_dump(config))
        return [sys.executable, "-c", "from jobs.cli import main; main()", "batch", str(path)]


# Idle workers have nothing to lose, and Ray's agents take the node and the driver with them: no worker's death.
_NOT_WORKING = ("IDLE", "Agent", "Dashboard")


def victims(driver: psutil.Process, kind: str) -> list[psutil.Process]:
    """The processes of a run that ``kind`` means; none while they have not started."""
    if kind == "driver":
        return [driver]
    marks = {"worker": ("ray::",), "engine": ("VLLM::",)}[kind]
    running = {p: _title(p) for p in driver.children(recursive=True)}
    return [p for p, title in running.items() if title.startswith(marks) and not any(n in title for n in _NOT_WORKING)]


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def kill_once(command: Sequence[str], kind: str, after: float, log: Path) -> str:
    """Start a run, kill one victim after ``after`` seconds or as soon as there is one, and wait for the rest to end."""
    with log.open("a") as out:
        run = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)
        started = time.monotonic()
        found: list[psutil.Process] = []
        while run.poll() is None and not found:
            time.sleep(0.05)
            if (elapsed := time.monotonic() - started) > after:
                found = victims(psutil.Process(run.pid), kind)
        if not found:
            return f"no {kind} to kill, ended with {run.returncode}"
        victim = random.choice(found)
        title = _title(victim).strip()[:40] if kind != "driver" else "judgefleet batch"
        os.kill(victim.pid, signal.SIGKILL)
        run.wait()
        return f"killed {kind} ({title}) at {elapsed:.1f} s, run ended with {run.returncode}"


def ids(store: Path) -> Counter[str]:
    """How often each score id lies in the files of a store, read as anyone would."""
    return Counter(pd.read_parquet(store, columns=["score_id"]).score_id) if (store / "scores").exists() else Counter()


def trial(folder: Path, kills: int, seed: int, engine: str, items: int) -> Iterator[str]:
    """Lines about what was done; raises AssertionError when the stores differ."""
    rng = random.Random(seed)
    made = Trial(folder=folder, engine=engine, items=items, delay_ms=60.0)
    made.prepare()
    started = time.monotonic()
    finish(made.command("calm"))
    seconds = time.monotonic() - started
    wanted = ids(folder / "calm")
    yield f"undisturbed: {len(wanted)} score ids in {seconds:.0f} s"
    kinds = ["driver", "worker", "engine"] if engine == "vllm" else ["driver", "worker"]
    store = "killed-0"
    for number in range(kills):
        kind, after = rng.choice(kinds), rng.uniform(1.0, seconds)
        said = kill_once(made.command(store), kind, after, folder / "killed.log")
        yield f"{number + 1}: {said}; {len(ids(folder / store))} of {len(wanted)} ids in {store}"
        if len(ids(folder / store)) >= len(wanted):
            check_same(ids(folder / store), wanted)
            store = f"killed-{number + 1}"
    finish(made.command(store))
    check_same(ids(folder / store), wanted)
    yield f"after {kills} kills: every store has the same {len(wanted)} score ids, none twice"


def finish(command: Sequence[str]) -> None:
    """Run to the end. Raises AssertionError with what the run said when it does not end well."""
    run = subprocess.run(command, check=False, capture_output=True, text=True)
    assert run.returncode == 0, f"ended with {run.returncode}: {run.stderr}"


def check_same(found: Counter[str], wanted: Counter[str]) -> None:
    """Raises AssertionError with what differs."""
    assert set(found) == set(wanted), f"missing {len(wanted - found)}, unknown {len(found - wanted)}"
    assert max(found.values()) == 1, f"{sum(n > 1 for n in found.values())} ids more than once"


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", choices=["scripted", "vllm"], default="scripted")
    parser.add_argument("--items", type=int, default=24, help="pairs of traces")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        try:
            for line in trial(Path(folder) / "trial", given.kills, given.seed, given.engine, given.items):
                print(line, flush=True)  # noqa: T201
        except AssertionError as error:
            print(f"DIFFERENT: {error}")  # noqa: T201
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
