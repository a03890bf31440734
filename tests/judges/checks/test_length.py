from typing import Any

import pytest

from judgefleet.errors import ConfigError
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
    ],
)
def test_cases(run: Any, output: str, options: dict[str, object], label: str) -> None:
    outcome = run("length", output, options)
    assert (outcome.label, outcome.value) == (label, float(label == "pass"))


def test_the_reason_names_count_and_limits(run: Any) -> None:
    reason = run("length", "one two", {"min_words": 3, "max_words": 9}).reason
    assert reason == "found 2 words, allowed: at least 3 and at most 9"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "give min_words, max_words or both"),
        ({"min_words": 5, "max_words": 4}, "min_words must not be above max_words"),
        ({"max_words": -1}, "max_words: found -1"),
        ({"max_words": "many"}, "max_words: found 'many'"),
        ({"max_word": 5}, "did you mean 'max_words'"),
    ],
)
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create_scorer("length", None, options)
