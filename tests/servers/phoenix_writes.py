"""Run by an interpreter that has Phoenix: send one exchange by OpenTelemetry's exporter, and write what its server has.

python phoenix_writes.py BASE_URL FOLDER
"""

import json
import sys
import time
import urllib.request
from pathlib import Path

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from phoenix.client import Client

PROJECT = "judgefleet"
SPANS: dict[str, dict[str, str | int | float]] = {
    "retrieve": {
        "openinference.span.kind": "RETRIEVER",
        "input.value": "Refund window?",
        "retrieval.documents.0.document.id": "d1",
        "retrieval.documents.0.document.content": "Refunds within 30 days.",
        "retrieval.documents.0.document.score": 0.9,
    },
    "lookup": {
        "openinference.span.kind": "TOOL",
        "tool.name": "lookup",
        "input.value": '{"k":1}',
        "output.value": "2",
    },
    "llm": {
        "openinference.span.kind": "LLM",
        "llm.model_name": "tiny",
        "llm.input_messages.0.message.role": "system",
        "llm.input_messages.0.message.content": "Answer from the context.",
        "llm.input_messages.1.message.role": "user",
        "llm.input_messages.1.message.content": "Refund window?",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": "30 days.",
        "llm.token_count.prompt": 21,
        "llm.token_count.completion": 9,
    },
}


def traced(url: str) -> str:
    """A chain that retrieves, calls a tool and answers; returns the trace's id."""
    provider = TracerProvider(resource=Resource({"openinference.project.name": PROJECT}))
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces")))
    tracer = provider.get_tracer("judgefleet")
    asked = {"openinference.span.kind": "CHAIN", "session.id": "s1", "input.value": "Refund window?"}
    with tracer.start_as_current_span("chain", attributes=asked | {"output.value": "30 days."}) as root:
        for name, attributes in SPANS.items():
            with tracer.start_as_current_span(name, attributes=attributes):
                pass
        trace_id = root.get_span_context().trace_id
    provider.shutdown()
    return f"{trace_id:032x}"


def main() -> None:
    """Writes ``rest.json``, ``otlp.json`` and ``spans.parquet``: the trace by every way out of Phoenix."""
    url, folder = sys.argv[1], Path(sys.argv[2])
    trace_id = traced(url)
    client, until = Client(base_url=url), time.monotonic() + 60
    while len(_ours(_rest(f"{url}/v1/projects/{PROJECT}/spans"), trace_id)) < len(SPANS) + 1:
        if time.monotonic() > until:
            raise SystemExit(f"the server does not have trace {trace_id}")
        time.sleep(0.5)
    for name, path in (("rest.json", "spans"), ("otlp.json", "spans/otlpv1")):
        (folder / name).write_text(json.dumps(_rest(f"{url}/v1/projects/{PROJECT}/{path}")))
    client.spans.get_spans_dataframe(project_identifier=PROJECT).to_parquet(folder / "spans.parquet")
    print(trace_id)  # noqa: T201 - the answer to whoever runs it


def _rest(url: str) -> dict[str, list[dict[str, object]]]:
    try:
        with urllib.request.urlopen(f"{url}?limit=100") as answer:
            found: dict[str, list[dict[str, object]]] = json.load(answer)
            return found
    except urllib.error.HTTPError:
        return {"data": []}


def _ours(found: dict[str, list[dict[str, object]]], trace_id: str) -> list[dict[str, object]]:
    return [span for span in found["data"] if trace_id in json.dumps(span)]


if __name__ == "__main__":
    main()
