"""What an answering span leaves to log records, as OTLP has it in JSON and in protobuf. Used by several tests."""

import base64
import copy
import json
from typing import Any

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData

from tests.judgefleet.dialect_spans import TRACE_ID, WRITTEN

SPANS, EVENTS = WRITTEN["message events"]
ANSWERING = f"{4:016x}"
AT = 1_795_331_800_500_000_000


def value(found: Any) -> dict[str, Any]:
    if isinstance(found, dict):
        return {"kvlistValue": {"values": pairs(found)}}
    return {"intValue" if isinstance(found, int) else "stringValue": found}


def pairs(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value(inner)} for key, inner in found.items()]


def record(number: int, name: str, body: Any = None, **more: Any) -> dict[str, Any]:
    """A record about the answering span, a nanosecond after the one before it."""
    here = {"traceId": TRACE_ID, "spanId": ANSWERING, "timeUnixNano": str(AT + number), "eventName": name}
    return here | ({} if body is None else {"body": value(body)}) | more


def logs(*records: dict[str, Any]) -> dict[str, Any]:
    return {"resourceLogs": [{"scopeLogs": [{"scope": {}, "logRecords": list(records)}]}]}


def as_json(found: dict[str, Any]) -> bytes:
    return json.dumps(found).encode()


def as_proto(found: dict[str, Any]) -> bytes:
    """Protobuf's own JSON has ids in base64, OTLP's in hex."""
    found = copy.deepcopy(found)
    for each in found["resourceLogs"][0]["scopeLogs"][0]["logRecords"]:
        each.update({k: base64.b64encode(bytes.fromhex(each[k])).decode() for k in ("traceId", "spanId") if k in each})
    return bytes(ParseDict(found, LogsData()).SerializeToString())


MESSAGES = [
    record(number, name, json.loads(v) if (v := attributes.get("message")) else attributes)
    | ({"body": value({"index": 0, "message": json.loads(v)})} if v else {})
    for number, (name, attributes) in enumerate(EVENTS)
]
