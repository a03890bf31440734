"""Time, CPU time and memory of a command and all its processes, Ray's included."""

import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a command took. CPU seconds of all processes; memory in MiB: of the command itself, and of all together."""

    seconds: float
    cpu_seconds: float
    command_mib: float
    all_mib: float
    output: bytes


@dataclass(frozen=True, kw_only=True)
class Look:
    """One process at one moment: proportional set size in bytes, CPU seconds since its start."""

    pid: int
    memory: int
    cpu: float


def cost_of(command: Sequence[str]) -> Cost:
    """Run ``command`` to its end. Raises SystemExit when it fails."""
    started = time.monotonic()
    run = subprocess.Popen(command, stdout=subprocess.PIPE)  # noqa: S603 - our own command
    one = everything = 0.0
    cpu: dict[int, float] = {}
    for looks in _watch(run):
        one, everything = max(one, looks[0].memory), max(everything, sum(look.memory for look in looks))
        cpu |= {look.pid: look.cpu for look in looks}
    seconds = time.monotonic() - started
    if run.wait() or run.stdout is None:
        raise SystemExit(f"the command ended with {run.returncode}")
    return Cost(
        seconds=seconds,
        cpu_seconds=sum(cpu.values()),
        command_mib=one / 2**20,
        all_mib=everything / 2**20,
        output=run.stdout.read(),
    )


def _watch(run: "subprocess.Popen[bytes]") -> Iterator[list[Look]]:
    """The command and all its children, twice a second until it ends."""
    command = psutil.Process(run.pid)
    while run.poll() is None:
        looks = [look for process in [command, *command.children(recursive=True)] if (look := look_at(process))]
        if looks:
            yield looks
        time.sleep(0.5)


def look_at(process: psutil.Process) -> Look | None:
    """None once the process is gone."""
    try:
        times = process.cpu_times()
        return Look(pid=process.pid, memory=int(process.memory_full_info().pss), cpu=times.user + times.system)
    except psutil.Error:
        return None
