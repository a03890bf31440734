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
        ({"schema": {"type": "objct"}}, "not JSON Schema"),
        ({"schema": {"$schema": "https://example.org/draft"}}, "a draft that is not known here"),
        ({"schema": {"$ref": "https://example.org/a.json"}}, "only references inside the schema"),
        ({"schema": "/no/such/file.json"}, "cannot be read as JSON"),
        ({"schema": {"patternProperties": {"a": {}}}}, "use propertyNames"),
        ({"schema": {}, "within_fences": True}, "did you mean 'within_fence'"),
    ],
)
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create_scorer("json_schema", None, options)
