import json
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from judgefleet.errors import ConfigError
from judgefleet.sample import Sample
from judgefleet.score import Status
from judgefleet.scorer import Need, missing_need
from judgefleet.trace import ToolCall, Trace
from judges.catalogue import create_scorer

ORDER = {"type": "integer", "minimum": 1}
TRACK = {"type": "object", "required": ["order"], "properties": {"order": ORDER}, "additionalProperties": False}
REFUND = {
    "type": "object",
    "required": ["order", "amount"],
    "properties": {
        "order": ORDER,
        "amount": {"type": "number", "exclusiveMinimum": 0},
        "method": {"enum": ["card", "credit"]},
        "note": {"type": "string", "pattern": "^[^<>]*$", "maxLength": 20},
    },
}
TOOLS: dict[str, Any] = {"track": TRACK, "refund": REFUND, "hours": {"type": "object", "maxProperties": 0}}
OPENAI = [{"type": "function", "function": {"name": n, "description": n, "parameters": s}} for n, s in TOOLS.items()]


def calls(*given: tuple[str, str]) -> tuple[ToolCall, ...]:
    return tuple(ToolCall(name=name, arguments=arguments) for name, arguments in given)


@pytest.mark.parametrize(
    ("given", "label", "reason"),
    [
        ([("track", '{"order": 44310}')], "pass", "1 call, as the schemas want: track"),
        ([("track", '{"order": 1}')] * 3, "pass", "3 calls, as the schemas want: track 3 times"),
        ([("track", ' {"order": 1.0} ')], "pass", "1 call, as the schemas want: track"),
        ([("refund", '{"order": 7, "amount": 9.5, "method": "card"}')], "pass", "1 call, as the schemas want: refund"),
        ([("hours", "")], "pass", "1 call, as the schemas want: hours"),
        ([("hours", " \n"), ("track", '{"order": 2}')], "pass", "2 calls, as the schemas want: hours, track"),
        ([("hours", "{}")], "pass", "1 call, as the schemas want: hours"),
        ([("track", "")], "fail", "call 1 (track): $: 'order' is a required property"),
        ([("track", '{"order": "44310"}')], "fail", "call 1 (track): $.order: '44310' is not of type 'integer'"),
        ([("track", '{"order": true}')], "fail", "call 1 (track): $.order: True is not of type 'integer'"),
        ([("track", '{"order": 0}')], "fail", "call 1 (track): $.order: 0 is less than the minimum of 1"),
        ([("track", '{"order": 1, "to": "x"}')], "fail", "call 1 (track): $: Additional properties are not allowed"),
        ([("track", '{"order": 1')], "fail", "call 1 (track): the arguments are not JSON: Expecting ',' delimiter"),
        ([("track", "order=1")], "fail", "call 1 (track): the arguments are not JSON: Expecting value"),
        ([("track", '{"order": NaN}')], "fail", "call 1 (track): the arguments are not JSON: NaN is not JSON"),
        ([("track", '"{\\"order\\": 1}"')], "fail", "is not of type 'object'"),
        ([("track", "[1]")], "fail", "call 1 (track): $: [1] is not of type 'object'"),
        ([("hours", '{"day": 1}')], "fail", "call 1 (hours): $: "),
        ([("refund", '{"order": 7, "amount": 0}')], "fail", "call 1 (refund): $.amount: 0 is less than or equal to"),
        (
            [("refund", '{"order": 7, "amount": 1, "method": "cash"}')],
            "fail",
            "'cash' is not one of ['card', 'credit']",
        ),
        ([("refund", '{"order": 7, "amount": 1, "note": "<b>"}')], "fail", "'<b>' does not match"),
        ([("trak", "{}")], "fail", "call 1 (trak): no such tool; did you mean 'track'? allowed: hours, refund, track"),
        ([("", "{}")], "fail", "call 1 (): no such tool; allowed: hours, refund, track"),
        ([("Track", '{"order": 1}')], "fail", "call 1 (Track): no such tool; did you mean 'track'?"),
        ([("track", '{"order": 1}'), ("track", "{}")], "fail", "call 2 (track): $: 'order' is a required property"),
        ([("track", "{}"), ("a", "")], "fail", "call 1 (track): $: 'order' is a required property (and 1 more)"),
    ],
)
@pytest.mark.parametrize("tools", [TOOLS, OPENAI], ids=["mapping", "openai"])
def test_calls(run: Any, tools: object, given: Sequence[tuple[str, str]], label: str, reason: str) -> None:
    outcome = run("tool_call_arguments", None, {"tools": tools}, tool_calls=calls(*given))
    assert (outcome.label, outcome.value) == (label, float(label == "pass"))
    assert reason in outcome.reason


GOOD_TRACK, GOOD_REFUND = ("track", '{"order": 1}'), ("refund", '{"order": 1, "amount": 5}')


