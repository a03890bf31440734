"""Ray: joining or starting a cluster, and driving an execution that may neither hang nor be lost."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

import psutil

from jobs.causes import cause_of, engine_words
from judgefleet.errors import RunError, StalledError

# The environment of every worker.
_WORKER_ENV = {"TOKENIZERS_PARALLELISM": "false"}
_DRIVER_ENV = {
    **_WORKER_ENV,
    "RAY_USAGE_STATS_ENABLED": "0",
    # A thread that outlives its session must not start a new cluster behind our back.
    "RAY_ENABLE_AUTO_CONNECT": "0",
    # Ray starts workers at niceness 15: on a machine that does anything else, the engine would starve.
    "RAY_worker_niceness": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
}
_POLL_SECONDS = 1.0
_SECONDS_TO_END = 30.0
_LARGEST_BLOCK = 2**30
_SECONDS_TO_EXIT = 10.0
_TRIES, _TIMED_OUT = 3, "timed out during startup"


@contextmanager
def ray_session() -> Iterator[Path]:
    """A Ray session: on the cluster that RAY_ADDRESS names, or on this machine's cores.

    Gives the folder of its log files.
    """
    for name, value in _DRIVER_ENV.items():
        os.environ.setdefault(name, value)

    # Ray prints what its nodes complain of to stdout, where only results belong; its log files have it too.
    with _descriptor_closed(sys.stdout, 1):
        yield from _session()


def _session() -> Iterator[Path]:
    import ray

    others = _children()
    with _reported(), _descriptor_closed(sys.stderr, 2):
        session = _joined(others)
    try:
        _quiet()
        if threading.current_thread() is threading.main_thread():
            # Ray's own handler dumps a stack; a stop by an orchestrator is an interruption like Ctrl-C.
            signal.signal(signal.SIGTERM, signal.default_int_handler)
        yield Path(session.address_info["session_dir"], "logs")
    finally:
        ours = _children() - others
        ray.shutdown()
        # A worker now and then waits for itself while it ends, and would stay for ever.
        _kill(psutil.wait_procs(ours, timeout=_SECONDS_TO_EXIT)[1])


def _children() -> set[psutil.Process]:
    return set(psutil.Process().children(recursive=True))


def _joined(others: set[psutil.Process]) -> Any:
    """Ray gives a node 30 s to start, whatever else the machine has to do; so it may have them more than once.

    ``others``: processes of ours that are none of Ray's.
    """
    import ray

    here = (
        {} if os.environ.get("RAY_ADDRESS") else {"num_cpus": max(os.cpu_count() or 1, 2), "include_dashboard": False}
    )
    tries = 0
    while True:
        try:
            return ray.init(
                runtime_env={"env_vars": _WORKER_ENV}, logging_level=logging.ERROR, log_to_driver=False, **here
            )
        except Exception as error:
            ray.shutdown()
            _kill(_children() - others)
            tries += 1
            if tries == _TRIES or _TIMED_OUT not in str(error):
                raise


def _kill(processes: Iterable[psutil.Process]) -> None:
    """Parts of a node that did not come up, or did not end: Ray leaves them running."""
    for process in processes:
        with suppress(psutil.Error):
            process.kill()


def _quiet() -> None:
    """Ray Data's own progress goes to its log files: what a user sees is ours."""
    import ray.data

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    # What leaves the engine for one chunk stays one block, so that the prompts of a unit stay together.
    context.target_max_block_size = _LARGEST_BLOCK
    for name in ("ray", "ray.data", "ray.llm"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def drive(execute: Callable[[], object], committed: Callable[[], int], stall_seconds: float, logs: Path) -> None:
    """Run ``execute`` until it ends, watching that ``committed`` (rows in the store) grows.

    Raises StalledError when no row came for ``stall_seconds``, RunError with the cause when the execution failed.
    On both, and on Ctrl-C, Ray is shut down first, so that nothing goes on writing behind the user's back.
    """
    failed: list[BaseException] = []
    worker = threading.Thread(target=_caught, args=(execute, failed), name="execution", daemon=True)
    worker.start()
    try:
        _watch(worker, committed, stall_seconds)
    except BaseException:
        _end(worker)
        raise
    if failed:
        said = engine_words(logs)
        raise RunError(cause_of(failed[0]) + (f" The engine said: {said}" if said else "")) from failed[0]


def _caught(execute: Callable[[], object], failed: list[BaseException]) -> None:
    try:
        execute()
    except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
        failed.append(error)


def _watch(worker: threading.Thread, committed: Callable[[], int], stall_seconds: float) -> None:
    rows, since = committed(), time.monotonic()
    while worker.is_alive():
        worker.join(_POLL_SECONDS)
        if (now := committed()) > rows:
            rows, since = now, time.monotonic()
        elif time.monotonic() - since > stall_seconds:
            raise StalledError(
                f"no row was committed for {stall_seconds:.0f} s (run.stall_seconds); the rows so far are safe"
            )


def _end(worker: threading.Thread) -> None:
    import ray

    ray.shutdown()
    worker.join(_SECONDS_TO_END)


@contextmanager
def _descriptor_closed(stream: TextIO, descriptor: int) -> Iterator[None]:
    """Ray's C++ part and its threads write to the descriptor itself: what they say there goes nowhere.

    On 2 it greets whenever its log level is set; what goes wrong is raised besides.
    """
    stream.flush()
    kept, nowhere = os.dup(descriptor), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    try:
        yield
    finally:
        stream.flush()
        os.dup2(kept, descriptor)
        os.close(kept)
        os.close(nowhere)


@contextmanager
def _reported() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # Ray raises bare Exception when a node takes longer than 30 s to start
        raise RunError(
            f"Ray could not be started or joined: {error}; RAY_ADDRESS={os.environ.get('RAY_ADDRESS')!r}"
        ) from error
