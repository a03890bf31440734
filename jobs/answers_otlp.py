"""Answers as OTLP/JSON traces with the OpenTelemetry GenAI attributes, laid out as the Collector's S3 exporter does.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding and
https://github.com/open-telemetry/semantic-conventions-genai
"""

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from jobs.answers_config import AnswersConfig
from jobs.answers_model import Answer
from judgefleet.hashing import canonical_json, stable_hash

_INTERNAL, _CLIENT = 1, 3  # span kinds
_OK = 1  # status code
_UPLOAD_AFTER = timedelta(minutes=5)


def trace_objects(config: AnswersConfig, answers: Sequence[Answer]) -> Iterator[tuple[str, bytes]]:
    """Object key (below ``traces/``) and gzipped OTLP/JSON document, ``traces_per_object`` traces each.

    Ids, start times and keys follow from experiment, item and variant: the same configuration writes the same keys.
    """
    size = config.layout.traces_per_object
    for first in range(0, len(answers), size):
        group = answers[first : first + size]
        spans = [span for i, answer in enumerate(group) for span in spans_of(config, answer, _start(config, first + i))]
        uploaded = _start(config, first + len(group) - 1) + _UPLOAD_AFTER
        yield object_key(config.experiment, uploaded), _packed(_document(config, spans))


def object_key(experiment: str, uploaded: datetime) -> str:
    """The key the exporter's default partition gives (in UTC), with nine digits that follow from the arguments.

    >>> from datetime import UTC
    >>> object_key("demo", datetime(2026, 11, 20, 9, 5, tzinfo=UTC))
    'year=2026/month=11/day=20/hour=09/minute=05/traces_635341655.json.gz'
    """
    digits = int(stable_hash([experiment, uploaded.isoformat()], length=12), 16) % 10**9
    return f"{uploaded.astimezone(UTC):year=%Y/month=%m/day=%d/hour=%H/minute=%M}/traces_{digits:09d}.json.gz"


def spans_of(config: AnswersConfig, answer: Answer, start: datetime) -> list[dict[str, Any]]:
    """The three spans of one answer: the agent's, and below it retrieval and chat, one after the other."""
    request = answer.request
    began = _nanoseconds(start)
    retrieved = began + round(request.retrieval_seconds * 1e9)
    ended = retrieved + round(answer.total_seconds * 1e9)
    identity = [config.experiment, request.item_id, request.variant]
    names = (
        ("invoke_agent", f"invoke_agent {config.service}", _INTERNAL, began, ended, _agent(config, answer)),
        ("retrieval", "retrieval policy", _CLIENT, began, retrieved, _retrieval(config, answer)),
        ("chat", f"chat {config.model}", _CLIENT, retrieved, ended, _chat(config, answer)),
    )
    root = stable_hash([*identity, "invoke_agent"], length=16)
    return [
        {
            "traceId": stable_hash(identity, length=32),
            "spanId": stable_hash([*identity, operation], length=16),
            **({} if operation == "invoke_agent" else {"parentSpanId": root}),
            "name": name,
            "kind": kind,
            "startTimeUnixNano": str(from_ns),
            "endTimeUnixNano": str(to_ns),
            "attributes": _attributes({"gen_ai.operation.name": operation, **attributes}),
            "status": {"code": _OK},
        }
        for operation, name, kind, from_ns, to_ns, attributes in names
    ]


def _agent(config: AnswersConfig, answer: Answer) -> dict[str, Any]:
    return {
        "gen_ai.agent.name": config.service,
        "gen_ai.conversation.id": _conversation(config, answer),
        "feature_flag.key": config.experiment,
        "feature_flag.result.variant": answer.request.variant,
        "judgefleet.item_id": answer.request.item_id,
    }


def _retrieval(config: AnswersConfig, answer: Answer) -> dict[str, Any]:
    documents = [{"id": d.id, "content": d.content, "score": d.score} for d in answer.request.documents]
    return {
        "gen_ai.provider.name": "sentence-transformers",
        "gen_ai.request.model": config.retrieval.model,
        "gen_ai.retrieval.query.text": answer.request.question,
        "gen_ai.retrieval.documents": canonical_json(documents),
    }


def _chat(config: AnswersConfig, answer: Answer) -> dict[str, Any]:
    request, sampling = answer.request, config.sampling
    asked = [{"role": "user", "parts": [_text(turn)]} for turn in request.turns]
    told = {"role": "assistant", "parts": [_text(answer.text)], "finish_reason": answer.finish_reason}
    return {
        "gen_ai.provider.name": "vllm",
        "gen_ai.conversation.id": _conversation(config, answer),
        "gen_ai.request.model": config.model,
        "gen_ai.request.temperature": sampling.temperature,
        "gen_ai.request.top_p": sampling.top_p,
        "gen_ai.request.frequency_penalty": sampling.frequency_penalty,
        "gen_ai.request.max_tokens": sampling.max_tokens,
        "gen_ai.request.stop_sequences": sampling.stop,
        "gen_ai.request.seed": request.seed,
        "gen_ai.response.finish_reasons": [answer.finish_reason],
        "gen_ai.response.time_to_first_chunk": round(answer.ttft_seconds, 6),
        "gen_ai.usage.input_tokens": answer.input_tokens,
        "gen_ai.usage.output_tokens": answer.output_tokens,
        "gen_ai.system_instructions": canonical_json([_text(request.system)]),
        "gen_ai.input.messages": canonical_json(asked),
        "gen_ai.output.messages": canonical_json([told]),
    }


def _text(content: str) -> dict[str, str]:
    return {"type": "text", "content": content}


def _conversation(config: AnswersConfig, answer: Answer) -> str:
    return f"conv_{stable_hash([config.experiment, answer.request.item_id, answer.request.variant, 'talk'], length=16)}"


def _attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in values.items()]


def _value(value: Any) -> dict[str, Any]:
    """An OTLP AnyValue; 64-bit integers are text in OTLP/JSON.

    >>> _value(["stop", 3, 0.5])
    {'arrayValue': {'values': [{'stringValue': 'stop'}, {'intValue': '3'}, {'doubleValue': 0.5}]}}
    """
    match value:
        case str():
            return {"stringValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case _:
            return {"arrayValue": {"values": [_value(item) for item in value]}}


def _document(config: AnswersConfig, spans: list[dict[str, Any]]) -> dict[str, Any]:
    resource = {"service.name": config.service, "deployment.environment.name": config.environment}
    scope = {"scope": {"name": "jobs.answers"}, "spans": spans}
    return {"resourceSpans": [{"resource": {"attributes": _attributes(resource)}, "scopeSpans": [scope]}]}


def _packed(document: dict[str, Any]) -> bytes:
    # mtime=0: the same answers are the same bytes.
    return gzip.compress(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(), mtime=0)


def _start(config: AnswersConfig, position: int) -> datetime:
    return config.layout.first + timedelta(seconds=position * config.layout.spacing_seconds)


def _nanoseconds(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000) * 1000
