"""Kill what runs the loop at random moments and compare the store with that of an undisturbed run, row for row.

    python tests/jobs/online/chaos.py --kills 30 --seed 1 [--rate 100] [--no-s3] [--no-cluster]

A separate process writes traces to an S3 server (moto, in a process of its own) at a steady rate: whole ones as JSON
Lines, some as OTLP spans in two objects each. ``judgefleet online`` follows, on a Ray cluster of two nodes on this
machine. Victims, with SIGKILL: the loop, a worker that judges, the second Ray node (another one joins later), the
supervisor (and a new one is started); the S3 server is stopped with SIGSTOP for a while. Ends with 0 when both stores
have the same rows.
"""

import argparse
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import yaml

CLI = [sys.executable, "-c", "from jobs.cli import main; main()"]
RUBRIC = {
    "name": "tiny",
    "version": "1",
    "instructions": "Grade the answer.",
    "axes": [{"name": "clarity", "question": "Is it clear?", "scale": {"min": 1, "max": 5}}],
}
KEYS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_REGION": "us-east-1",
}
COMPARED = ["score_id", "trace_id", "span_id", "scorer", "axis", "status", "value", "label", "inclusion_probability"]
AN_OBJECT = 25
ROWS_A_TRACE = 2


class Place:
    """Where traces and stores lie: a bucket of a server that can be stopped, or a folder."""

    def __init__(self, folder: Path, *, s3: bool) -> None:
        self.folder, self.server, self.endpoint = folder, None, None
        if s3:
            import boto3

            os.environ |= KEYS
            port = free_port()
            server = str(Path(__file__).parents[2] / "s3_server.py")
            command = [sys.executable, server, "-H", "127.0.0.1", "-p", str(port)]
            with (folder / "s3.log").open("w") as log:
                self.server = subprocess.Popen(command, stdout=log, stderr=log)
            self.endpoint = f"127.0.0.1:{port}"
            client = boto3.client("s3", endpoint_url=f"http://{self.endpoint}", region_name="us-east-1")
            until(lambda: attempted(lambda: client.create_bucket(Bucket="bucket")), 60, "the S3 server is up")

    def uri(self, name: str) -> str:
        if self.endpoint is None:
            return str(self.folder / name)
        return f"s3://bucket/{name}?endpoint_override={self.endpoint}&scheme=http"

    def close(self) -> None:
        if self.server is not None:
            self.server.send_signal(signal.SIGCONT)
            self.server.kill()
            self.server.wait()


def free_port() -> int:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def attempted(action: Any) -> bool:
    try:
        action()
    except Exception:  # noqa: BLE001 - whatever keeps it from working is waited for
        return False
    return True


def until(true: Any, seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise SystemExit(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.5)


# The writer: a process of its own.


def objects(ended: Callable[[], bool]) -> Iterator[tuple[str, bytes]]:
    """Names and contents in the order of writing; every fifth object begins ten traces that the next one completes."""
    held: list[dict[str, Any]] = []
    for number in itertools.count():
        if ended():
            break
        start = number * AN_OBJECT
        lines = [json.dumps(whole(i)) for i in range(start, start + AN_OBJECT)]
        yield f"{number:06d}.jsonl", ("\n".join(lines) + "\n").encode()
        if held:
            yield f"{number:06d}-rest.json", otlp(held)
            held = []
        if number % 5 == 0:
            parts = [spans(number * 100 + i) for i in range(10)]
            yield f"{number:06d}-begun.json", otlp([root for root, _ in parts])
            held = [rest for _, rest in parts]
    if held:
        yield "last.json", otlp(held)


def whole(i: int) -> dict[str, Any]:
    started = f"2026-11-{20 + i // 20_000 % 8:02d}T{i // 1000 % 24:02d}:00:00Z"
    return {"trace_id": f"w{i:08d}", "question": f"Question {i}?", "output": f"Answer {i}.", "started_at": started}


def spans(i: int) -> tuple[dict[str, Any], dict[str, Any]]:
    said = json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": f"Answer {i}"}]}])
    asked = json.dumps([{"role": "user", "parts": [{"type": "text", "content": f"Question {i}"}]}])
    answer = {"gen_ai.operation.name": "chat", "gen_ai.input.messages": asked, "gen_ai.output.messages": said}
    common = {"traceId": f"{i + 1:032x}", "name": "step", "startTimeUnixNano": str((1_763_000_000 + i) * 10**9)}
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in answer.items()]
    root = common | {"spanId": f"{2 * i + 1:016x}"}
    return root, common | {"spanId": f"{2 * i + 2:016x}", "parentSpanId": root["spanId"], "attributes": attributes}


