"""Traffic at a steady rate, followed and judged for a while: lag, memory, and whether every sampled trace has its rows.

    python -m benchmarks.traffic [--minutes 30] [--rate 2] [--engine vllm] [--s3 HOST:PORT] [--plot lag.svg]

A process of its own writes traces to an S3 server; without --s3 (and keys in the environment) it is moto, started here.
A tenth of them is judged by the embedded model through ``judgefleet online``. Every 10 seconds the loop's own metrics
are scraped, and the memory of all its processes is read (proportional set size).
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import psutil
import yaml
from pyarrow import fs
from rich.console import Console

from benchmarks.measuring import look_at
from benchmarks.scale import trace
from judgefleet.storage import open_location, write_atomic

_CLI = [sys.executable, "-c", "from jobs.cli import main; main()"]
_AN_OBJECT = 20
_METRIC = re.compile(r"^judgefleet_(\w+?)(\{[^}]*\})? ([-+.e\d]+)$", re.MULTILINE)
_KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}


@dataclass(frozen=True, kw_only=True)
class Moment:
    """What was seen ``at`` seconds after the start. Memory in MiB, of the loop's own process and of all together."""

    at: float
    lag_seconds: float
    lag_objects: float
    judged: float
    loop_mib: float
    all_mib: float


def write(uri: str, rate: float, minutes: float) -> None:
    """``rate`` traces a second for ``minutes``, in objects of 20."""
    place, started, number = open_location(uri), time.monotonic(), 0
    while time.monotonic() - started < minutes * 60:
        now = pd.Timestamp.now("UTC").isoformat()
        lines = [json.dumps(trace(number * _AN_OBJECT + i) | {"started_at": now}) for i in range(_AN_OBJECT)]
        write_atomic(place.child(f"{number:06d}.jsonl"), ("\n".join(lines) + "\n").encode())
        number += 1
        time.sleep(max(0.0, started + number * _AN_OBJECT / rate - time.monotonic()))


@contextmanager
def server(address: str | None) -> Iterator[str]:
    """``host:port`` of an S3 server with a bucket: the one that is up, or moto."""
    import boto3

    started = None
    if address is None:
        os.environ |= _KEYS
        address = "127.0.0.1:7499"
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "7499"]
        started = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
        time.sleep(10)
    boto3.client("s3", endpoint_url=f"http://{address}", region_name="us-east-1").create_bucket(Bucket="traffic")
    yield address
    if started is not None:
        started.kill()


def configure(folder: Path, address: str, given: argparse.Namespace) -> tuple[Path, str, str]:
    """The configuration, and the addresses of traces and store."""
    traces, store = (
        f"s3://traffic/{name}?endpoint_override={address}&scheme=http&region=us-east-1" for name in ("traces", "store")
    )
    config = {
        "name": "traffic",
        "store": store,
        "input": {"uri": traces},
        "sampling": {"default_rate": given.sampled},
        "engine": {"kind": given.engine},
        "scorers": [{"use": "not_empty"}, {"use": "judge_pointwise", "name": "quality", "rubric": "support_quality"}],
        "online": {"poll_seconds": 2, "batch_traces": 32, "settle_seconds": 0, "metrics_port": given.port},
    }
    (folder / "traffic.yaml").write_text(yaml.safe_dump(config))
    return folder / "traffic.yaml", traces, store


