from typing import Any

import pytest

from judgefleet.errors import ConfigError
from judgefleet.score import Status
from judgefleet.scorer import Direction, ScorerKind
from judges.catalogue import create_scorer

FINISH, STATUS = "gen_ai.response.finish_reasons", "otel.status_code"


@pytest.mark.parametrize(
    ("attributes", "output", "value", "reason"),
    [
        ({STATUS: "ERROR"}, None, 1.0, "otel.status_code is ERROR"),
        (
            {STATUS: "ERROR", "otel.status_description": "the engine is gone"},
            None,
            1.0,
            "otel.status_code is ERROR: 'the engine is gone'",
        ),
        ({STATUS: "ERROR"}, "half an ans", 1.0, "otel.status_code is ERROR"),
        ({STATUS: "OK"}, None, 0.0, "otel.status_code is OK"),
        ({STATUS: "OK", "error.type": "retried"}, "Yes.", 0.0, "otel.status_code is OK"),
        ({STATUS: "OK", "http.response.status_code": "500"}, "Yes.", 0.0, "otel.status_code is OK"),
        ({STATUS: "OK", "finish_reason": "error"}, "Yes.", 0.0, "otel.status_code is OK"),
        ({STATUS: "ERROR", "finish_reason": "error"}, None, 1.0, "otel.status_code is ERROR"),
        ({STATUS: "2"}, None, 1.0, "otel.status_code is ERROR"),
        ({STATUS: "1", "error.type": "retried"}, None, 0.0, "otel.status_code is OK"),
        ({"status_code": "2"}, None, 1.0, "status_code is ERROR"),
        ({"status_code": "2.0"}, "Yes.", 1.0, "status_code is ERROR"),
        ({"status_code": "StatusCode.ERROR"}, None, 1.0, "status_code is ERROR"),
        ({"status": "error"}, None, 1.0, "status is ERROR"),
        ({"status": "ok", "error.type": "timeout"}, None, 1.0, "error.type is 'timeout'"),
        ({"status_code": "STATUS_CODE_ERROR"}, None, 1.0, "status_code is ERROR"),
        ({"status_code": "UNSET"}, "Yes.", 0.0, "no sign of an error, and an answer of 4 characters"),
        ({"langfuse.observation.level": "ERROR"}, None, 1.0, "langfuse.observation.level is ERROR"),
        ({"level": "error"}, "Yes.", 1.0, "level is ERROR"),
        ({"level": "DEFAULT"}, "Yes.", 0.0, "no sign of an error, and an answer of 4 characters"),
        ({"error.type": "timeout"}, None, 1.0, "error.type is 'timeout'"),
        ({"error.type": "500"}, "", 1.0, "error.type is '500'"),
        ({"error": "true"}, None, 1.0, "error is 'true'"),
        ({"error": '{"code":429}'}, None, 1.0, "error is '{\"code\":429}'"),
        ({"error": "false"}, "Yes.", 0.0, "no sign of an error, and an answer of 4 characters"),
        ({"error": "null"}, "Yes.", 0.0, "no sign of an error, and an answer of 4 characters"),
        ({"error": "0.0"}, "Yes.", 0.0, "no sign of an error, and an answer of 4 characters"),
        ({"error": "-0"}, "Yes.", 0.0, "no sign of an error, and an answer of 4 characters"),
        ({"error": "NaN"}, "Yes.", 0.0, "no sign of an error, and an answer of 4 characters"),
        ({"error": "0.5"}, "Yes.", 1.0, "error is '0.5'"),
        ({"exception.type": "ConnectError"}, None, 1.0, "exception.type is 'ConnectError'"),
        ({"http.response.status_code": "429"}, None, 1.0, "http.response.status_code is 429"),
        ({"http.response.status_code": "399"}, None, 0.0, "http.response.status_code is 399"),
        ({"http.status_code": "503"}, None, 1.0, "http.status_code is 503"),
        ({"status_code": "200"}, None, 0.0, "status_code is 200"),
        ({"http.status_code": "0"}, "Yes.", 0.0, "no sign of an error, and an answer of 4 characters"),
        ({"http.status_code": "0", "status_code": "503"}, None, 1.0, "status_code is 503"),
        ({"http.status_code": "1000"}, "Yes.", 0.0, "no sign of an error, and an answer of 4 characters"),
        ({"http.status_code": "fine"}, "Yes.", 0.0, "no sign of an error, and an answer of 4 characters"),
        ({FINISH: '["error"]'}, None, 1.0, f"{FINISH} is 'error'"),
        ({FINISH: '["stop"]'}, "Yes.", 0.0, f"no sign of an error, and {FINISH} is '[\"stop\"]'"),
        ({FINISH: '["length"]'}, "Yes", 0.0, f"no sign of an error, and {FINISH} is '[\"length\"]'"),
        ({FINISH: '["tool_call"]'}, None, 0.0, f"no sign of an error, and {FINISH} is '[\"tool_call\"]'"),
        ({"finish_reason": "error"}, "Yes", 1.0, "finish_reason is 'error'"),
        ({}, "", 0.0, "no sign of an error, and an answer of 0 characters"),
    ],
)
def test_cases(run: Any, attributes: dict[str, str], output: str | None, value: float, reason: str) -> None:
    found = run("error", output=output, attributes=attributes)["error"]
    assert (found.value, found.reason, found.label) == (value, reason, None)


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"http.status_code": "0"},
        {"http.response.status_code": "2"},
        {"http.status_code": "1"},
        {"status_code": "0"},
        {"status": "2"},
        {"status": "done"},
    ],
)
def test_neither_answer_nor_status_is_not_applicable(run: Any, attributes: dict[str, str]) -> None:
    found = run("error", attributes=attributes)["error"]
    assert (found.status, found.value) == (Status.NOT_APPLICABLE, None)
    assert "nobody knows" in found.reason