def otlp(found: list[dict[str, Any]]) -> bytes:
    return json.dumps({"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": found}]}]}).encode()


def write(uri: str, rate: float, end: str) -> None:
    """Write ``rate`` traces a second until there is a file ``end``; a server that does not answer is waited for."""
    from judgefleet.storage import open_location, write_atomic

    place, started = open_location(uri), time.monotonic()
    for number, (name, content) in enumerate(objects(Path(end).exists)):
        until(lambda n=name, c=content: attempted(lambda: write_atomic(place.child(n), c)), 600, f"{name} is written")
        time.sleep(max(0.0, started + (number + 1) * AN_OBJECT / rate - time.monotonic()))


# The trial.


class Trial:
    """One store under attack and one in peace."""

    def __init__(self, folder: Path, *, rate: float, s3: bool, cluster: bool, seed: int) -> None:
        self.folder, self.rate = folder, rate
        self.place, self.random = Place(folder, s3=s3), random.Random(seed)
        self.cluster = self._start_cluster() if cluster else None
        self.log = folder / "loop.log"
        (folder / "tiny.yaml").write_text(yaml.safe_dump(RUBRIC))
        self.config = self._configure("attacked")
        self.loop: subprocess.Popen[bytes] | None = None

    def _configure(self, store: str) -> Path:
        content = {
            "name": "chaos",
            "store": self.place.uri(store),
            "input": {"uri": self.place.uri("traces")},
            "sampling": {"default_rate": 0.7},
            "engine": {"kind": "scripted"},
            "scorers": [
                {"use": "not_empty"},
                {"use": "judge_pointwise", "name": "quality", "rubric": str(self.folder / "tiny.yaml")},
            ],
            "run": {"stall_seconds": 60},
            "online": {
                "poll_seconds": 1,
                "settle_seconds": 20,
                "batch_traces": 200,
                "workers": 2,
                "lease_seconds": 5,
                "compact_files": 8,
                "checkpoint_every": 10,
            },
        }
        path = self.folder / f"{store}.yaml"
        path.write_text(yaml.safe_dump(content))
        return path

    def _start_cluster(self) -> Any:
        os.environ |= {
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
            "RAY_health_check_period_ms": "1000",
            "RAY_health_check_failure_threshold": "3",
            "RAY_health_check_timeout_ms": "2000",
            "RAY_USAGE_STATS_ENABLED": "0",
        }
        from ray.cluster_utils import Cluster

        given = {"num_cpus": 2, "node_ip_address": "127.0.0.1", "include_dashboard": False}
        cluster = Cluster(initialize_head=True, head_node_args=given)
        self.node = cluster.add_node(num_cpus=2, node_ip_address="127.0.0.1")
        os.environ["RAY_ADDRESS"] = cluster.address
        return cluster

    def start_writer(self) -> "subprocess.Popen[bytes]":
        given = f"{self.place.uri('traces')!r}, {self.rate}, {str(self.folder / 'end')!r}"
        code = f"import runpy; runpy.run_path({__file__!r})['write']({given})"
        return subprocess.Popen([sys.executable, "-c", code])

    def start_loop(self) -> None:
        with self.log.open("a") as log:
            command = [*CLI, "online", str(self.config)]
            self.loop = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)

    def attack(self, stop_seconds: float) -> str:
        """One random attack; returns what it was."""
        kinds = ["loop", "worker", "supervisor"] + ["node"] * bool(self.cluster) + ["s3"] * bool(self.place.server)
        kind = self.random.choice(kinds)
        return f"{kind}: {getattr(self, f'_attack_{kind}')(stop_seconds)}"

    def _attack_loop(self, _: float) -> str:
        return self._kill([p for p in self._ours() if "--unsupervised" in title(p)])

    def _attack_supervisor(self, _: float) -> str:
        assert self.loop is not None
        self.loop.kill()
        self.loop.wait()
        self.start_loop()
        return "killed, and another one started"

    def _attack_worker(self, _: float) -> str:
        return self._kill([p for p in psutil.process_iter() if title(p).startswith("ray::ScoreWorker")])

    def _attack_node(self, _: float) -> str:
        raylet = self.node.all_processes["raylet"][0].process.pid
        os.kill(raylet, signal.SIGKILL)
        time.sleep(self.random.uniform(1, 8))
        assert self.cluster is not None
        self.cluster.remove_node(self.node, allow_graceful=False)
        self.node = self.cluster.add_node(num_cpus=2, node_ip_address="127.0.0.1")
        return f"killed raylet {raylet}, and another node joined"

    def _attack_s3(self, seconds: float) -> str:
        assert self.place.server is not None
        self.place.server.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self.place.server.send_signal(signal.SIGCONT)
        return f"stopped for {seconds:.0f} s"

    def _kill(self, found: list[psutil.Process]) -> str:
        if not found:
            return "none was there"
        victim = self.random.choice(sorted(found, key=lambda p: p.pid))
        try:
            victim.kill()
        except psutil.Error:
            return "it was gone"
        return f"killed {victim.pid}"

    def _ours(self) -> list[psutil.Process]:
        return [p for p in psutil.process_iter() if str(self.config) in title(p)]

    def status(self) -> dict[str, Any]:
        ran = subprocess.run([*CLI, "online", str(self.config), "--status", "--json"], capture_output=True, check=False)
        return dict(json.loads(ran.stdout)) if ran.returncode == 0 else {}

    def goes_on(self, since: int) -> int:
        """Wait until more is committed than ``since`` batches; returns how many are."""
        until(lambda: self.status().get("batches", 0) > since, 600, f"a batch after {since}")
        return int(self.status()["batches"])

    def finish(self, writer: "subprocess.Popen[bytes]") -> None:
        """End the writer, wait until nothing is left to read, and end the loop as an operator would."""
        (self.folder / "end").touch()
        writer.wait()
        until(
            lambda: self.status().get("objects_waiting") == self.status().get("objects_open") == 0, 900, "all is read"
        )
        assert self.loop is not None
        self.loop.terminate()
        self.loop.wait(timeout=120)

    def undisturbed(self) -> Path:
        config = self._configure("peace")
        subprocess.run([*CLI, "online", str(config), "--once"], check=True, capture_output=True)
        return config

    def rows(self, name: str) -> pd.DataFrame:
        from judgefleet.storage import open_location

        place = open_location(self.place.uri(name))
        found = pd.read_parquet(place.path, filesystem=place.fs).astype({"scorer": str, "date": str})
        return found.sort_values("score_id").reset_index(drop=True)

    def close(self) -> None:
        for process in self._ours():
            process.kill()
        if self.cluster is not None:
            self.cluster.shutdown()
        self.place.close()