@pytest.mark.parametrize(
    ("options", "given", "label", "reason"),
    [
        ({"required": ["track"]}, [GOOD_TRACK], "pass", "1 call"),
        ({"required": ["track", "refund"]}, [GOOD_TRACK], "fail", "'refund' is required and was not called"),
        ({"required": ["track"]}, [], "fail", "'track' is required and was not called"),
        ({"required": ["track"]}, [("track", "{}")], "fail", "'order' is a required property"),
        ({"forbidden": ["refund"]}, [GOOD_TRACK], "pass", "1 call"),
        ({"forbidden": ["refund"]}, [GOOD_TRACK, GOOD_REFUND], "fail", "call 2 (refund): a forbidden tool"),
        ({"max_calls": 2}, [GOOD_TRACK] * 2, "pass", "2 calls"),
        ({"max_calls": 2}, [GOOD_TRACK] * 3, "fail", "found 3 calls, allowed: at most 2"),
        ({"max_calls": 0}, [GOOD_TRACK], "fail", "found 1 calls, allowed: at most 0"),
    ],
)
def test_all_calls_together(
    run: Any, options: dict[str, object], given: Sequence[tuple[str, str]], label: str, reason: str
) -> None:
    outcome = run("tool_call_arguments", None, {"tools": TOOLS} | options, tool_calls=calls(*given))
    assert outcome.label == label
    assert reason in outcome.reason


def test_a_trace_without_calls_is_not_applicable_unless_calls_are_required(run: Any) -> None:
    free = create_scorer("tool_call_arguments", None, {"tools": TOOLS})
    bound = create_scorer("tool_call_arguments", None, {"tools": TOOLS, "required": ["track"]})
    sample = Sample(trace=Trace(trace_id="t"), stratum="all", inclusion_probability=1.0, plan_hash="p")
    assert free.info.needs == {Need.TOOL_CALLS}
    assert missing_need(free.info, sample) == "the trace has no tool calls"
    assert missing_need(bound.info, sample) is None
    assert run("tool_call_arguments", "hi", {"tools": TOOLS}).status is Status.NOT_APPLICABLE


@pytest.mark.parametrize(
    "tools",
    [
        [{"type": "function", "name": "track", "parameters": TRACK}],
        [{"name": "track", "parameters": TRACK}],
        [{"function": {"name": "track", "parameters": TRACK, "strict": True}}],
        [{"name": "track", "description": "Where it is.", "input_schema": TRACK}],
        [{"type": "custom", "name": "track", "input_schema": TRACK}],
        [{"name": "track", "title": "Track", "inputSchema": TRACK, "outputSchema": {"type": "string"}}],
        {"track": TRACK | {"parameters": {"type": "string"}}},
    ],
)
def test_other_forms_of_the_list(run: Any, tools: object) -> None:
    assert run("tool_call_arguments", None, {"tools": tools}, tool_calls=calls(GOOD_TRACK)).label == "pass"
    assert run("tool_call_arguments", None, {"tools": tools}, tool_calls=calls(("track", "{}"))).label == "fail"


def test_a_function_without_parameters_takes_none(run: Any) -> None:
    tools = [{"type": "function", "function": {"name": "hours"}}]
    assert run("tool_call_arguments", None, {"tools": tools}, tool_calls=calls(("hours", "{}"))).label == "pass"
    assert run("tool_call_arguments", None, {"tools": tools}, tool_calls=calls(("hours", '{"a": 1}'))).label == "fail"


