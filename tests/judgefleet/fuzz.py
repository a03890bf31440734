"""Damaged objects of every format through the readers: nothing may raise, hang, or ask for too much memory.

    python -m tests.judgefleet.fuzz --seconds 600 --inputs 1000000 [--format NAME] [--seed N] [--corpus FOLDER]

The readers run in a process of their own, with a limit of memory; what it reads is written down first, so that a crash
or a hang names its input. What failed is kept in the corpus, and ``test_traces_fuzz.py`` reads all of that again. Input
number n of a seed is always the same.
"""

import argparse
import mmap
import multiprocessing
import random
import resource
import signal
import struct
import time
import traceback
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from judgefleet.trace import Trace, traces_to_table
from judgefleet.traces.content import ReadOptions
from judgefleet.traces.reader import FORMATS, read_object
from judgefleet.traces.reject import Reject
from tests.judgefleet.fuzz_mutations import mutated
from tests.judgefleet.fuzz_seeds import seeds

CORPUS = Path(__file__).parent / "corpus"
MOST_MEMORY = 3 << 30
SECONDS_EACH = 10.0
# Small, so that an input which a limit stops is stopped soon.
OPTIONS = ReadOptions(max_bytes=1 << 24, max_json=1 << 22, max_text=1 << 20, max_columns=1000, max_rows=100_000)
_ROOM = 1 << 21
# One in so many of each format is read in both ways and stored, which takes three times as long.
_THOROUGH = 4
_SAID_EACH = 50_000
_HEAD = struct.Struct("<QI")


class TooSlow(BaseException):
    """No reader may catch it."""


@dataclass(kw_only=True)
class Outcome:
    """What was tried, and what failed, as ``reason: file``."""

    inputs: int = 0
    seconds: float = 0.0
    failures: list[str] = field(default_factory=list)


def check(data: bytes, name: str, *, thorough: bool = True) -> None:
    """Reads ``data`` as ``name`` says: rejects have a reason. ``thorough``: also by its content, and stores traces."""
    for chosen in (name, "auto") if thorough else (name,):
        items = list(read_object("u", data, chosen, OPTIONS))
        if thorough and (traces := [item for item in items if isinstance(item, Trace)]):
            traces_to_table(traces)
        assert all(item.reason and item.position for item in items if isinstance(item, Reject)), (
            "a reject without a reason"
        )


def made(number: int, seed: int, formats: list[str]) -> tuple[str, bytes]:
    """Input ``number``: the format to read it as, and its bytes."""
    rng = random.Random(f"{seed}/{number}")
    name = formats[number % len(formats)]
    start, other = rng.choice(seeds()[name]), rng.choice(seeds()[rng.choice(list(FORMATS))])
    return name, mutated(start, other, rng)[:_ROOM]


def fuzz(seconds: float, inputs: int, formats: list[str], seed: int, corpus: Path) -> Outcome:
    """Tries inputs until there are ``inputs`` or ``seconds`` are over; a process that dies is followed by another."""
    seeds()
    found, began, at = Outcome(), time.monotonic(), 0
    end = began + seconds
    while at < inputs and time.monotonic() < end:
        with mmap.mmap(-1, _ROOM + _HEAD.size) as shared:
            at = _watch(shared, at, inputs, formats, seed, corpus, end, found)
    found.inputs, found.seconds = at, time.monotonic() - began
    return found


def _watch(
    shared: mmap.mmap, at: int, inputs: int, formats: list[str], seed: int, corpus: Path, end: float, found: Outcome
) -> int:
    """One process, to its end. Returns the number of the next input."""
    queue = multiprocessing.get_context("fork").SimpleQueue()
    process = multiprocessing.get_context("fork").Process(
        target=_run, args=(shared, at, inputs, formats, seed, end, queue), daemon=True
    )
    process.start()
    last, since = at, time.monotonic()
    while process.is_alive():
        process.join(0.5)
        number, _ = _HEAD.unpack_from(shared, 0)
        if number != last:
            if number // _SAID_EACH != last // _SAID_EACH:
                print(f"{number:,} inputs, {len(found.failures):,} failed", flush=True)  # noqa: T201
            last, since = number, time.monotonic()
        elif time.monotonic() - since > 3 * SECONDS_EACH + 5:
            process.kill()
    while not queue.empty():
        number, reason = queue.get()
        found.failures.append(kept(made(number, seed, formats), reason, corpus))
    number, _ = _HEAD.unpack_from(shared, 0)
    if process.exitcode != 0:
        why = f"the process ended with {process.exitcode} (a crash, or no end within {SECONDS_EACH:g} s)"
        found.failures.append(kept(made(number, seed, formats), why, corpus))
        return int(number) + 1
    return int(number)


def _run(shared: mmap.mmap, at: int, inputs: int, formats: list[str], seed: int, end: float, queue: object) -> None:
    """In the process of its own. The alarm ends what Python runs; for what it does not, there is the watch."""
    most = _in_use() + MOST_MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, _too_long)
    while at < inputs and time.monotonic() < end:
        _HEAD.pack_into(shared, 0, at, 0)
        name, data = made(at, seed, formats)
        signal.setitimer(signal.ITIMER_REAL, SECONDS_EACH)
        try:
            check(data, name, thorough=at // len(formats) % _THOROUGH == 0)
        except BaseException as error:  # noqa: BLE001
            place = traceback.extract_tb(error.__traceback__)[-1]
            queue.put((at, f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})"[:300]))  # type: ignore[attr-defined]
        signal.setitimer(signal.ITIMER_REAL, 0)
        at += 1
    _HEAD.pack_into(shared, 0, at, 0)


def _in_use() -> int:
    """Bytes of address space; a process that has loaded large libraries begins with several GB."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _too_long(*_: object) -> None:
    raise TooSlow(f"not read within {SECONDS_EACH:g} s")


def kept(made_input: tuple[str, bytes], reason: str, corpus: Path) -> str:
    """Puts an input (its format and bytes) into the corpus; returns ``reason: file``."""
    name, data = made_input
    corpus.mkdir(parents=True, exist_ok=True)
    path = corpus / f"{name}-{sha256(data).hexdigest()[:12]}"
    path.write_bytes(data)
    line = f"{reason}: {path.name}"
    print(line, flush=True)  # noqa: T201
    return line


def main() -> None:
    """Reads the arguments, says how it went; exit code 1 where something failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--format", choices=list(FORMATS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    given = parser.parse_args()
    formats = [given.format] if given.format else list(FORMATS)
    found = fuzz(given.seconds, given.inputs, formats, given.seed, given.corpus)
    rate = found.inputs / found.seconds if found.seconds else 0.0
    print(  # noqa: T201
        f"{found.inputs:,} inputs over {', '.join(formats)} in {found.seconds:,.1f} s: {rate:,.0f} a second; "
        f"{len(found.failures):,} failed"
    )
    raise SystemExit(1 if found.failures else 0)


if __name__ == "__main__":
    main()
