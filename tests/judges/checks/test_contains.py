import json
from typing import Any

import pytest

from judgefleet.errors import ConfigError
from judgefleet.score import Status
from judges.catalogue import create_scorer

WHOLE = {"whole_words": True}


@pytest.mark.parametrize(
    ("output", "options", "label", "reason"),
    [
        ("Free for 30 days.", {"all_of": ["30 days"]}, "pass", "has '30 days'"),
        ("Free for 30 days.", {"all_of": ["Free", "30 days"]}, "pass", "has 'Free', '30 days'"),
        ("Free for 30 days.", {"all_of": ["Free", "label"]}, "fail", "lacks 'label'"),
        ("Free.", {"all_of": ["30 days", "label"]}, "fail", "lacks '30 days', 'label'"),
        ("free", {"all_of": ["Free"]}, "fail", "lacks 'Free'"),
        ("free", {"all_of": ["Free"], "ignore_case": True}, "pass", "has 'Free'"),
        ("STRASSE", {"all_of": ["Straße"], "ignore_case": True}, "pass", "has 'Straße'"),
        ("ΟΔΟΣ", {"all_of": ["οδος"], "ignore_case": True}, "pass", "has 'οδος'"),
        ("cafe\u0301", {"all_of": ["café"]}, "pass", "has 'café'"),
        ("thirty\n  days", {"all_of": ["thirty days"]}, "pass", "has 'thirty days'"),
        ("thirty\u00a0days", {"all_of": ["thirty days"]}, "pass", "has 'thirty days'"),
        ("thirtydays", {"all_of": ["thirty days"]}, "fail", "lacks 'thirty days'"),
        ("By post.", {"any_of": ["post", "courier"]}, "pass", "has 'post'"),
        ("By drone.", {"any_of": ["post", "courier"]}, "fail", "has none of 'post', 'courier'"),
        ("Within 14 days.", {"none_of": ["14 days"]}, "fail", "must not have '14 days'"),
        ("Within 30 days.", {"none_of": ["14 days"]}, "pass", "has nothing that it must not have"),
        (
            "Within 14 days.",
            {"all_of": ["free"], "any_of": ["post"], "none_of": ["14"]},
            "fail",
            "lacks 'free'; has none of 'post'; must not have '14'",
        ),
        ("a report", {"all_of": ["port"]}, "pass", "has 'port'"),
        ("a report", {"all_of": ["port"], **WHOLE}, "fail", "lacks 'port'"),
        ("the port.", {"all_of": ["port"], **WHOLE}, "pass", "has 'port'"),
        ("It costs $50.", {"none_of": ["$5"], **WHOLE}, "pass", "has nothing that it must not have"),
        ("snake_case", {"all_of": ["snake"], **WHOLE}, "fail", "lacks 'snake'"),
        ("write C++!", {"all_of": ["C++"], **WHOLE}, "pass", "has 'C++'"),
        ("退款需要五天", {"all_of": ["五天"]}, "pass", "has '五天'"),
        ("החזר כספי", {"all_of": ["כספי"], **WHOLE}, "pass", "has 'כספי'"),
        ("<b>30 days</b>", {"all_of": ["30 days"], **WHOLE}, "pass", "has '30 days'"),
        ("a\x00b", {"all_of": ["a\x00b"]}, "pass", r"has 'a\x00b'"),
        ("\ud800", {"all_of": ["x"]}, "fail", "lacks 'x'"),
        (None, {"all_of": ["x"]}, "fail", "lacks 'x'"),
        ("", {"none_of": ["x"]}, "pass", "has nothing that it must not have"),
        ("abcde", {"all_of": list("abcde")}, "pass", "has 'a', 'b', 'c' and 2 more"),
    ],
)
def test_cases(run: Any, output: str | None, options: dict[str, object], label: str, reason: str) -> None:
    outcome = run("contains", output, options)
    assert (outcome.label, outcome.value, outcome.reason) == (label, float(label == "pass"), reason)


