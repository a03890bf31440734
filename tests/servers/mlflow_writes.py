"""Run by an interpreter that has MLflow: trace one exchange with its SDK, and write what its server has of it.

python mlflow_writes.py TRACKING_URI FOLDER
"""

import json
import sys
import time
from pathlib import Path

import mlflow
from mlflow.entities import SpanType
from mlflow.tracing.otel.otel_archival import spans_to_traces_data_pb

TURNS = [{"role": "system", "content": "Answer from the context."}, {"role": "user", "content": "Refund window?"}]
ANSWER = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "30 days."}}]}


def traced() -> str:
    """An agent that retrieves, calls a tool and answers; returns the trace's id."""
    with mlflow.start_span(name="agent", span_type=SpanType.AGENT) as root:
        root.set_inputs({"question": "Refund window?"})
        mlflow.update_current_trace(metadata={"mlflow.trace.session": "s1"})
        with mlflow.start_span(name="retrieve", span_type=SpanType.RETRIEVER) as span:
            span.set_inputs({"query": "Refund window?"})
            span.set_outputs([{"page_content": "Refunds within 30 days.", "metadata": {"doc_uri": "d1"}}])
        with mlflow.start_span(name="lookup", span_type=SpanType.TOOL) as span:
            span.set_inputs({"k": 1})
            span.set_outputs(2)
        with mlflow.start_span(name="llm", span_type=SpanType.CHAT_MODEL) as span:
            span.set_inputs({"model": "tiny", "messages": TURNS})
            span.set_outputs(ANSWER)
            usage = {"input_tokens": 21, "output_tokens": 9, "total_tokens": 30}
            span.set_attribute("mlflow.chat.tokenUsage", usage)
        root.set_outputs("30 days.")
        return str(root.trace_id)


def main() -> None:
    """Writes ``traces.pb`` as the archive does, ``traces.json`` as artifacts do, ``trace.json`` as the SDK does."""
    mlflow.set_tracking_uri(sys.argv[1])
    mlflow.set_experiment("judgefleet")
    trace_id = traced()
    mlflow.flush_trace_async_logging()
    folder, until = Path(sys.argv[2]), time.monotonic() + 60
    while (found := mlflow.get_trace(trace_id)) is None or len(found.data.spans) < 4:
        if time.monotonic() > until:
            raise SystemExit(f"the server does not have trace {trace_id}")
        time.sleep(0.5)
    (folder / "traces.pb").write_bytes(spans_to_traces_data_pb(found.data.spans))
    (folder / "traces.json").write_text(json.dumps(found.data.to_dict(), default=str))
    (folder / "trace.json").write_text(found.to_json())
    print(trace_id)  # noqa: T201 - the answer to whoever runs it


if __name__ == "__main__":
    main()
