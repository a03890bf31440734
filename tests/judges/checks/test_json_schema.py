import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from judgefleet.errors import ConfigError
from judgefleet.score import Status
from judges.catalogue import create_scorer

ORDER = {
    "type": "object",
    "required": ["order", "days"],
    "additionalProperties": False,
    "properties": {
        "order": {"type": "string", "pattern": "^[0-9]{5}$"},
        "days": {"type": "integer", "minimum": 1, "maximum": 30},
        "items": {"type": "array", "items": {"enum": ["kettle", "lamp"]}, "maxItems": 2, "uniqueItems": True},
        "note": {"type": ["string", "null"], "maxLength": 3},
    },
}
DRAFT = "http://json-schema.org/draft-{}/schema#"


@pytest.mark.parametrize(
    ("output", "label", "reason"),
    [
        ('{"order": "44310", "days": 30}', "pass", "an object of 2, as the schema wants"),
        (' {"order": "44310", "days": 1.0}\n', "pass", "an object of 2, as the schema wants"),
        ('{"order": "44310", "days": 30, "items": ["lamp", "kettle"]}', "pass", "an object of 3"),
        ('{"order": "44310", "days": 30, "items": []}', "pass", "an object of 3"),
        ('{"order": "44310", "days": 30, "note": null}', "pass", "an object of 3"),
        ('{"days": 0, "days": 5, "order": "44310"}', "pass", "an object of 2"),
        ('{"order": "44310"}', "fail", "at $: 'days' is a required property"),
        ("{}", "fail", "at $: 'order' is a required property"),
        ('{"order": 44310, "days": 30}', "fail", "at $.order: 44310 is not of type 'string'"),
        ('{"order": "4431", "days": 30}', "fail", "at $.order: '4431' does not match"),
        ('{"order": "44310", "days": "30"}', "fail", "at $.days: '30' is not of type 'integer'"),
        ('{"order": "44310", "days": true}', "fail", "at $.days: True is not of type 'integer'"),
        ('{"order": "44310", "days": 2.5}', "fail", "at $.days: 2.5 is not of type 'integer'"),
        ('{"order": "44310", "days": 0}', "fail", "at $.days: 0 is less than the minimum of 1"),
        ('{"order": "44310", "days": 31}', "fail", "at $.days: 31 is greater than the maximum of 30"),
        ('{"order": "44310", "days": 3, "items": ["pan"]}', "fail", "at $.items[0]: 'pan' is not one of"),
        ('{"order": "44310", "days": 3, "items": ["lamp", "lamp"]}', "fail", "2 items are not all different"),
        ('{"order": "44310", "days": 3, "note": "late"}', "fail", "at $.note: 'late' is too long"),
        ('{"order": "44310", "days": 3, "paid": true}', "fail", "'paid' was unexpected"),
        ("[]", "fail", "at $: [] is not of type 'object'"),
        ("null", "fail", "at $: None is not of type 'object'"),
        ("{'order': '44310'}", "fail", "not JSON: "),
        ('```json\n{"order": "44310", "days": 30}\n```', "fail", "not JSON: "),
        ("Sure!", "fail", "not JSON: "),
        ("", "fail", "not JSON: "),
        (None, "fail", "not JSON: "),
        ('{"order": "\x00", "days": 30}', "fail", "not JSON: "),
        ('{"order": "\ud800", "days": 30}', "fail", "does not match"),
        ("[" * 2_000_000, "fail", "not JSON: nested deeper than 100 levels"),
    ],
)
def test_cases(run: Any, output: str | None, label: str, reason: str) -> None:
    outcome = run("json_schema", output, {"schema": ORDER})
    assert reason in outcome.reason
    assert (outcome.label, outcome.value) == (label, float(label == "pass"))
    outcome.reason.encode("utf-8")


@pytest.mark.parametrize(
    ("schema", "output", "label"),
    [
        ({"$schema": DRAFT.format("04"), "minimum": 1, "exclusiveMinimum": True}, "1", "fail"),
        ({"$schema": DRAFT.format("04"), "minimum": 1, "exclusiveMinimum": True}, "2", "pass"),
        ({"$schema": DRAFT.format("06"), "exclusiveMinimum": 1}, "1", "fail"),
        ({"$schema": DRAFT.format("07"), "if": {"type": "string"}, "then": {"minLength": 2}}, '"a"', "fail"),
        ({"prefixItems": [{"type": "string"}]}, "[1]", "fail"),
        ({"$schema": DRAFT.format("07"), "prefixItems": [{"type": "string"}]}, "[1]", "pass"),
        ({"format": "email"}, '"nobody"', "pass"),
        ({"const": 1}, "1.0", "pass"),
        ({"$defs": {"n": {"type": "integer"}}, "items": {"$ref": "#/$defs/n"}}, '["1"]', "fail"),
        ({"oneOf": [{"type": "integer"}, {"minimum": 2}]}, "3", "fail"),
    ],
)
def test_drafts(run: Any, schema: dict[str, object], output: str, label: str) -> None:
    assert run("json_schema", output, {"schema": schema}).label == label


