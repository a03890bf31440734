"""The tools' own environment, made on first use: what they depend on never meets what judgefleet depends on."""

import os
import subprocess
import sys
from pathlib import Path

from jobs.demo import ROOT

_FOLDER = ROOT / ".venv-tools"
_WANTED = ROOT / "benchmarks" / "tools-requirements.txt"
_QUIET = {
    "DEEPEVAL_TELEMETRY_OPT_OUT": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "1",
    "ANONYMIZED_TELEMETRY": "false",
    # Patience: on a processor a reply takes longer than their defaults, and a reply given up is work lost.
    "DEEPEVAL_DISABLE_TIMEOUTS": "1",
    "MLFLOW_GATEWAY_ROUTE_TIMEOUT_SECONDS": "3600",
    # Clients of a server that wants no key insist on one.
    "OPENAI_API_KEY": "none",
}


def tools_python() -> Path:
    """The interpreter of the tools' environment, with everything of tools-requirements.txt in it."""
    python, installed = _FOLDER / "bin" / "python", _FOLDER / "installed.txt"
    if not installed.is_file() or installed.read_text() != _WANTED.read_text():
        _run(sys.executable, "-m", "venv", "--clear", str(_FOLDER))
        _run(str(python), "-m", "pip", "install", "--quiet", "-r", str(_WANTED))
        installed.write_text(_WANTED.read_text())
    return python


def tools_env() -> dict[str, str]:
    """Environment of a worker: telemetry off."""
    return {**os.environ, **_QUIET}


def _run(*command: str) -> None:
    subprocess.run(command, check=True)  # noqa: S603 - our own commands
