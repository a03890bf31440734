"""The engines and the processes that ask them, in a Ray session: started, asked, and started again when they die."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from jobs.causes import cause_of, engine_words
from jobs.online.config import OnlineSettings
from jobs.online.worker import ScoreWorker
from jobs.prepare import Prepared
from jobs.scoring import start_engines
from judgefleet.errors import RunError
from judgefleet.sample import Sample, samples_to_table

# An engine may have to load tens of gigabytes.
_SECONDS_TO_START = 1800.0
_SECONDS_TO_ANSWER = 30.0


class ScoringFailedError(RunError):
    """A batch was given to a worker and no rows came back."""


class Fleet:
    """Started by ``start``; ``score`` may be called by several threads. ``logs``: the folder of Ray's log files."""

    def __init__(self, prepared: Prepared, settings: OnlineSettings, logs: Path) -> None:
        self._prepared, self._settings, self._logs = prepared, settings, logs
        self._stall = prepared.config.run.stall_seconds
        self._lock = threading.Lock()
        self._workers: list[Any] = []
        self._turn = itertools.count()
        self._started = 0

    def start(self) -> None:
        """Engines and workers; returns when every engine has answered. Raises RunError when one does not."""
        import ray

        self._end()
        made = ray.remote(ScoreWorker).options(
            num_cpus=0,
            max_restarts=-1,
            max_concurrency=self._settings.in_flight + 1,
            # On several nodes, so that the loss of one is the loss of some.
            scheduling_strategy="SPREAD",
        )
        setup, engines = self._prepared.setup, start_engines(self._prepared)
        self._workers = [made.remote(self._prepared.local, setup, engines) for _ in range(self._settings.workers)]
        self._started += 1
        if (wrong := self._wrong(_SECONDS_TO_START)) is not None:
            said = engine_words(self._logs)
            raise RunError(f"the judge did not come up: {wrong}" + (f" The engine said: {said}" if said else ""))

    def score(self, samples: Sequence[Sample]) -> pa.Table:
        """Rows of ``samples``. Raises ScoringFailedError when a worker or engine died, or gave no answer in time."""
        import ray

        worker = self._workers[next(self._turn) % len(self._workers)]
        try:
            asked = worker.score.remote(samples_to_table(samples))
            done, _ = ray.wait([asked], timeout=self._stall)
            if done:
                return ray.get(asked)
        except ray.exceptions.RayError as error:
            raise ScoringFailedError(cause_of(error)) from error
        ray.kill(worker, no_restart=False)
        raise ScoringFailedError(f"no rows for {self._stall:.0f} s (run.stall_seconds)")

    def recover(self) -> None:
        """After a failure: wait until all is well, or start anew. Raises RunError when that fails too."""
        before = self._started
        with self._lock:
            if self._started == before and self._wrong(_SECONDS_TO_ANSWER + self._stall) is not None:
                self.start()

    def _wrong(self, seconds: float) -> str | None:
        """What keeps the workers from working; None when all answered."""
        import ray

        asked = [worker.ready.remote() for worker in self._workers]
        try:
            done, _ = ray.wait(asked, num_returns=len(asked), timeout=seconds)
            said = [ray.get(ref) for ref in done]
        except ray.exceptions.RayError as error:
            return cause_of(error)
        if len(done) < len(asked):
            return f"no answer for {seconds:.0f} s"
        return next((words for words in said if words), None)

    def _end(self) -> None:
        import ray

        for worker in self._workers:
            ray.kill(worker)
        self._workers = []
