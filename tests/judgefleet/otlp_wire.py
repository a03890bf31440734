"""OTLP/JSON as protobuf, through the official package."""

import base64
import copy
from typing import Any

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

_IDS = ("traceId", "spanId", "parentSpanId")


def message(document: dict[str, Any]) -> TracesData:
    """The document as a message; protobuf's own JSON has ids in base64, OTLP's in hex."""
    with_ids = copy.deepcopy(document)
    for group in with_ids["resourceSpans"]:
        for span in (span for scope in group["scopeSpans"] for span in scope["spans"]):
            span.update({k: base64.b64encode(bytes.fromhex(span[k])).decode() for k in _IDS if span.get(k)})
    found = TracesData()
    ParseDict(with_ids, found)
    return found


def framed(*messages: bytes) -> bytes:
    """Each behind its length."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in messages)