@pytest.mark.parametrize(
    ("unit", "number", "label"),
    [
        (0.01, "19.99", "pass"),
        (0.01, "4.02", "pass"),
        (0.1, "0.3", "pass"),
        (0.01, "1e22", "pass"),
        (0.01, "19.995", "fail"),
        (0.3, "1", "fail"),
        (2, "4.0", "pass"),
        (2, "3", "fail"),
        (0.5, "9" * 400, "pass"),
        (7, "9" * 400, "fail"),
        (0.5, "1e400", "fail"),
        (2, "-1e400", "fail"),
    ],
)
def test_multiples_of_numbers_as_they_are_written(run: Any, unit: float, number: str, label: str) -> None:
    assert run("json_schema", number, {"schema": {"multipleOf": unit}}).label == label
    draft_3 = {"$schema": DRAFT.format("03"), "divisibleBy": unit, "multipleOf": 11}
    assert run("json_schema", number, {"schema": draft_3}).label == label


@pytest.mark.parametrize(
    ("pattern", "text", "label"),
    [
        ("^a$", "a", "pass"),
        ("^a$", "a\n", "fail"),
        (r"^a\$", "a$", "pass"),
        ("^[$]$", "$", "pass"),
        (r"^\\$", "\\", "pass"),
        (r"^\d$", "5", "pass"),
        (r"^\d$", "\u0663", "fail"),
        (r"^\D$", "\u0663", "pass"),
        (r"^\w+$", "a_1", "pass"),
        (r"^\w+$", "é", "fail"),
        (r"^\W$", "é", "pass"),
        (r"^[\w.-]+@[\w-.]+$", "a-b@c-d.e", "pass"),
        (r"^[\w.-]+$", "é", "fail"),
        (r"^[\d\D]+$", "a1\u0663\n", "pass"),
        (r"^[\w\W]+$", "a1é-^[]", "pass"),
        (r"^[^\W\d]+$", "ab", "pass"),
        (r"^[^\W\d]+$", "a1", "fail"),
        (r"^[]$\d]+$", "]$1", "pass"),
        (r"^[\s\S]+$", "a\n", "pass"),
        (r"^\p{L}+$", "é", "pass"),
        (r"^\p{L}+$", "1", "fail"),
        (r"^(?<first>a)b$", "ab", "pass"),
        ("^{i}$", "{i}", "pass"),
        ("^{i}$", "i", "fail"),
        ("^a{2,3}$", "aa", "pass"),
        ("^[[:a]$", ":", "pass"),
        ("(?i)^a$", "A\n", "pass"),
    ],
)
def test_patterns_are_those_of_ecma_262(run: Any, pattern: str, text: str, label: str) -> None:
    assert run("json_schema", json.dumps(text), {"schema": {"pattern": pattern}}).label == label


@pytest.mark.parametrize(
    ("schema", "output", "label"),
    [
        ({"properties": {"patternProperties": {"type": "string"}}}, '{"patternProperties": 1}', "fail"),
        ({"properties": {"pattern": {"type": "string"}, "$ref": {"type": "string"}}}, '{"pattern": "("}', "pass"),
        ({"enum": [{"pattern": "("}]}, '{"pattern": "("}', "pass"),
        ({"const": {"patternProperties": {}}}, "{}", "fail"),
        ({"default": {"$ref": "#/nope"}, "examples": [{"patternProperties": {}, "pattern": "("}]}, "1", "pass"),
        ({"items": {"$ref": "#a"}, "$defs": {"n": {"$anchor": "a", "type": "integer"}}}, '["1"]', "fail"),
        (
            {"$id": "https://x.example/s", "items": {"$ref": "t"}, "$defs": {"t": {"$id": "t", "minimum": 2}}},
            "[1]",
            "fail",
        ),
        ({"items": {"$ref": "#/x/n"}, "x": {"n": {"type": "array", "items": {"$ref": "#/x/n"}}}}, "[[[1]]]", "fail"),
        ({"items": {"$ref": DRAFT.format("07")}}, '[{"type": "objct"}]', "fail"),
        ({"$dynamicAnchor": "n", "type": "object", "additionalProperties": {"$dynamicRef": "#n"}}, '{"a": 1}', "fail"),
        (
            {"$schema": DRAFT.format("07"), "$ref": "#/definitions/n", "definitions": {"n": {"minimum": 2}}},
            "1",
            "fail",
        ),
        (
            {"$schema": "https://json-schema.org/draft/2019-09/schema", "items": {"$recursiveRef": "#"}, "minItems": 1},
            "[[]]",
            "fail",
        ),
    ],
)
def test_what_is_a_schema_and_what_is_data(run: Any, schema: dict[str, object], output: str, label: str) -> None:
    assert run("json_schema", output, {"schema": schema}).label == label


def test_a_schema_that_names_its_draft_is_bounded_all_the_way_down(run: Any) -> None:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "pattern": "(a+)+$", "items": {"$ref": "#"}}
    outcome = run("json_schema", f'["{"a" * 5000}b"]', {"schema": schema})
    assert (outcome.status, outcome.value) == (Status.TIMEOUT, None)
    assert run("json_schema", "[19.99]", {"schema": schema | {"multipleOf": 0.01}}).label == "pass"


