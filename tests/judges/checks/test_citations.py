from typing import Any

import pytest

from judgefleet.errors import ConfigError
from judgefleet.score import Status
from judgefleet.scorer import Need
from judges.catalogue import create_scorer

CONTEXTS = ("doc-a: Returns are free.", "doc-b: Within 30 days.", "doc-c: By post.")
IDS = {"refer_to": "ids", "pattern": r"\[(doc-\w+)\]", "context_pattern": r"^(doc-\w+):"}


@pytest.mark.parametrize(
    ("output", "options", "label", "reason"),
    [
        ("Free [1].", {}, "pass", "cited: 1"),
        ("Free [1] for 30 days [2].", {}, "pass", "cited: 1, 2"),
        ("Free [1][2][1].", {}, "pass", "cited: 1, 2"),
        ("Free [1, 3].", {}, "pass", "cited: 1, 3"),
        ("Free [1; 2].", {}, "pass", "cited: 1, 2"),
        ("Free [1-3].", {}, "pass", "cited: 1, 2, 3"),
        ("Free [1\u20133].", {}, "pass", "cited: 1, 2, 3"),
        ("Free [1\u20113].", {}, "pass", "cited: 1, 2, 3"),
        ("Free [1\u22123].", {}, "pass", "cited: 1, 2, 3"),
        ("\u514d\u8d39\u30101\uff0c2\u3011\u30101\u30013\u3011", {}, "pass", "cited: 1, 2, 3"),
        ("Free [1] [12345].", {}, "fail", "unknown: 12345"),
        ("Free [1, 123456789].", {}, "fail", "unknown: 123456789"),
        ("Free [1] [1234567890].", {}, "pass", "cited: 1"),
        ("Free [^2].", {}, "pass", "cited: 2"),
        ("免费\u30101\u3011。", {}, "pass", "cited: 1"),
        ("Free [ 1 ].", {}, "pass", "cited: 1"),
        ("Free [01].", {}, "pass", "cited: 1"),
        ("Free [1](https://shop.example/1).", {}, "pass", "cited: 1"),
        ("Free [4].", {}, "fail", "unknown: 4"),
        ("Free [0].", {}, "fail", "unknown: 0"),
        ("Free [1][7].", {}, "fail", "unknown: 7"),
        ("Free [2-5].", {}, "fail", "unknown: 4, 5"),
        ("Free [3-1].", {}, "pass", "cited: 3, 1"),
        ("In [2024] and [1].", {}, "fail", "unknown: 2024"),
        ("Free.", {}, "fail", "no citation"),
        ("Free (1).", {}, "fail", "no citation"),
        ("Free [one].", {}, "fail", "no citation"),
        ("Free [-1].", {}, "fail", "no citation"),
        ("", {}, "fail", "no citation"),
        (None, {}, "fail", "no citation"),
        ("Free [1].", {"min_citations": 2}, "fail", "cited: 1, wanted: at least 2"),
        ("Free [1][1].", {"min_citations": 2}, "fail", "cited: 1, wanted: at least 2"),
        ("Free [1][3].", {"min_citations": 2}, "pass", "cited: 1, 3"),
        ("Free.", {"min_citations": 3}, "fail", "no citation, wanted: at least 3"),
        ("Free.", {"min_citations": 0}, "pass", "no citation, and none is wanted"),
        ("Free [9].", {"min_citations": 0}, "fail", "unknown: 9"),
        ("See source 2.", {"pattern": r"source (\d+)"}, "pass", "cited: 2"),
        ("See source B.", {"pattern": r"source (\w+)"}, "fail", "unknown: B"),
        ("Free.\n2) By post.", {"pattern": r"^(\d)\)"}, "pass", "cited: 2"),
        ("Free [doc-a].", IDS, "pass", "cited: doc-a"),
        ("Free [doc-a][doc-c].", IDS, "pass", "cited: doc-a, doc-c"),
        ("Free [doc-z].", IDS, "fail", "unknown: doc-z"),
        ("Free [DOC-A].", IDS, "fail", "no citation"),
        ("Free doc-b", {"refer_to": "ids", "pattern": r"doc-\w+"}, "pass", "cited: doc-b"),
        ("\x00[1]\ud800", {}, "pass", "cited: 1"),
    ],
)
def test_cases(run: Any, output: str | None, options: dict[str, object], label: str, reason: str) -> None:
    outcome = run("citations", output, options, contexts=CONTEXTS)
    assert (outcome.label, outcome.value, outcome.reason) == (label, float(label == "pass"), reason)


def test_contexts_without_an_id_are_not_applicable(run: Any) -> None:
    outcome = run("citations", "[doc-a]", IDS, contexts=("Returns are free.",))
    assert (outcome.status, outcome.reason) == (Status.NOT_APPLICABLE, "no id is found in the contexts of the trace")


def test_a_pattern_that_takes_too_long_is_a_timeout(run: Any) -> None:
    outcome = run("citations", "a" * 200_000, {"pattern": "(a+)+b"}, contexts=CONTEXTS)
    assert (outcome.status, outcome.value) == (Status.TIMEOUT, None)
    outcome = run("citations", "x", {"refer_to": "ids", "pattern": "(a+)+b"}, contexts=("a" * 200_000,))
    assert outcome.status is Status.TIMEOUT


def test_many_ranges_do_not_become_many_numbers(run: Any) -> None:
    outcome = run("citations", "[1-9999]" * 200_000, {}, contexts=CONTEXTS)
    assert outcome.reason == "unknown: 9999"


def test_contexts_are_needed() -> None:
    assert create_scorer("citations").info.needs == {Need.OUTPUT, Need.CONTEXTS}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"refer_to": "names"}, "refer_to: found 'names'; .*ids.*numbers"),
        ({"refer_to": "ids"}, "refer_to: ids needs a pattern"),
        ({"context_pattern": "x"}, "context_pattern belongs to refer_to: ids"),
        ({"pattern": "("}, "no regular expression"),
        ({"pattern": ""}, "pattern: found ''"),
        ({**IDS, "context_pattern": "["}, "no regular expression"),
        ({"min_citations": -1}, "min_citations: found -1"),
        ({"pattern": "(?<n>x)"}, "no regular expression"),
        ({"min_citations": True}, "min_citations: found True"),
        ({"min_citations": "some"}, "min_citations: found 'some'"),
        ({"minimum": 1}, "unknown key 'minimum'"),
    ],
)
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create_scorer("citations", None, options)
