"""What goes wrong around a loop that runs: it says so once, and goes on when the cause has gone."""

import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import jobs.online.cut as cut_module
import jobs.online.loop as loop_module
from jobs.online.clock import Clock
from jobs.online.scored import Scored
from judgefleet.storage import open_location, write_atomic
from judgefleet.traces.reader import read_parts
from tests.jobs.online.conftest import failing_at

World = Any


@pytest.fixture
def client(s3_endpoint: str) -> Any:
    import boto3

    return boto3.client("s3", endpoint_url=f"http://{s3_endpoint}", region_name="us-east-1")


@pytest.fixture
def bucket(client: Any, s3_endpoint: str, tmp_path: Path) -> Callable[[str], str]:
    """Addresses in a bucket of the test's own."""
    name = tmp_path.name.replace("_", "-").lower()[:60]
    client.create_bucket(Bucket=name)
    return lambda path: f"s3://{name}/{path}?endpoint_override={s3_endpoint}&scheme=http"


def put(uri: str, trace: dict[str, Any]) -> None:
    import json

    write_atomic(open_location(uri), (json.dumps(trace) + "\n").encode())


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_module, "_LONGEST_PAUSE", 0.05)


def test_a_bucket_that_vanishes_and_comes_back(
    world: World, traces: Callable[..., dict[str, Any]], client: Any, bucket: Callable[[str], str]
) -> None:
    config = world.configure(input={"uri": bucket("traces")})
    name = bucket("").split("/")[2]
    put(bucket("traces/a.jsonl"), traces(1))

    def vanish() -> None:
        client.delete_object(Bucket=name, Key="traces/a.jsonl")
        client.delete_bucket(Bucket=name)
        world.later(0.7, comes_back)

    def comes_back() -> None:
        client.create_bucket(Bucket=name)
        put(bucket("traces/b.jsonl"), traces(2))

    world.follow(config, vanish)
    assert sorted(set(world.rows(config).trace_id)) == ["t00001", "t00002"]
    [told] = [line for line in world.said if "trying again until it works" in line]
    assert "no such" in told or "make the bucket first" in told


def test_credentials_that_expire(
    world: World, traces: Callable[..., dict[str, Any]], s3_endpoint: str, bucket: Callable[[str], str]
) -> None:
    import urllib.request

    def checks(how: bytes) -> None:
        url = f"http://{s3_endpoint}/moto-api/reset-auth"
        request = urllib.request.Request(url, data=how, headers={"Content-Type": "text/plain"}, method="POST")
        urllib.request.urlopen(request).close()

    config = world.configure(input={"uri": bucket("traces")}, store=bucket("store"))
    put(bucket("traces/a.jsonl"), traces(1))

    def expire() -> None:
        checks(b"0")
        world.later(0.7, again)

    def again() -> None:
        checks(b"inf")
        put(bucket("traces/b.jsonl"), traces(2))

    world.follow(config, expire)
    assert any("check the credentials" in line for line in world.said)
    place = open_location(config.store)
    import pandas as pd

    assert sorted(set(pd.read_parquet(place.path, filesystem=place.fs).trace_id)) == ["t00001", "t00002"]


@pytest.mark.parametrize("fails", ["reading an object", "looking up what has rows"])
def test_a_store_that_does_not_answer_in_the_middle_of_a_batch(
    world: World, traces: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    config = world.configure()
    for number in range(5):
        world.write(f"{number}.jsonl", [traces(2 * number + i) for i in range(2)], modified=1_700_000_000.0 + number)
    if fails == "reading an object":
        once, calls = failing_at(3, read_parts)
        monkeypatch.setattr(cut_module, "read_parts", once)
    else:
        once, calls = failing_at(3, Scored._read)
        monkeypatch.setattr(Scored, "_read", once)
    state = world.run_once(config)
    assert len(set(world.rows(config).trace_id)) == state.counts["sampled"] == 10
    assert len(calls) > 3


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte, where this user may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("mounting a small file system needs more rights")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_is_full(world: World, traces: Callable[..., dict[str, Any]], small_disk: Path) -> None:
    config = world.configure(store=str(small_disk / "store"))
    ballast = small_disk / "ballast"
    for number in range(4):
        world.write(f"{number}.jsonl", [traces(number * 10 + i) for i in range(10)], modified=1_700_000_000.0 + number)

    def fill() -> None:
        world.later(1.0, ballast.unlink)
        free = 1 << 20
        while free >= 512:
            try:
                with ballast.open("ab") as file:
                    file.write(b"x" * free)
            except OSError:
                free //= 2

    world.look(config, 30, {1: fill})
    assert any("No space left" in line for line in world.said), world.said
    rows = world.rows(config)
    assert rows.trace_id.nunique() == 40
    assert rows.score_id.is_unique


@pytest.mark.parametrize("days", [-2, 3])
def test_a_clock_that_jumps_changes_no_row(
    world: World, traces: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    config = world.configure()

    def jump() -> None:
        monkeypatch.setattr(Clock, "now", lambda self: datetime.now(UTC) + timedelta(days=days))
        world.write("b.jsonl", [traces(2)])

    world.write("a.jsonl", [traces(1)])
    state = world.follow(config, jump)
    assert sorted(set(world.rows(config).trace_id)) == ["t00001", "t00002"]
    assert len(state.days) == 2
    assert world.run_once(config).number == state.number


def test_an_object_that_vanishes_between_listing_and_reading_is_a_reject(
    world: World, traces: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = world.configure()
    path = world.write("a.jsonl", [traces(1)], modified=1_700_000_000.0)
    world.write("b.jsonl", [traces(2)], modified=1_700_000_001.0)
    world.look(config, 14, {1: path.unlink})
    assert set(world.rows(config).trace_id) == {"t00002"}
    assert sum(entry.counts.get("rejected", 0) for entry in world.entries) == 1