@pytest.mark.parametrize(
    ("options", "attributes", "value"),
    [
        ({"finish_reasons": ["length"]}, {FINISH: '["length"]', STATUS: "OK"}, 1.0),
        ({"finish_reasons": ["length"]}, {FINISH: '["stop","length"]'}, 1.0),
        ({"finish_reasons": ["content_filter"]}, {"llm.finish_reason": "content_filter"}, 1.0),
        ({"finish_reasons": []}, {FINISH: '["error"]'}, 0.0),
        ({"finish_reasons": ["error", "length"]}, {FINISH: '["error"]', STATUS: "OK"}, 0.0),
        ({"finish_reasons": ["error", "length"]}, {FINISH: '["error","length"]', STATUS: "OK"}, 1.0),
        ({"http_from": 500}, {"http.status_code": "404"}, 0.0),
        ({"http_from": 500}, {"http.status_code": "500"}, 1.0),
        ({"attributes": ["failed"]}, {"failed": "yes"}, 1.0),
        ({"attributes": ["failed"]}, {"error.type": "timeout"}, 0.0),
    ],
)
def test_options_decide(run: Any, options: dict[str, Any], attributes: dict[str, str], value: float) -> None:
    assert run("error", options, output="Yes.", attributes=attributes)["error"].value == value


@pytest.mark.parametrize(
    "text", ["", "\x00\ud800", "[" * 1_000_000, "[1, 2", "x" * 1_000_000, '{"a": "[', " " * 1_000_000, "[[[[]]]]"]
)
def test_hostile_attributes_end_in_a_row_with_a_reason(run: Any, text: str) -> None:
    for name in (FINISH, STATUS, "level", "error", "http.status_code"):
        found = run("error", output="Yes.", attributes={name: text})["error"]
        assert found.status is Status.OK
        assert 0 < len(found.reason) < 400
        found.reason.encode()


def test_what_it_says_about_itself() -> None:
    info = create_scorer("error").info
    assert (info.kind, info.direction, info.needs) == (ScorerKind.CODE, Direction.LOWER, frozenset())
    assert info.fingerprint != create_scorer("error", None, {"http_from": 500}).info.fingerprint


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"http_from": 99}, "http_from: found 99"),
        ({"finish_reasons": "length"}, "finish_reasons: found 'length'"),
        ({"finish_reason": []}, "did you mean 'finish_reasons'"),
        ({"attributes": [1]}, "attributes.0: found 1"),
    ],
)
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create_scorer("error", None, options)
