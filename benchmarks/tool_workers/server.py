"""vLLM's OpenAI server on this machine, with the settings that judgefleet gives its own engine."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from jobs.config import EngineConfig
from jobs.engines.vllm import engine_env, resolved_dtype

MODEL = "judge"
_START_SECONDS = 300
# The first guided answer compiles what every later one uses.
_WARM_UP = {
    "model": MODEL,
    "max_tokens": 8,
    "messages": [{"role": "user", "content": "Reply with A or B."}],
    "response_format": {"type": "json_schema", "json_schema": {"name": "warm", "schema": {"enum": ["A", "B"]}}},
}


@contextmanager
def model_server(engine: EngineConfig, model: Path, log: Path) -> Iterator[str]:
    """The address of the server, up and warm; it ends with the block. What it says goes to ``log``."""
    port = _free_port()
    # The development mode is what lets the prefix cache be emptied between turns; nobody else can reach the server.
    env = {**os.environ, **engine_env(engine), "VLLM_SERVER_DEV_MODE": "1"}
    command = _command(engine, model, port)
    with log.open("w") as said:
        server = subprocess.Popen(command, env=env, stdout=said, stderr=said)  # noqa: S603 - our own command
    try:
        _wait(server, f"http://127.0.0.1:{port}", log)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=60)


def empty_cache(address: str) -> None:
    """Forget every prefix."""
    httpx.post(f"{address}/reset_prefix_cache", timeout=60).raise_for_status()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _command(engine: EngineConfig, model: Path, port: int) -> list[str]:
    options = {
        "model": model,
        "served-model-name": MODEL,
        "host": "127.0.0.1",
        "port": port,
        "dtype": resolved_dtype(engine),
        "max-model-len": engine.max_model_len,
        "max-num-seqs": engine.max_num_seqs,
        "max-num-batched-tokens": engine.max_num_batched_tokens,
        "block-size": engine.block_size,
    }
    flags = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    server = [sys.executable, "-m", "vllm.entrypoints.openai.api_server"]
    return [*server, *flags, "--enable-prefix-caching", "--enforce-eager"]


def _wait(server: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while server.poll() is None and time.monotonic() < until:
        try:
            httpx.post(f"{address}/v1/chat/completions", json=_WARM_UP, timeout=120).raise_for_status()
        except httpx.ConnectError:
            time.sleep(1)
        else:
            return
    raise SystemExit(f"the server did not come up: {log.read_text()[-2000:]}")
