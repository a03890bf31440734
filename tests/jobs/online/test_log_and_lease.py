"""The log and the lease: what two processes that know nothing of each other agree by."""

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jobs.online.lease import Lease, LeaseLostError, beat_of, newest_holder
from jobs.online.log import Entry, Log, Spent
from jobs.online.state import State, rebuild, write_checkpoint
from judgefleet.errors import ConfigError, StoreError
from judgefleet.exclusive import create_exclusive
from judgefleet.storage import open_location, read_bytes, write_atomic


def entry(number: int, **changed: object) -> Entry:
    given = {"number": number, "nonce": "me", "epoch": 1, "run_id": "r", "finished_at": "2026-11-20T10:00:00"}
    return Entry.model_validate(given | changed)


@pytest.fixture(params=["local", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An address of a folder, on this machine and in a bucket."""
    if request.param == "local":
        return str(tmp_path / "store")
    endpoint = request.getfixturevalue("s3_endpoint")
    return f"s3://bucket/{tmp_path.name}?endpoint_override={endpoint}&scheme=http"


def test_of_many_writers_one_creates(place: str) -> None:
    for number in range(10):
        target = open_location(place).child(f"lease/{number}.json")
        with ThreadPoolExecutor(8) as threads:
            won = list(threads.map(lambda me, at=target: create_exclusive(at, f"writer {me}".encode()), range(8)))
        assert sum(won) == 1
        assert read_bytes(target.uri) == f"writer {won.index(True)}".encode()
        # An upload whose answer was lost is made again by the same writer, and is still its own.
        if "s3://" in place:
            assert create_exclusive(target, f"writer {won.index(True)}".encode())


def test_a_bucket_that_is_not_there_says_so(s3_endpoint: str) -> None:
    nowhere = open_location(f"s3://nowhere/store?endpoint_override={s3_endpoint}&scheme=http")
    with pytest.raises(ConfigError, match="make the bucket first"):
        create_exclusive(nowhere.child("a.json"), b"x")


def test_credentials_that_are_refused_say_so(strict_s3: str) -> None:
    closed = open_location(f"s3://bucket/store?endpoint_override={strict_s3}&scheme=http")
    with pytest.raises(ConfigError, match="check the credentials"):
        create_exclusive(closed.child("a.json"), b"x")


def test_the_log_has_each_number_once_and_in_order(place: str) -> None:
    log = Log(open_location(place))
    assert [log.append(entry(n)) for n in (1, 2, 3)] == [True, True, True]
    assert not log.append(entry(2, nonce="other"))
    assert [e.number for e in log.after(1)] == [2, 3]
    assert log.read(2) == entry(2)
    assert log.read(4) is None


def test_the_log_goes_on_in_another_folder_and_a_gap_is_an_error(tmp_path: Path) -> None:
    log = Log(open_location(tmp_path))
    for number in (998, 999, 1000, 1001, 1003):
        log.append(entry(number))
    assert log.numbers(998) == [999, 1000, 1001, 1003]
    with pytest.raises(StoreError, match="entry 1002 of the log is missing"):
        list(log.after(999))


def test_a_checkpoint_is_what_the_log_says(tmp_path: Path) -> None:
    root, whole = open_location(tmp_path), State()
    for number in range(1, 8):
        made = entry(
            number,
            objects=(f"o{number}|1|2.0",),
            counts={"sampled": number},
            statuses={"quality/ok": 2},
            spent=Spent(prompt_tokens=10, seconds=0.5),
            published=number - 1,
            dead=f"dead/{number}.parquet" if number == 2 else None,
            finished_at=f"2026-11-{19 + number // 3}T10:00:00",
        )
        Log(root).append(made)
        whole.apply(made)
        if number == 5:
            write_checkpoint(root, rebuild(root))
    found = rebuild(root)
    assert (tmp_path / "checkpoints/000000005.parquet").exists()
    assert found.seen.packed().tolist() == whole.seen.packed().tolist()
    for name in ("number", "published", "counts", "statuses", "spent", "days", "dead", "last", "opened"):
        assert getattr(found, name) == getattr(whole, name), name
    assert found.spent_on("2026-11-21").prompt_tokens == 20


Acquired = Callable[..., Lease]


@pytest.fixture
def lease(place: str) -> Acquired:
    return lambda say=lambda _: None: Lease(open_location(place), "run", 3.0, say)


def test_the_second_stands_by_until_the_first_gives_it_back(lease: Acquired) -> None:
    said: list[str] = []
    first, second, never = lease(), lease(said.append), threading.Event()
    assert first.acquire(never)
    assert not second.acquire(never, wait=False)
    got: list[bool] = []
    waiting = threading.Thread(target=lambda: got.append(second.acquire(never)))
    waiting.start()
    waiting.join(4)
    assert waiting.is_alive()
    assert "standing by" in said[0]
    first.release()
    waiting.join(20)
    assert got == [True]
    assert second.epoch == first.epoch + 1
    second.release()


def test_a_part_of_a_beat_is_none(place: str) -> None:
    root = open_location(place)
    assert beat_of(root, 1) == {}
    write_atomic(root.child("lease/000000001.beat"), b'{"count": -1')
    assert beat_of(root, 1) == {}
    write_atomic(root.child("lease/000000001.beat"), b'{"count": -1}')
    assert beat_of(root, 1) == {"count": -1}


def test_a_holder_without_a_sign_of_life_is_replaced_and_learns_of_it(
    lease: Acquired, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = lease(), lease()
    assert first.acquire(threading.Event())
    alive = first._write_beat
    monkeypatch.setattr(first, "_write_beat", lambda count: None)  # it hangs
    assert second.acquire(threading.Event())
    monkeypatch.setattr(first, "_write_beat", alive)
    for _ in range(50):
        if first.lost:
            break
        threading.Event().wait(0.1)
    with pytest.raises(LeaseLostError):
        first.check()
    second.check()
    second.release()


def test_a_holder_of_this_machine_that_was_killed_is_replaced_at_once(place: str) -> None:
    code = (
        "import sys, threading; from jobs.online.lease import Lease; from judgefleet.storage import open_location\n"
        f"Lease(open_location({place!r}), 'run', 600.0, print).acquire(threading.Event())\n"
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    root = open_location(place)
    holder = newest_holder(root)
    assert holder is not None
    assert holder.is_dead
    second = Lease(root, "run", 600.0, lambda _: None)
    assert second.acquire(threading.Event(), wait=True)
    assert second.epoch == 2
    second.release()


def test_who_wants_to_take_over_is_heard(lease: Acquired) -> None:
    first, second, never = lease(), lease(), threading.Event()
    assert first.acquire(never)
    waiting = threading.Thread(target=lambda: second.acquire(never, take_over=True))
    waiting.start()
    for _ in range(50):
        if first.wanted:
            break
        threading.Event().wait(0.1)
    assert first.wanted
    first.release()
    waiting.join(20)
    assert second.epoch == 2
    second.release()
