"""``judgefleet online`` as a user runs it, on a real Ray session: killed, and handed over to another judge."""

import json
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from calibration.decisions import write_decision
from calibration.gate import GateDecision, GateState

World = Any
CLI = [sys.executable, "-c", "from jobs.cli import main; main()"]
CHAOS = runpy.run_path(str(Path(__file__).with_name("chaos.py")))


@pytest.mark.slow
def test_killed_at_random_moments_it_ends_like_an_undisturbed_run(tmp_path: Path) -> None:
    """The chaos script, in short: on a folder, without a cluster of its own."""
    given = {"seed": 4, "pause": 2, "stop_seconds": 5, "rate": 60, "s3": False, "cluster": False}
    said = list(CHAOS["trial"](tmp_path, kills=2, **given))
    assert sum(": killed " in line for line in said) == 2, said
    assert "none twice" in said[-1]


@pytest.mark.slow
def test_another_judge_takes_over_and_no_trace_is_lost(
    world: World, traces: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    def start(name: str, *flags: str, **changed: Any) -> "subprocess.Popen[bytes]":
        world.configure(online={"poll_seconds": 0.5, "settle_seconds": 0, "lease_seconds": 5}, **changed)
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(world.content))
        with (tmp_path / f"{name}.log").open("w") as log:
            return subprocess.Popen([*CLI, "online", str(tmp_path / f"{name}.yaml"), *flags], stdout=log, stderr=log)

    def judged() -> int:
        told = subprocess.run(
            [*CLI, "online", str(tmp_path / "old.yaml"), "--status", "--json"], capture_output=True, check=False
        )
        return int(json.loads(told.stdout)["traces"].get("sampled", 0)) if told.returncode == 0 else 0

    def until(count: int) -> None:
        for _ in range(120):
            if judged() >= count:
                return
            time.sleep(1)
        raise AssertionError((tmp_path / "old.log").read_text() + (tmp_path / "new.log").read_text())

    old = start("old")
    world.write("0.jsonl", [traces(i) for i in range(10)])
    until(10)
    new = start("new", "--take-over", engine={"kind": "scripted", "max_model_len": 1024})
    number = 1
    while old.poll() is None and number < 200:
        world.write(f"{number}.jsonl", [traces(number * 10 + i) for i in range(10)])
        number += 1
        time.sleep(0.5)
    assert old.wait(timeout=60) == 0
    world.write("last.jsonl", [traces(9000)])
    until(number * 10 + 1)
    new.send_signal(signal.SIGTERM)
    assert new.wait(timeout=60) == 130
    rows = world.rows(world.config)
    assert rows.trace_id.nunique() == number * 10 + 1
    assert rows.score_id.is_unique
    assert (rows.groupby("trace_id").size() == 2).all()
    judges = rows[rows.scorer_kind == "LLM"].groupby("run_id").fingerprint.unique()
    assert [len(found) for found in judges] == [1, 1]
    # The old judge had earned trust; that is not the new one's.
    fingerprint = rows[rows.run_id == rows.run_id[rows.trace_id == "t00000"].iloc[0]].query("scorer_kind == 'LLM'")
    decision = GateDecision(
        state=GateState.OPEN,
        reason="audited",
        fingerprint=str(fingerprint.fingerprint.iloc[0]),
        scorer="quality",
        axis="clarity",
        decided_at=datetime.now(UTC),
        expires_at=datetime.now(UTC) + timedelta(days=30),
    )
    write_decision(world.config.store, decision)
    gate = subprocess.run([*CLI, "gate", world.config.store], capture_output=True, text=True, check=False)
    assert (gate.returncode, "STALE" in gate.stdout) == (3, True), gate.stdout


@pytest.mark.slow
def test_a_model_that_cannot_load_is_said_in_the_engines_own_words(
    world: World, traces: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    world.write("0.jsonl", [traces(0)])
    world.configure(engine={"kind": "vllm", "engine_kwargs": {"gpu_memory_utilization": 7}})
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(world.content))
    done = subprocess.run(
        [*CLI, "online", str(tmp_path / "c.yaml"), "--once"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 4
    assert "the judge did not come up" in done.stderr
    assert "gpu_memory_utilization" in done.stderr
    assert "Traceback" not in done.stderr