def scrape(port: int) -> dict[str, float]:
    """The loop's metrics, those of one name added up; empty while it does not answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            found = _METRIC.findall(answer.read().decode())
    except OSError:
        return {}
    summed: dict[str, float] = {}
    for name, _, value in found:
        summed[name] = summed.get(name, 0.0) + float(value)
    return summed


def watch(loop: "subprocess.Popen[bytes]", writer: "subprocess.Popen[bytes]", port: int) -> Iterator[Moment]:
    """Every ten seconds, until the writer has ended and nothing is left to read."""
    began = time.monotonic()
    while True:
        seen = scrape(port)
        command = psutil.Process(loop.pid)
        looks = [look for process in [command, *command.children(recursive=True)] if (look := look_at(process))]
        sizes = [look.memory / 2**20 for look in looks]
        if seen:
            yield Moment(
                at=time.monotonic() - began,
                lag_seconds=seen["lag_seconds"],
                lag_objects=seen["lag_objects"],
                judged=seen.get("scores_total", 0.0),
                loop_mib=sizes[1] if len(sizes) > 1 else 0.0,
                all_mib=sum(sizes),
            )
            if writer.poll() is not None and seen["lag_objects"] == 0:
                return
        time.sleep(10)


def run(folder: Path, address: str, given: argparse.Namespace) -> tuple[list[Moment], str]:
    """Write, follow, and end as an operator would. Returns what was seen and the address of the store."""
    config, traces, store = configure(folder, address, given)
    with (folder / "log").open("w") as log:
        loop = subprocess.Popen([*_CLI, "online", str(config)], stdout=log, stderr=log)  # noqa: S603 - our own command
        # Traffic does not wait for a judge: the engine's start is the first backlog.
        code = f"from benchmarks.traffic import write; write({traces!r}, {given.rate}, {given.minutes})"
        writer = subprocess.Popen([sys.executable, "-c", code])  # noqa: S603 - our own code
        try:
            seen = list(watch(loop, writer, given.port))
        finally:
            loop.terminate()
            loop.wait()
            writer.kill()
    return seen, store


def check(store: str) -> str:
    """Whether every sampled trace has exactly one row per scorer and axis, as plain pandas reads the store."""
    place = open_location(store)
    rows = pd.read_parquet(place.path, filesystem=place.fs, columns=["trace_id", "scorer", "axis", "status"])
    samples = fs.FileSelector(f"{place.path}/_samples", recursive=True)
    paths = [info.path for info in place.fs.get_file_info(samples) if info.path.endswith(".parquet")]
    ids = pd.concat([pd.read_parquet(path, filesystem=place.fs, columns=["trace_id"]) for path in paths]).trace_id
    each = rows.astype({"scorer": str}).groupby(["trace_id", "scorer", "axis"]).size()
    wanted = rows.astype({"scorer": str}).groupby(["scorer", "axis"]).trace_id.nunique()
    whole = bool((each == 1).all() and (wanted == ids.nunique()).all() and ids.is_unique)
    failed = int((rows.status != "ok").sum())
    said = "every sampled trace has exactly one row per scorer and axis" if whole else "ROWS MISSING, OR TWICE THERE"
    return f"{ids.nunique():,} sampled traces, {len(rows):,} rows, {failed} without a value: {said}"


def summary(seen: list[Moment]) -> Iterator[str]:
    """Lag and memory, the start of the engine apart."""
    steady = [moment for moment in seen if moment.at > seen[-1].at / 3]
    half = len(steady) // 2
    lags = pd.Series([moment.lag_seconds for moment in steady])
    yield f"seconds watched: {seen[-1].at:.0f}; the last two thirds of them:"
    high, most = lags.quantile(0.99), lags.max()
    yield f"lag in seconds: median {lags.median():.1f}, 99th percentile {high:.1f}, most {most:.1f}"
    for name in ("loop_mib", "all_mib"):
        halves = (steady[:half], steady[half:])
        first, second = (pd.Series([getattr(moment, name) for moment in part]).median() for part in halves)
        yield f"{name}: median {first:,.0f} in their first half, {second:,.0f} in the second"


def plot(seen: list[Moment], path: Path) -> None:
    """Lag and memory over time."""
    import matplotlib.pyplot as plt

    figure, (top, bottom) = plt.subplots(2, 1, figsize=(8, 5), sharex=True, layout="constrained")
    minutes = [moment.at / 60 for moment in seen]
    top.plot(minutes, [moment.lag_seconds for moment in seen], color="#1f6feb")
    top.set(ylabel="lag, seconds", ylim=(0, None))
    bottom.plot(minutes, [moment.all_mib for moment in seen], color="#1f6feb", label="all processes")
    bottom.plot(minutes, [moment.loop_mib for moment in seen], color="#bf3989", label="the loop itself")
    bottom.set(xlabel="minutes", ylabel="memory, MiB", ylim=(0, None))
    bottom.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=float, default=2.0, help="traces a second")
    parser.add_argument("--sampled", type=float, default=0.1, help="of them")
    parser.add_argument("--engine", default="vllm", choices=["vllm", "serve", "scripted"])
    parser.add_argument("--s3", help="host:port of a server that is up; without it, moto")
    parser.add_argument("--port", type=int, default=9464, help="where the loop exports its metrics")
    parser.add_argument("--plot", type=Path, help="write a picture here")
    given = parser.parse_args()
    console = Console(highlight=False)
    with tempfile.TemporaryDirectory() as folder, server(given.s3) as address:
        seen, store = run(Path(folder), address, given)
        for line in (*summary(seen), check(store)):
            console.print(line, soft_wrap=True)
    if given.plot:
        plot(seen, given.plot)


if __name__ == "__main__":
    main()
