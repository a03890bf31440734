from typing import Any

import pytest

from judgefleet.errors import ConfigError
from judgefleet.score import Status
from judgefleet.scorer import Need
from judges.catalogue import create_scorer

LOOSE = {"ignore_case": True, "punctuation": "all", "articles": ["the"], "whitespace": "collapse", "unicode": "NFKC"}


@pytest.mark.parametrize(
    ("output", "reference", "normalise", "label"),
    [
        ("Paris", "Paris", None, "pass"),
        ("Paris\n", " Paris", None, "pass"),
        ("paris", "Paris", None, "fail"),
        ("Paris.", "Paris", None, "fail"),
        ("New  York", "New York", None, "fail"),
        ("cafe\u0301", "café", None, "pass"),
        ("ﬁve", "five", None, "fail"),
        ("ﬁve", "five", {"unicode": "NFKC"}, "pass"),
        ("cafe\u0301", "café", {"unicode": "keep"}, "fail"),
        (" a", "a", {"whitespace": "keep"}, "fail"),
        ("New \n York", "New York", {"whitespace": "collapse"}, "pass"),
        ("PARIS", "paris", {"ignore_case": True}, "pass"),
        ("STRASSE", "Straße", {"ignore_case": True}, "pass"),
        ("“Paris”!", "Paris", {"punctuation": "all"}, "pass"),
        ("“Paris”!", "Paris", {"punctuation": "ascii"}, "fail"),
        ("Paris!", "Paris", {"punctuation": "ascii"}, "pass"),
        ("$5", "5", {"punctuation": "all"}, "pass"),
        ("Der Hund", "Hund", {"articles": ["Der", "die"], "whitespace": "trim"}, "pass"),
        ("der Hund", "Katze", {"articles": ["DER"], "ignore_case": True}, "fail"),
        ("der Hund", "hund", {"articles": ["DER"], "ignore_case": True}, "pass"),
        ("Derby", "by", {"articles": ["Der"]}, "fail"),
        ("THE “ﬁfth”  Element", "fifth element", LOOSE, "pass"),
        ("The Eiffel Tower.", "eiffel tower", "squad", "pass"),
        ("Eiffel-Tower", "eiffeltower", "squad", "pass"),
        ("an apple a day", "apple day", "squad", "pass"),
        ("theatre", "atre", "squad", "fail"),
        ("Straße", "strasse", "squad", "fail"),
        ("退款", "退款", None, "pass"),
        ("42", "42.0", None, "fail"),
        ("a\x00b", "a\x00b", None, "pass"),
        ("\ud800", "x", None, "fail"),
        (None, "x", None, "fail"),
        ("x" * 2_000_000, "x" * 1_999_999, None, "fail"),
    ],
)
def test_cases(run: Any, output: str | None, reference: str, normalise: object, label: str) -> None:
    options = {} if normalise is None else {"normalise": normalise}
    outcome = run("exact_match", output, options, reference=reference)
    assert (outcome.label, outcome.value) == (label, float(label == "pass"))
    outcome.reason.encode("utf-8")


@pytest.mark.parametrize(
    ("output", "options", "reason"),
    [
        ("Paris", {"expected": "Paris"}, "equals 'Paris'"),
        ("Rome", {"expected": ["Paris", " Rome "]}, "equals 'Rome'"),
        ("Oslo", {"expected": ["Paris", "Rome"]}, "found 'Oslo', which is none of the 2 expected texts"),
        ("Oslo", {"expected": "Paris"}, "differs from what is expected at character 0: found 'Oslo', expected 'Paris'"),
        ("a", {"expected": "ab"}, "differs from what is expected at character 1: found 'a', expected 'ab'"),
        ("x" * 50 + "b", {}, f"differs from the reference at character 50: found '{'x' * 20}b', expected '{'x' * 20}'"),
    ],
)
def test_the_reason_says_what_differs(run: Any, output: str, options: dict[str, object], reason: str) -> None:
    assert run("exact_match", output, options, reference="x" * 50).reason == reason


def test_a_reference_of_which_nothing_is_left_is_not_applicable(run: Any) -> None:
    for reference in (None, " ", "The ...", "a"):
        outcome = run("exact_match", "x", {"normalise": "squad"}, reference=reference)
        assert (outcome.status, outcome.value) == (Status.NOT_APPLICABLE, None)


def test_the_reference_is_needed_only_where_it_is_read() -> None:
    assert create_scorer("exact_match").info.needs == {Need.OUTPUT, Need.REFERENCE}
    assert create_scorer("exact_match", None, {"expected": "x"}).info.needs == {Need.OUTPUT}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"expected": ""}, "expected"),
        ({"expected": []}, "expected"),
        ({"expected": " "}, "nothing of ' ' is left"),
        ({"expected": ["yes", "the"], "normalise": "squad"}, "nothing of 'the' is left once normalised"),
        ({"expected": 5}, "found 5"),
        ({"normalise": "squat"}, "found 'squat'"),
        ({"normalise": {"case": True}}, "unknown key 'case'"),
        ({"normalise": {"unicode": "NFX"}}, "found 'NFX'; .*NFKC"),
        ({"normalise": {"articles": ["a b"]}}, "found 'a b'"),
        ({"normalize": "squad"}, "did you mean 'normalise'"),
    ],
)
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create_scorer("exact_match", None, options)
