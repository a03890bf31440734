"""What went wrong in a worker, in its own words: out of the stack traces and log files that it left."""

import re
from pathlib import Path

_RAISED = re.compile(r"[\w.]*(Error|Exception|Interrupt): .")
# vLLM's engine runs in processes of its own; what ends them is in the log of the worker that started them.
_ENGINE_SAID = re.compile(r"(?:EngineCore|Worker)[^)]*\) ERROR .*?\] ((?:\w+\.)*\w*(?:Error|Exception): .+)")


def cause_of(error: BaseException) -> str:
    """The innermost message of an error that came through Ray, without the stack traces it carries."""
    seen = error
    while (inner := getattr(seen, "cause", None) or seen.__cause__) is not None and str(inner).strip():
        seen = inner
    lines = [line.strip() for line in str(seen).splitlines() if line.strip()]
    # A worker's error arrives as text: its stack trace, then the error, then Ray's advice.
    raised = [line for line in lines if _RAISED.match(line)]
    said = (raised or lines or [""])[-1]
    return said if raised else f"{type(seen).__name__}: {said}"


def engine_words(logs: Path) -> str | None:
    """The last error that a vLLM engine wrote to the logs of its Ray session; None without one."""
    found = [
        match[1]
        for path in sorted(logs.glob("worker-*.out"), key=lambda p: p.stat().st_mtime)
        for match in _ENGINE_SAID.finditer(path.read_text(errors="replace"))
        if "root cause" not in match[1]
    ]
    return found[-1] if found else None