@pytest.mark.parametrize("tools", [TOOLS, OPENAI])
def test_tools_from_a_file(run: Any, tmp_path: Path, tools: object) -> None:
    path = tmp_path / "tools.json"
    path.write_text(json.dumps(tools), encoding="utf-8")
    options = {"tools": str(path)}
    assert run("tool_call_arguments", None, options, tool_calls=calls(GOOD_TRACK)).label == "pass"
    inline = create_scorer("tool_call_arguments", "t", {"tools": TOOLS}).info.fingerprint
    assert create_scorer("tool_call_arguments", "t", options).info.fingerprint == inline
    path.write_text('{"track": {}}', encoding="utf-8")
    assert create_scorer("tool_call_arguments", "t", options).info.fingerprint != inline


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "tools: is missing"),
        ({"tools": {}}, "found no tools"),
        ({"tools": []}, "found no tools"),
        ({"tools": "no/such/tools.json"}, "cannot be read as JSON"),
        ({"tools": {"track": "object"}}, "tools"),
        ({"tools": [{"type": "retrieval", "name": "x"}]}, "found .*retrieval.* in the list; allowed"),
        ({"tools": [{"type": "function", "function": {}}]}, "in the list; allowed"),
        ({"tools": [{"type": "function", "function": "track"}]}, "in the list; allowed"),
        ({"tools": [{"name": "track", "parameters": 5}]}, "found a value of type int as the schema of 'track'"),
        ({"tools": [{"name": "track", "input_schema": 5}]}, "found a value of type int as the schema of 'track'"),
        ({"tools": [{"type": "custom", "name": "code"}]}, "found .*custom.* in the list; allowed"),
        ({"tools": [{"type": "web_search", "name": "search"}]}, "found .*web_search.* in the list; allowed"),
        ({"tools": {"track": {"description": "Where.", "parameters": TRACK}}}, "a whole tool as the schema of 'track'"),
        ({"tools": {"track": {"name": "track", "input_schema": TRACK}}}, "give the schema of its arguments alone"),
        ({"tools": {"track": {"inputSchema": TRACK}}}, "or the tools as a list"),
        ({"tools": {"track": OPENAI[0]}}, "a whole tool as the schema of 'track'"),
        ({"tools": [{"name": "track", "parameters": {"parameters": TRACK}}]}, "a whole tool as the schema of 'track'"),
        ({"tools": [*OPENAI, OPENAI[0]]}, "the tool 'track' stands twice"),
        ({"tools": {"track": {"type": "objct"}}}, "tools: 'track': .*not JSON Schema"),
        ({"tools": {"track": {"$ref": "https://example.org/s.json"}}}, "'track': .*only references inside"),
        ({"tools": {"track": {"properties": {"a": {"$ref": "#/nope"}}}}}, "'track': found a reference to '#/nope'"),
        ({"tools": TOOLS, "required": ["trak"]}, "no tool 'trak'; did you mean 'track'"),
        ({"tools": TOOLS, "forbidden": ["delete"]}, "no tool 'delete'"),
        ({"tools": TOOLS, "required": ["track"], "forbidden": ["track"]}, "'track' is required and forbidden"),
        ({"tools": TOOLS, "required": ["track", "refund"], "max_calls": 1}, "leaves no room"),
        ({"tools": TOOLS, "max_calls": -1}, "max_calls"),
        ({"tools": TOOLS, "require": ["track"]}, "unknown key 'require'; did you mean 'required'"),
    ],
)
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create_scorer("tool_call_arguments", None, options)


@pytest.mark.parametrize("text", ["5", '{"tools": 1}', "{", "null"])
def test_bad_files(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tools.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"tools\.json"):
        create_scorer("tool_call_arguments", None, {"tools": str(path)})


@pytest.mark.parametrize(
    "arguments",
    [
        "[" * 1_000_000,
        '{"order": ' + "1" * 1_000_000 + "}",
        '{"order": "' + "a" * 1_000_000 + '"}',
        "\x00" * 1000,
        '{"order": "\ud800"}',
        "{" * 50 + "}" * 50,
        '{"a":' * 101 + "1" + "}" * 101,
        "\u202e{}",
    ],
)
def test_hostile_arguments(run: Any, arguments: str) -> None:
    outcome = run("tool_call_arguments", None, {"tools": TOOLS}, tool_calls=calls(("track", arguments)))
    assert outcome.status is Status.OK
    assert len(outcome.reason) <= 310
    outcome.reason.encode("utf-8")


def test_hostile_names_and_many_calls(run: Any) -> None:
    for name in ("x" * 1_000_000, "\x00", "\ud800", "track\n"):
        outcome = run("tool_call_arguments", None, {"tools": TOOLS}, tool_calls=calls((name, "{}")))
        assert outcome.label == "fail"
        outcome.reason.encode("utf-8")
    many = calls(*[("track", "{}")] * 20_000)
    assert "(and 19999 more)" in run("tool_call_arguments", None, {"tools": TOOLS}, tool_calls=many).reason


def test_a_pattern_that_takes_too_long_is_a_timeout(run: Any) -> None:
    tools = {"find": {"properties": {"text": {"pattern": "(a+)+$"}}}}
    given = calls(("find", json.dumps({"text": "a" * 5000 + "b"})))
    outcome = run("tool_call_arguments", None, {"tools": tools}, tool_calls=given)
    assert (outcome.status, outcome.value) == (Status.TIMEOUT, None)


def test_a_recursive_schema_and_deep_arguments(run: Any) -> None:
    tools = {"find": {"type": ["array", "object"], "items": {"$ref": "#"}}}
    given = calls(("find", "[" * 100 + "]" * 100))
    assert run("tool_call_arguments", None, {"tools": tools}, tool_calls=given).label == "pass"


def test_it_travels_to_another_process(run: Any) -> None:
    scorer = create_scorer("tool_call_arguments", None, {"tools": OPENAI})
    twin = pickle.loads(pickle.dumps(scorer))
    trace = Trace(trace_id="t", tool_calls=calls(("track", "{}")))
    sample = Sample(trace=trace, stratum="all", inclusion_probability=1.0, plan_hash="p")
    assert twin.info == scorer.info
    assert twin.score([sample]) == scorer.score([sample])
