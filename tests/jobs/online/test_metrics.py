"""What a real Prometheus sees of a loop."""

import json
import shutil
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.online.metrics import Metrics
from jobs.online.stream import Stream
from jobs.prepare import prepare

World = Any


@pytest.fixture
def free_port() -> int:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def told(world: World, traces: Callable[..., dict[str, Any]], free_port: int) -> tuple[World, Metrics]:
    """A loop that scored ten traces, one line that is none, and one that kills its worker, and exports it."""
    online = {"poll_seconds": 0.05, "batch_traces": 4, "settle_seconds": 0, "metrics_port": free_port}
    budget = {"tokens_per_day": 10_000_000}
    config = world.configure(online=online | {"budget": budget})
    metrics = Metrics(config, Stream.of(config, prepare(config, job="online")).judges)
    metrics.serve()
    world.write("a.jsonl", [traces(i) for i in range(10)])
    world.write("b.jsonl", [{"trace_id": "x"}])
    loop, state, scoring = world.life(config, looked=metrics.looked, committed=metrics.committed)
    scoring.kills.add("t00003")
    metrics.lease_held.set(1)
    loop.run(threading.Event(), once=True)
    world.lease.release()
    assert state.number > 1
    return world, metrics


def exported(metrics: Metrics) -> dict[str, float]:
    return {
        sample.name + "".join(f"/{v}" for _, v in sorted(sample.labels.items())): sample.value
        for metric in metrics.registry.collect()
        for sample in metric.samples
    }


def test_the_counts_are_those_of_the_log(told: tuple[World, Metrics]) -> None:
    world, metrics = told
    found = exported(metrics)
    assert found["judgefleet_traces_total/sampled"] == 10
    assert found["judgefleet_traces_total/rejected"] == found["judgefleet_rejects_total"] == 1
    assert found["judgefleet_dead_letters_total"] == 1
    assert found["judgefleet_scores_total/quality/ok"] == found["judgefleet_scores_total/not_empty/ok"] == 9
    assert found["judgefleet_prompt_tokens_total"] == sum(e.spent.prompt_tokens for e in world.entries) > 0
    assert found["judgefleet_budget_share/tokens"] > 0
    assert found["judgefleet_sampling_factor"] == 1
    assert found["judgefleet_lag_objects"] == found["judgefleet_lag_seconds"] == 0
    assert found["judgefleet_batches_total/committed"] == len(world.entries)
    assert found["judgefleet_gate_state/clarity/quality/INSUFFICIENT"] == 1
    assert found["judgefleet_gate_state/clarity/quality/OPEN"] == 0
    assert abs(found["judgefleet_last_commit_timestamp_seconds"] - time.time()) < 600


@pytest.mark.slow
def test_a_prometheus_scrapes_it(told: tuple[World, Metrics], free_port: int, tmp_path: Path) -> None:
    if shutil.which("prometheus") is None:
        pytest.skip("needs prometheus: apt-get install prometheus")
    (tmp_path / "p.yml").write_text(
        "global: {scrape_interval: 1s}\nscrape_configs:\n"
        f"  - job_name: judgefleet\n    static_configs: [{{targets: ['127.0.0.1:{free_port}']}}]\n"
    )
    listens = free_port + 1
    command = ["prometheus", f"--config.file={tmp_path / 'p.yml'}", f"--storage.tsdb.path={tmp_path / 'data'}"]
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{listens}"], stdout=log, stderr=log)
    try:
        assert ask(listens, 'sum(judgefleet_scores_total{status="ok"})') == 18
        assert ask(listens, 'judgefleet_traces_total{decision="sampled"}') == 10
    finally:
        server.kill()
        server.wait()


def ask(port: int, query: str) -> float | None:
    """The value of an instant query, as soon as there is one."""
    url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": query})
    for _ in range(120):
        try:
            found = json.load(urllib.request.urlopen(url, timeout=5))["data"]["result"]
            if found:
                return float(found[0]["value"][1])
        except OSError:
            pass
        time.sleep(0.5)
    return None
