"""Ray: joining or starting a cluster, and driving an execution that may neither hang nor be lost."""

import io
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

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


@contextmanager
def ray_session() -> Iterator[Path]:
    """A Ray session: on the cluster that RAY_ADDRESS names, or on this machine's cores.

    Gives the folder of its log files.
    """
    for name, value in _DRIVER_ENV.items():
        os.environ.setdefault(name, value)
    import ray

    here = (
        {} if os.environ.get("RAY_ADDRESS") else {"num_cpus": max(os.cpu_count() or 1, 2), "include_dashboard": False}
    )
    with _reported(), _no_stderr():
        session = ray.init(
            runtime_env={"env_vars": _WORKER_ENV}, logging_level=logging.ERROR, log_to_driver=False, **here
        )
    try:
        _quiet()
        if threading.current_thread() is threading.main_thread():
            # Ray's own handler dumps a stack; a stop by an orchestrator is an interruption like Ctrl-C.
            signal.signal(signal.SIGTERM, signal.default_int_handler)
        # Ray prints what its nodes complain of to stdout, where only results belong; its log files have it too.
        # Its threads go on doing so until the shutdown is over.
        with redirect_stdout(io.StringIO()):
            try:
                yield Path(session.address_info["session_dir"], "logs")
            finally:
                ray.shutdown()
    finally:
        ray.shutdown()


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
def _no_stderr() -> Iterator[None]:
    """Ray's C++ part greets on file descriptor 2 whenever its log level is set; what goes wrong is raised besides."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
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