def test_a_reference_that_the_library_loses_is_an_error_of_the_row(run: Any) -> None:
    part = {"$id": "https://x.example/a/", "$ref": "b", "$defs": {"b": {"$id": "b"}}}
    outcome = run("json_schema", '{"a": 1}', {"schema": {"allOf": [part], "unevaluatedProperties": False}})
    assert (outcome.status, outcome.value) == (Status.ENGINE_ERROR, None)
    assert outcome.reason == "the output goes too deep, or where a reference of the schema is lost"


def test_a_long_chain_of_references(run: Any) -> None:
    chain = {f"a{n}": {"$ref": f"#/$defs/a{n + 1}"} for n in range(3000)} | {"a3000": {"type": "integer"}}
    assert run("json_schema", '"1"', {"schema": {"$defs": chain, "$ref": "#/$defs/a2999"}}).label == "fail"


def test_within_a_fence(run: Any) -> None:
    output = 'Here:\n```json\n{"order": "44310", "days": 30}\n```'
    outcome = run("json_schema", output, {"schema": ORDER, "within_fence": True})
    assert outcome.reason == "found JSON in a fenced block: an object of 2, as the schema wants"


def test_a_pattern_that_takes_too_long_is_a_timeout(run: Any) -> None:
    outcome = run("json_schema", f'"{"a" * 5000}b"', {"schema": {"pattern": "(a+)+$"}})
    assert (outcome.status, outcome.value) == (Status.TIMEOUT, None)


def test_it_is_not_json_valid_by_another_name() -> None:
    both = [create_scorer(use, "x", {"schema": ORDER}).info for use in ("json_schema", "json_valid")]
    assert both[0].fingerprint != both[1].fingerprint
    scorer = create_scorer("json_schema", None, {"schema": ORDER})
    assert pickle.loads(pickle.dumps(scorer)).info == scorer.info


def test_the_schema_of_a_file(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "schema.json"
    path.write_text('{"type": "object"}', encoding="utf-8")
    assert run("json_schema", "{}", {"schema": str(path)}).label == "pass"
    assert run("json_schema", "[]", {"schema": str(path)}).label == "fail"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "schema: is missing"),
        ({"schema": None}, "schema"),
        ({"schema": {"properties": {"a": {"type": "objct"}}}}, r"not JSON Schema: \$\.properties\.a\.type: 'objct'"),
        (
            {"schema": {"properties": {"a": {"$ref": "#/x"}}, "x": {"type": "objct"}}},
            "not JSON Schema: #/x.type: 'objct'",
        ),
        ({"schema": {"items": {"$ref": "#/title"}, "title": "Items"}}, "not JSON Schema: #/title: 'Items' is not"),
        ({"schema": {"items": {"pattern": r"\p{Nope}"}}}, r"not JSON Schema: \$\.items\.pattern: .* is not a 'regex'"),
        ({"schema": {"$schema": "https://example.org/draft"}}, "a draft that is not known here"),
        ({"schema": {"$ref": "https://example.org/a.json"}}, "only references inside the schema"),
        (
            {"schema": {"properties": {"a": {"$ref": "https://example.org/a.json"}}}},
            "only references inside the schema",
        ),
        ({"schema": {"properties": {"a": {"$ref": "#/$defs/a"}}}}, r"a reference to '#/\$defs/a', which is not there"),
        ({"schema": {"items": {"$ref": "#/nope"}}}, "a reference to '#/nope', which is not there"),
        ({"schema": {"items": {"$dynamicRef": "#nope"}}}, "a reference to '#nope', which is not there"),
        (
            {"schema": {"$defs": {"a": {"not": {"$ref": "#/anyOf/a"}}}, "anyOf": [{}]}},
            "'#/anyOf/a', which is not there",
        ),
        ({"schema": {"$schema": DRAFT.format("04"), "items": {"$ref": 5}}}, "a reference to 5"),
        ({"schema": {"properties": {"a": {"$ref": "#/properties/a"}}}}, "'#/properties/a', which refers to itself"),
        ({"schema": {"items": {"anyOf": [{"type": "integer"}, {"$ref": "#/items"}]}}}, "refers to itself without end"),
        ({"schema": {"dependentSchemas": {"a": {"$ref": "#"}}}}, "refers to itself without end"),
        (
            {"schema": {"items": {"$schema": DRAFT.format("07"), "pattern": "(a+)+$"}}},
            "within a schema of another draft",
        ),
        ({"schema": "/no/such/file.json"}, "cannot be read as JSON"),
        ({"schema": {"patternProperties": {"a": {}}}}, "use propertyNames"),
        ({"schema": {"items": {"$ref": "#/x"}, "x": {"not": {"patternProperties": {}}}}}, "use propertyNames"),
        ({"schema": {}, "within_fences": True}, "did you mean 'within_fence'"),
    ],
)
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create_scorer("json_schema", None, options)
