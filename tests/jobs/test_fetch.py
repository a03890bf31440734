"""Objects that are fetched ahead: in order, some at a time, and a failure where it belongs."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import jobs.fetch
from jobs.fetch import contents
from judgefleet.errors import ConfigError, MissingError
from judgefleet.storage import read_bytes

SMALL = 10


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[int], list[tuple[str, int]]]:
    def write(count: int) -> list[tuple[str, int]]:
        for number in range(count):
            (tmp_path / f"{number:02d}").write_bytes(b"%02d" % number)
        return [(str(tmp_path / f"{number:02d}"), SMALL) for number in range(count)]

    return write


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of what was asked for; the earlier ones take longer."""
    found: list[str] = []
    lock = threading.Lock()

    def slowly(uri: str) -> bytes:
        with lock:
            found.append(Path(uri).name)
        time.sleep(0.05 if Path(uri).name < "04" else 0.0)
        return read_bytes(uri)

    monkeypatch.setattr(jobs.fetch, "read_bytes", slowly)
    return found


def settled(asked: list[str], count: int) -> int:
    """How many were asked for, once nothing more is."""
    end = time.monotonic() + 5
    while len(asked) < count and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(0.1)
    return len(asked)


def test_everything_comes_in_its_order(folder: Callable[..., list[tuple[str, int]]], asked: list[str]) -> None:
    assert list(contents(folder(30))) == [b"%02d" % number for number in range(30)]
    assert sorted(asked) == [f"{number:02d}" for number in range(30)]
    assert list(contents([])) == []


def test_no_more_than_some_are_ahead(folder: Callable[..., list[tuple[str, int]]], asked: list[str]) -> None:
    reading = contents(folder(30))
    assert next(reading) == b"00"
    assert settled(asked, 8) == 8
    next(reading)
    assert settled(asked, 9) == 9
    closed(reading)
    assert len(asked) == 9


def test_a_large_one_is_fetched_alone(
    folder: Callable[..., list[tuple[str, int]]], asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs.fetch, "_BYTES_AHEAD", 3 * SMALL)
    small = folder(6)
    reading = contents([*small[:2], (small[2][0], 100 * SMALL), *small[3:]])
    next(reading)
    assert settled(asked, 2) == 2
    assert [next(reading), next(reading)] == [b"01", b"02"]
    assert settled(asked, 3) == 3
    assert list(reading) == [b"03", b"04", b"05"]


def test_what_cannot_be_read_is_said_at_its_place(folder: Callable[..., list[tuple[str, int]]]) -> None:
    small = folder(4)
    Path(small[2][0]).unlink()
    Path(small[2][0]).mkdir()
    reading = contents(small)
    assert [next(reading), next(reading)] == [b"00", b"01"]
    with pytest.raises(ConfigError, match="02"):
        next(reading)


def test_what_has_vanished_is_told_in_its_place(folder: Callable[..., list[tuple[str, int]]]) -> None:
    small = folder(4)
    Path(small[2][0]).unlink()
    first, second, gone, last = contents(small)
    assert (first, second, last) == (b"00", b"01", b"03")
    assert isinstance(gone, MissingError)


def closed(reading: Iterator[object]) -> None:
    """As when a worker is ended between two objects: no thread stays."""
    before = {thread for thread in threading.enumerate() if thread.name.startswith("fetch")}
    assert before
    reading.close()  # type: ignore[attr-defined]
    assert not any(thread.is_alive() for thread in before)
