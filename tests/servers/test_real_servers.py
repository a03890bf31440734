"""What real servers and exporters wrote comes back as the same trace.

MLflow and Phoenix are large, so their servers run where an interpreter that has them is named:
JUDGEFLEET_MLFLOW_PYTHON, JUDGEFLEET_PHOENIX_PYTHON. OpenTelemetry's exporter is here, and always run.
"""

import gzip
import os
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from judgefleet.trace import Message, ToolCall, Trace, Usage
from judgefleet.traces import ReadOptions, read_object
from judgefleet.traces.reader import read_parts
from judgefleet.traces.span import Span
from judgefleet.traces.spans import trace_of
from tests.judgefleet.dialect_spans import ANSWERED, ASKED, FOUND, OPENINFERENCE

HERE = Path(__file__).parent
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}


def check(found: Trace, trace_id: str) -> None:
    assert found.trace_id == trace_id
    assert [(turn.role, turn.content) for turn in found.messages] == [
        ("system", "Answer from the context."),
        ("user", ASKED),
    ]
    assert (found.output, found.contexts) == (ANSWERED, (FOUND,))
    assert found.usage == Usage(input_tokens=21, output_tokens=9)
    assert found.tool_calls == (ToolCall(name="lookup", arguments='{"k":1}', result="2"),)
    assert found.started_at is not None
    assert 0 <= time.time() - found.started_at.timestamp() < 600
    assert found.latency.total_ms is not None


def one(path: Path) -> Trace:
    found = [item for item in read_object(str(path)) if isinstance(item, Trace)]
    assert len(found) == 1, list(read_object(str(path)))
    return found[0]


@contextmanager
def server(command: list[str], health: str, env: dict[str, str], log: Path) -> Iterator[None]:
    """A server that answers at ``health``."""
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=os.environ | env)
    try:
        until = time.monotonic() + 240
        while not _answers(health):
            assert process.poll() is None, log.read_text()[-2000:]
            assert time.monotonic() < until, log.read_text()[-2000:]
            time.sleep(0.5)
        yield
    finally:
        process.terminate()
        process.wait(30)


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def interpreter() -> Callable[[str], str]:
    def found(name: str) -> str:
        return os.environ.get(name) or pytest.skip(f"{name} names no interpreter that has the server")

    return found


def written(python: str, script: str, url: str, folder: Path) -> str:
    """The id of the trace that the script sent."""
    command = [python, str(HERE / script), url, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | QUIET, timeout=240)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.split()[-1].removeprefix("tr-")


@pytest.mark.slow
def test_mlflow(tmp_path: Path, interpreter: Callable[[str], str]) -> None:
    python, port = interpreter("JUDGEFLEET_MLFLOW_PYTHON"), free_port()
    where = [f"--backend-store-uri=sqlite:///{tmp_path}/mlflow.db", f"--artifacts-destination={tmp_path}/artifacts"]
    command = [python, "-m", "mlflow", "server", "--host=127.0.0.1", f"--port={port}", "--workers=1", *where]
    url = f"http://127.0.0.1:{port}"
    with server(command, f"{url}/health", QUIET, tmp_path / "log"):
        trace_id = written(python, "mlflow_writes.py", url, tmp_path)
    for name in ("traces.pb", "traces.json", "trace.json"):
        check(one(tmp_path / name), trace_id)
    assert one(tmp_path / "trace.json").conversation_id == "s1"


@pytest.mark.slow
def test_phoenix(tmp_path: Path, interpreter: Callable[[str], str]) -> None:
    python, port = interpreter("JUDGEFLEET_PHOENIX_PYTHON"), free_port()
    env = {
        "PHOENIX_WORKING_DIR": str(tmp_path / "phoenix"),
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(free_port()),
        "PHOENIX_TELEMETRY_ENABLED": "false",
        "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
    }
    url = f"http://127.0.0.1:{port}"
    with server([python, "-m", "phoenix.server.main", "serve"], f"{url}/healthz", env, tmp_path / "log"):
        trace_id = written(python, "phoenix_writes.py", url, tmp_path)
    for name in ("rest.json", "otlp.json", "spans.parquet"):
        found = one(tmp_path / name)
        check(found, trace_id)
        assert found.conversation_id == "s1"


class _Receiver(BaseHTTPRequestHandler):
    bodies: list[bytes]

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[bytes]]]:
    """Where an exporter may send to, and what came."""
    found = HTTPServer(("127.0.0.1", 0), _Receiver)
    found.bodies = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=found.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{found.server_port}", found.bodies  # type: ignore[attr-defined]
    found.shutdown()
    found.server_close()


def test_opentelemetrys_exporter(tmp_path: Path, receiver: tuple[str, list[bytes]]) -> None:
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    url, bodies = receiver
    provider = TracerProvider(resource=Resource({"service.name": "helpdesk"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(url, compression=Compression.Gzip)))
    tracer = provider.get_tracer("t")
    with tracer.start_as_current_span("chain", attributes=OPENINFERENCE[0]) as root:
        for name, attributes in zip(("retrieve", "lookup", "llm"), OPENINFERENCE[1:], strict=True):
            tracer.start_span(name, attributes=attributes).end()
    provider.shutdown()
    (tmp_path / "traces").write_bytes(bodies[0])
    assert gzip.decompress(bodies[0])
    found = one(tmp_path / "traces")
    check(found, f"{root.get_span_context().trace_id:032x}")
    assert (found.service, found.conversation_id) == ("helpdesk", "s1")
    assert found.messages[0] == Message(role="system", content="Answer from the context.")


def test_content_that_opentelemetrys_exporter_sends_as_log_records(receiver: tuple[str, list[bytes]]) -> None:
    from opentelemetry._logs import LogRecord
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    url, bodies = receiver
    spans, records = TracerProvider(), LoggerProvider()
    spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(url)))
    records.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(url)))
    logger = records.get_logger("t")
    with spans.get_tracer("t").start_as_current_span("chat m", attributes={"gen_ai.operation.name": "chat"}):
        logger.emit(LogRecord(event_name="gen_ai.user.message", body={"content": ASKED}))
        message = {"role": "assistant", "content": ANSWERED}
        logger.emit(LogRecord(event_name="gen_ai.choice", body={"index": 0, "message": message}))
        logger.emit(LogRecord(body="a line for the operators"))
    records.shutdown()
    spans.shutdown()
    parts = [part for number, body in enumerate(bodies) for part in read_parts(f"{number}", body)]
    assert [part.of_log for part in parts if isinstance(part, Span)] == [True, True, False]
    found = trace_of([part for part in parts if isinstance(part, Span)], "o", ReadOptions())
    assert isinstance(found, Trace)
    assert (found.question, found.output) == (ASKED, ANSWERED)