@pytest.mark.parametrize(
    ("value", "label", "reason"),
    [
        ('["30 days", "free"]', "fail", "lacks 'free'"),
        ('["30 days"]', "pass", "has '30 days'"),
        ("30 days", "pass", "has '30 days'"),
        ("30 days\n\n Within ", "pass", "has '30 days', 'Within'"),
        ("[1] or more", "fail", "lacks '[1] or more'"),
        ('["30 days", "30 days"]', "pass", "has '30 days'"),
    ],
)
def test_phrases_from_the_trace(run: Any, value: str, label: str, reason: str) -> None:
    options = {"from_attributes": {"all_of": "facts"}}
    outcome = run("contains", "Within 30 days.", options, attributes={"facts": value})
    assert (outcome.label, outcome.reason) == (label, reason)


def test_a_phrase_may_be_in_a_longer_word_of_another_rule(run: Any) -> None:
    assert run("contains", "a report", {"all_of": ["report"], "none_of": ["port"], **WHOLE}).label == "pass"
    assert run("contains", "Days", {"all_of": ["Days"], "none_of": ["days"]}).label == "pass"


def test_phrases_of_both_sources_count(run: Any) -> None:
    options = {"none_of": ["x"], "from_attributes": {"none_of": "bad"}}
    assert run("contains", "y", options, attributes={"bad": "y"}).reason == "must not have 'y'"
    assert run("contains", "x", options, attributes={"bad": "y"}).reason == "must not have 'x'"


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({}, "the trace has no attribute 'facts'"),
        ({"facts": " \n"}, "the attribute 'facts' is blank"),
        ({"facts": "\u200b"}, "the attribute 'facts' is blank"),
        ({"facts": '["\u200b"]'}, "the attribute 'facts' lists 0 phrases; allowed: 1 to 200"),
        ({"facts": "[1, 2]"}, "the attribute 'facts' holds a JSON list with something other than texts"),
        ({"facts": "[]"}, "the attribute 'facts' lists 0 phrases; allowed: 1 to 200"),
        (
            {"facts": json.dumps([str(n) for n in range(201)])},
            "the attribute 'facts' lists 201 phrases; allowed: 1 to 200",
        ),
    ],
)
def test_a_trace_without_phrases_is_not_applicable(run: Any, attributes: dict[str, str], reason: str) -> None:
    outcome = run("contains", "x", {"from_attributes": {"all_of": "facts"}}, attributes=attributes)
    assert (outcome.status, outcome.value, outcome.reason) == (Status.NOT_APPLICABLE, None, reason)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "give phrases in all_of, any_of or none_of"),
        ({"all_of": "30 days"}, "all_of: found '30 days'"),
        ({"all_of": [" "]}, "a phrase needs something that can be seen"),
        ({"all_of": ["\u200b"]}, "a phrase needs something that can be seen"),
        ({"none_of": ["\u3164 "]}, "a phrase needs something that can be seen"),
        ({"all_of": ["x"], "none_of": ["x"]}, "all_of has 'x', so none_of must not have 'x'"),
        (
            {"all_of": ["30 Days"], "none_of": ["days"], "ignore_case": True},
            "all_of has '30 Days', so none_of must not",
        ),
        ({"all_of": ["30 days"], "none_of": ["30\u00a0days"], "whole_words": True}, "so none_of must not have"),
        ({"all_of": [5]}, "all_of.0: found 5"),
        ({"some_of": ["x"], "all_of": ["x"]}, "unknown key 'some_of'"),
        ({"from_attributes": {"each_of": "facts"}}, "allowed: .*all_of"),
        ({"from_attributes": {"all_of": ""}}, "from_attributes.*found ''"),
        ({"all_of": ["x"], "ignore_case": "perhaps"}, "ignore_case: found 'perhaps'"),
    ],
)
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create_scorer("contains", None, options)
