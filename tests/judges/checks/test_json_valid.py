import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgefleet.errors import ConfigError
from judgefleet.score import Status
from judges.catalogue import create_scorer
from judges.checks.json_text import parse_json

FENCED = 'Here you are:\n```json\n{"a": 1}\n```\nAnything else?'


@pytest.mark.parametrize(
    ("output", "label", "reason"),
    [
        ('{"a": 1}', "pass", "found JSON in the whole output: an object of 1"),
        ("  [1, 2]\n", "pass", "found JSON in the whole output: an array of 2"),
        ('"text"', "pass", "found JSON in the whole output: a string"),
        ("null", "pass", "found JSON in the whole output: null"),
        ("true", "pass", "found JSON in the whole output: true or false"),
        ("-1.5e3", "pass", "found JSON in the whole output: a number"),
        ('"\\ud800"', "pass", "a string"),
        ("1" * 5000, "pass", "a number"),
        ("[" * 100 + "]" * 100, "pass", "an array of 1"),
        ("[" * 101 + "]" * 101, "fail", "not JSON: nested deeper than 100 levels"),
        ('{"a": 1', "fail", "not JSON: Expecting"),
        ("{'a': 1}", "fail", "not JSON: Expecting property name"),
        ("[1,]", "fail", "not JSON: "),
        ('{"a": 1} and more', "fail", "not JSON: Extra data"),
        ("NaN", "fail", "not JSON: NaN is not JSON"),
        ("[-Infinity]", "fail", "not JSON: -Infinity is not JSON"),
        ("\ufeff{}", "fail", "not JSON: "),
        ("", "fail", "not JSON: Expecting value"),
        ("Sure! Here it is.", "fail", "not JSON: Expecting value"),
        (FENCED, "fail", "not JSON: Expecting value"),
    ],
)
def test_whole_output(run: Any, output: str, label: str, reason: str) -> None:
    outcome = run("json_valid", output)
    assert (outcome.label, outcome.value) == (label, 1.0 if label == "pass" else 0.0)
    assert reason in outcome.reason


@pytest.mark.parametrize(
    ("output", "label"),
    [
        (FENCED, "pass"),
        (FENCED.replace("\n", "\r\n"), "pass"),
        ('```\n{"a": 1}\n```', "pass"),
        ('{"a": "```"}', "pass"),
        ('```json\n{"a": 1}', "pass"),
        ('```json\n{"a": 1', "fail"),
        ('````json\n{"a": "```"}\n````', "pass"),
        ('~~~\n{"a": 1}\n~~~', "pass"),
        ('1. Here:\n   ```json\n   {"a": 1}\n   ```', "pass"),
        ('```json\n{"a":\n```\n1}\n````', "fail"),
        ("```json\n{a: 1}\n```", "fail"),
        ("```\nno\n```\n```\n[1]\n```", "fail"),
        ("```[1]```", "fail"),
    ],
)
def test_within_fence(run: Any, output: str, label: str) -> None:
    assert run("json_valid", output, {"within_fence": True}).label == label


@pytest.mark.parametrize(
    ("output", "schema", "reason"),
    [
        ('{"n": 1}', {"required": ["n"], "properties": {"n": {"type": "integer"}}}, "as the schema wants"),
        ('{"n": "1"}', {"properties": {"n": {"type": "integer"}}}, "at $.n: '1' is not of type 'integer'"),
        ("{}", {"required": ["n"]}, "'n' is a required property"),
        ("[1, 2, 1.0]", {"uniqueItems": True}, "3 items are not all different"),
        ("[1, true, [1], [true]]", {"uniqueItems": True}, "as the schema wants"),
        ('["RET-1"]', {"items": {"pattern": "^[A-Z]+-[0-9]+$"}}, "as the schema wants"),
        ('["ret"]', {"items": {"pattern": "^[A-Z]+-[0-9]+$"}}, "'ret' does not match"),
        ("5", {"$defs": {"n": {"type": "string"}}, "$ref": "#/$defs/n"}, "5 is not of type 'string'"),
    ],
)
def test_schema(run: Any, output: str, schema: dict[str, object], reason: str) -> None:
    outcome = run("json_valid", output, {"schema": schema})
    assert reason in outcome.reason
    assert outcome.label == ("pass" if "wants" in reason else "fail")


def test_many_items_are_compared_in_one_pass(run: Any) -> None:
    objects = json.dumps([{"a": n} for n in range(50_000)])
    assert run("json_valid", objects, {"schema": {"uniqueItems": True}}).label == "pass"


def test_a_pattern_that_takes_too_long_is_a_timeout(run: Any) -> None:
    outcome = run("json_valid", json.dumps("a" * 5000 + "b"), {"schema": {"pattern": "(a+)+$"}})
    assert (outcome.status, outcome.value) == (Status.TIMEOUT, None)


def test_a_recursive_schema_and_the_deepest_output_agree(run: Any) -> None:
    schema = {"type": "array", "items": {"$ref": "#"}}
    assert run("json_valid", "[" * 100 + "]" * 100, {"schema": schema}).label == "pass"


def test_schema_from_a_file(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "schema.json"
    path.write_text('{"type": "object"}', encoding="utf-8")
    inline = create_scorer("json_valid", "j", {"schema": {"type": "object"}})
    assert create_scorer("json_valid", "j", {"schema": str(path)}).info.fingerprint == inline.info.fingerprint
    assert run("json_valid", "[]", {"schema": str(path)}).label == "fail"
    path.write_text("[1]", encoding="utf-8")
    with pytest.raises(ConfigError, match="holds an array of 1; a JSON Schema is an object"):
        create_scorer("json_valid", None, {"schema": str(path)})


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "objct"}, "not JSON Schema"),
        ({"pattern": "("}, "not JSON Schema: .* is not a 'regex'"),
        ({"pattern": "(?<n>a)(?<n>b"}, "not JSON Schema|no regular expression"),
        ({"items": {"patternProperties": {"a": {}}}}, "use propertyNames"),
        ({"$ref": "#"}, "refers to itself without end"),
        ({"$ref": "https://example.org/schema.json"}, "only references inside the schema"),
        ({"items": {"$ref": "https://example.org/schema.json"}}, "only references inside the schema"),
        ({"properties": {"a": {"$ref": "#/properties/a"}}}, "refers to itself without end"),
        ("/no/such/file.json", "cannot be read as JSON"),
        (7, "found 7"),
    ],
)
def test_bad_schema(schema: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create_scorer("json_valid", None, {"schema": schema})


def loads_or_none(text: str) -> tuple[bool, Any]:
    def refuse(constant: str) -> Any:
        raise ValueError(constant)

    try:
        return True, json.loads(text, parse_constant=refuse)
    except ValueError:
        return False, None


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
TEXTS = st.text() | st.text(alphabet='{}[]",:\\ 0123truefalsn.eE-') | VALUES.map(json.dumps)


@given(TEXTS)
def test_agrees_with_json_loads(text: str) -> None:
    valid, value = loads_or_none(text)
    if valid:
        assert parse_json(text) == value
    else:
        with pytest.raises(ValueError, match=r".+"):
            parse_json(text)
