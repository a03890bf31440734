"""What every worker does: read a job from stdin, ask all of it at once, print verdicts and seconds as JSON."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version

LABELS = ("A", "B")


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One question with its two answers, in the order they are shown; ``context`` may be empty."""

    question: str
    context: str
    answer_a: str
    answer_b: str


@dataclass(frozen=True, kw_only=True)
class Job:
    """What to ask of whom. ``instructions``: how to compare. ``limit_s``: for all of it together."""

    base_url: str
    model: str
    instructions: str
    shown: Sequence[Shown]
    explain: bool
    in_flight: int
    max_tokens: int
    limit_s: float


# The label that a tool gave; whatever it raises is a verdict that did not come about.
Ask = Callable[[Shown], Awaitable[str]]


def read_job() -> Job:
    """The job on stdin."""
    given = json.load(sys.stdin)
    return Job(**given | {"shown": [Shown(**shown) for shown in given["shown"]]})


def work(package: str, build: Callable[[Job], Ask]) -> None:
    """Ask everything and report; what is open when the time is up is reported as such."""
    job = read_job()
    report = asyncio.run(_answers(job, build(job)))
    sys.__stdout__.write(json.dumps({"version": version(package), **report}) + "\n")  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]
    # Threads of a tool that still wait for an answer would keep the process.
    os._exit(0)


async def _answers(job: Job, ask: Ask) -> dict[str, object]:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(job.in_flight))
    room = asyncio.Semaphore(job.in_flight)
    started = time.perf_counter()
    tasks = [asyncio.create_task(_one(ask, shown, room)) for shown in job.shown]
    await asyncio.wait(tasks, timeout=job.limit_s)
    seconds = time.perf_counter() - started
    found = [task.result() if task.done() else (None, "the time was up") for task in tasks]
    return {"seconds": seconds, "labels": [label for label, _ in found], "errors": [error for _, error in found]}


async def _one(ask: Ask, shown: Shown, room: asyncio.Semaphore) -> tuple[str | None, str | None]:
    async with room:
        try:
            label = await ask(shown)
        except Exception as error:  # noqa: BLE001 - tools raise whatever their authors chose
            return None, f"{type(error).__name__}: {error}"[:300]
    return (label, None) if label in LABELS else (None, f"no label: {label!r}"[:300])