def title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def trial(folder: Path, *, kills: int, seed: int, pause: float, stop_seconds: float, **given: Any) -> Iterator[str]:
    """Says what is done; the last line is the result. Raises SystemExit when the stores differ."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    found = Trial(folder, seed=seed, **given)
    try:
        writer = found.start_writer()
        found.start_loop()
        batches = found.goes_on(0)
        for number in range(kills):
            time.sleep(found.random.uniform(0, 2 * pause))
            said, began = found.attack(stop_seconds), time.monotonic()
            # Every other attack comes while the loop still recovers from the one before.
            batches = found.goes_on(batches) if number % 2 else batches
            yield f"{number + 1}. {said}; {batches} batches, {time.monotonic() - began:.0f} s later"
        found.finish(writer)
        found.undisturbed()
        yield compare(found.rows("attacked"), found.rows("peace"))
    finally:
        found.close()


def compare(attacked: pd.DataFrame, peace: pd.DataFrame) -> str:
    twice = int(attacked.score_id.duplicated().sum())
    missing = sorted(set(peace.score_id) - set(attacked.score_id))
    more = sorted(set(attacked.score_id) - set(peace.score_id))
    if twice or missing or more or not attacked[COMPARED].equals(peace[COMPARED]):
        raise SystemExit(f"the stores differ: {twice} rows twice, {len(missing)} missing, {len(more)} too many")
    by_scorer = dict(Counter(attacked.scorer))
    return f"the same {len(attacked):,} rows in both stores, none twice: {by_scorer}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=100.0, help="traces a second")
    parser.add_argument("--pause", type=float, default=10.0, help="mean seconds between two attacks")
    parser.add_argument("--stop-seconds", type=float, default=60.0, help="how long the S3 server is stopped")
    parser.add_argument("--no-s3", action="store_true")
    parser.add_argument("--no-cluster", action="store_true")
    parser.add_argument("--folder", type=Path, help="an empty folder that stays, for a look at what was said")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for line in trial(
            given.folder or Path(folder),
            kills=given.kills,
            seed=given.seed,
            pause=given.pause,
            stop_seconds=given.stop_seconds,
            rate=given.rate,
            s3=not given.no_s3,
            cluster=not given.no_cluster,
        ):
            print(line, flush=True)  # noqa: T201 - what it is for


if __name__ == "__main__":
    main()
