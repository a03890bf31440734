"""What once failed is read again; some thousand damaged objects; and the search finds readers that fail."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from judgefleet.traces.content import Content
from judgefleet.traces.reader import FORMATS
from tests.judgefleet import fuzz, fuzz_guided
from tests.judgefleet.fuzz_seeds import seeds


def test_what_once_failed() -> None:
    for path in sorted(fuzz.CORPUS.glob("*-*")):
        name = path.name.rpartition("-")[0]
        fuzz.check(path.read_bytes(), name if name in FORMATS else "auto")


def test_some_thousand_inputs(tmp_path: Path) -> None:
    found = fuzz.fuzz(120.0, int(os.environ.get("JUDGEFLEET_FUZZ", "3000")), list(FORMATS), 7, tmp_path)
    assert found.failures == []
    assert found.inputs > 0


@pytest.mark.parametrize("name", ["otlp_proto", "otlp_json"])
def test_a_search_guided_by_coverage(name: str, tmp_path: Path) -> None:
    pytest.importorskip("atheris")
    assert fuzz_guided.search(name, int(os.environ.get("JUDGEFLEET_FUZZ", "3000")), 60, tmp_path) == []


def test_every_format_has_seeds_that_it_reads() -> None:
    assert set(seeds()) == set(FORMATS)
    for name, objects in seeds().items():
        assert objects, name
        for data in objects:
            fuzz.check(data, name)


def test_an_input_has_a_number_and_is_always_the_same() -> None:
    assert [fuzz.made(n, 3, list(FORMATS)) for n in range(20)] == [fuzz.made(n, 3, list(FORMATS)) for n in range(20)]
    assert len({fuzz.made(n, 3, ["jsonl"])[1] for n in range(100)}) > 90


def fails(how: str) -> Any:
    """A reader that fails at some inputs; in a process of its own, as all are."""

    def read(content: Content) -> Iterator[Any]:
        if len(content.data) % 5 == 0:
            if how == "raise":
                raise KeyError("a bug")
            if how == "crash":
                os.kill(os.getpid(), signal.SIGKILL)
            if how == "memory":
                bytearray(2 * fuzz.MOST_MEMORY)
            time.sleep(60)
        return iter(())

    return read


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("raise", "KeyError: 'a bug' (test_traces_fuzz.py:"),
        ("crash", "the process ended with -9"),
        ("memory", "MemoryError: "),
        ("hang", "TooSlow: not read within 0.3 s"),
    ],
)
def test_a_reader_that_fails_is_found_and_its_input_kept(
    how: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fuzz, "SECONDS_EACH", 0.3 if how == "hang" else 10.0)
    monkeypatch.setattr("judgefleet.traces.csv_traces.read", fails(how))
    found = fuzz.fuzz(30.0, 12, ["csv"], 1, tmp_path)
    assert found.inputs == 12
    assert found.failures
    assert all(failure.startswith(said) for failure in found.failures), found.failures
    assert {path.name for path in tmp_path.iterdir()} == {failure.rpartition(": ")[2] for failure in found.failures}
