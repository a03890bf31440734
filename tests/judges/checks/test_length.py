import math
from typing import Any

import pytest

from judgefleet.errors import ConfigError
from judgefleet.score import Status
from judgefleet.trace import Usage
from judges.catalogue import create_scorer


@pytest.mark.parametrize(
    ("output", "options", "label"),
    [
        ("one two three", {"max_words": 3}, "pass"),
        ("one two three four", {"max_words": 3}, "fail"),
        ("one two", {"min_words": 3}, "fail"),
        ("one two three", {"min_words": 3}, "pass"),
        ("one", {"min_words": 1, "max_words": 1}, "pass"),
        ("one two", {"min_words": 1, "max_words": 1}, "fail"),
        ("", {"max_words": 0}, "pass"),
        ("", {"min_words": 1}, "fail"),
        ("a\u00a0b\tc\nd", {"min_words": 4, "max_words": 4}, "pass"),
        ("a-b c,d", {"min_words": 2, "max_words": 2}, "pass"),
        ("这是一个句子", {"max_words": 1}, "pass"),
        ("שלום עליכם", {"min_words": 2, "max_words": 2}, "pass"),
        ("👩‍👧 🇩🇪", {"min_words": 2, "max_words": 2}, "pass"),
        ("a\x00b", {"max_words": 1}, "pass"),
        ("word " * 400_000, {"max_words": 399_999}, "fail"),
        (None, {"max_words": 0}, "pass"),
        (None, {"min_characters": 1}, "fail"),
        ("abc", {"min_characters": 3, "max_characters": 3}, "pass"),
        ("abcd", {"max_characters": 3}, "fail"),
        (" a ", {"max_characters": 2}, "fail"),
        ("日本", {"max_characters": 2}, "pass"),
        ("👩‍👧", {"max_characters": 2}, "fail"),
        ("\ud800\x00", {"min_characters": 2, "max_characters": 2}, "pass"),
        ("a b", {"max_words": 2, "max_characters": 2}, "fail"),
        ("a b", {"max_words": 1, "max_characters": 3}, "fail"),
        ("a b", {"max_words": 2, "max_characters": 3}, "pass"),
    ],
)
def test_cases(run: Any, output: str, options: dict[str, object], label: str) -> None:
    outcome = run("length", output, options)
    assert (outcome.label, outcome.value) == (label, float(label == "pass"))


def test_the_reason_names_count_and_limits(run: Any) -> None:
    reason = run("length", "one two", {"min_words": 3, "max_words": 9}).reason
    assert reason == "found 2 words, allowed: at least 3 and at most 9"


@pytest.mark.parametrize(
    ("tokens", "options", "label"),
    [
        (80, {"max_tokens": 80}, "pass"),
        (81, {"max_tokens": 80}, "fail"),
        (0, {"min_tokens": 1}, "fail"),
        (0, {"max_tokens": 0, "tokens": "usage"}, "pass"),
        (5, {"min_tokens": 5, "max_words": 1}, "fail"),
    ],
)
def test_tokens_as_the_trace_says(run: Any, tokens: int, options: dict[str, object], label: str) -> None:
    assert run("length", "one two", options, usage=Usage(output_tokens=tokens)).label == label


@pytest.mark.parametrize("tokens", [None, -1, True, "many", math.nan, 2.5])
def test_tokens_that_are_no_count_are_not_applicable(run: Any, tokens: Any) -> None:
    outcome = run("length", "one two", {"max_tokens": 80, "max_words": 1}, usage=Usage(output_tokens=tokens))
    assert (outcome.status, outcome.value) == (Status.NOT_APPLICABLE, None)


def test_tokens_of_a_model(run: Any) -> None:
    model = {"tokens": "embedded/all-minilm-l6-v2"}
    assert run("length", "refunds take days", {"max_tokens": 3, **model}).label == "fail"
    assert run("length", "the red house", {"min_tokens": 3, "max_tokens": 3, **model}).label == "pass"
    assert run("length", "[SEP]", {"min_tokens": 1, "max_tokens": 1, **model}).value is not None
    assert run("length", "\ud800\x00", {"max_tokens": 9, **model}).label == "pass"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "give min_words, max_words or both"),
        ({"min_words": 5, "max_words": 4}, "min_words must not be above max_words"),
        ({"max_words": -1}, "max_words: found -1"),
        ({"max_words": "many"}, "max_words: found 'many'"),
        ({"max_words": "3"}, "max_words: found '3'"),
        ({"max_words": True}, "max_words: found True"),
        ({"min_tokens": 2.0}, "min_tokens: found 2.0"),
        ({"max_word": 5}, "did you mean 'max_words'"),
        ({"max_words": 5, "tokens": "usage"}, "give min_tokens, max_tokens or both as well"),
        ({"max_tokens": 5, "tokens": "embedded/minilm"}, "no embedded model"),
        ({"min_characters": 2, "max_characters": 1}, "min_characters must not be above max_characters"),
    ],
)
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create_scorer("length", None, options)
