"""What went wrong in a worker, in its own words: out of the stack traces and log files that it left."""

import re
from pathlib import Path

_RAISED = re.compile(r"[\w.]*(Error|Exception|Interrupt): .")
_RAY = "ray.exceptions."
# pydantic says in the two lines after this one what is wrong: the field, and what it may be.
_LISTS = re.compile(r"\d+ validation errors? for \w+$")
# vLLM's engine runs in processes of its own; what ends them is in the log of the worker that started them.
_ENGINE_SAID = re.compile(r"(?:EngineCore|Worker)[^)]*\) ERROR .*?\] ((?:\w+\.)*\w*(?:Error|Exception): .+)")


def cause_of(error: BaseException) -> str:
    """The innermost message of an error that came through Ray, without the stack traces it carries.

    A worker's error arrives as text: stack traces, the errors between them, and Ray's advice. What Ray says about an
    error of somebody else (``ray.exceptions...``) is given only where there is nothing else.

    >>> cause_of(RuntimeError("ray::f()\\nValueError: found 3\\n\\nray.exceptions.UserCodeException: UDF failed."))
    'ValueError: found 3'
    >>> cause_of(RuntimeError("ray::f()\\nValidationError: 1 validation error for X\\nsize\\n  Too much"))
    'ValidationError: 1 validation error for X size Too much'
    """
    chain = [error]
    while (inner := getattr(chain[-1], "cause", None) or chain[-1].__cause__) is not None and inner not in chain:
        chain.append(inner)
    lines = [line.strip() for seen in chain for line in str(seen).splitlines() if line.strip()]
    raised = [line for line in lines if _RAISED.match(line)]
    own = [line for line in raised if not line.startswith(_RAY)]
    if said := own[-1:] or raised[:1]:
        at = lines.index(said[0])
        return " ".join(lines[at : at + 3]) if _LISTS.search(said[0]) else said[0]
    return f"{type(chain[-1]).__name__}: {(str(chain[-1]).strip().splitlines() or [''])[-1]}"


def engine_words(logs: Path) -> str | None:
    """The last error that a vLLM engine wrote to the logs of its Ray session; None without one."""
    found = [
        match[1]
        for path in sorted(logs.glob("worker-*.out"), key=lambda p: p.stat().st_mtime)
        for match in _ENGINE_SAID.finditer(path.read_text(errors="replace"))
        if "root cause" not in match[1]
    ]
    return found[-1] if found else None
