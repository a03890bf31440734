"""Text that nobody vouches for: every check answers, soon, with something that can be stored."""

import json
import pickle
import time
from pathlib import Path
from typing import Any

import pytest

from judgefleet.score import Status
from judges.catalogue import create_scorer

MEGABYTES_2 = 2_000_000
HOSTILE = {
    "2 MB of words": "word " * (MEGABYTES_2 // 5),
    "2 MB of one word": "a" * MEGABYTES_2,
    "2 MB of digits": "1" * MEGABYTES_2,
    "2 MB of opening brackets": "[" * MEGABYTES_2,
    "2 MB of escaped quotes": '"' + '\\"' * (MEGABYTES_2 // 2),
    "2 MB of fences": "```x\n" * (MEGABYTES_2 // 5),
    "2 MB of blank": " " * MEGABYTES_2,
    "null bytes": "\x00" * MEGABYTES_2,
    "script": "<script>alert('RET-1')</script>",
    "emoji": "👩‍👩‍👧‍👦🇩🇪" * 1000,
    "right to left": "\u202eהחזרה السلام عليكم\u202c",
    "lone surrogate": "\ud800 then \udfff",
    "combining": "e" + "\u0301" * 100_000,
    "deep and closed": "[" * 50_000 + "]" * 50_000,
}
SCHEMA = {"type": ["array", "string"], "items": {"pattern": "(a+)+$"}, "pattern": "(a|aa)+$", "uniqueItems": True}

# The rest always finds something out.
ANSWERS = {
    "language": (Status.OK, Status.NOT_APPLICABLE),
    "numeric_answer": (Status.OK, Status.TIMEOUT, Status.UNPARSED),
}
EVERYTHING = {
    "unicode": "NFKC",
    "ignore_case": True,
    "punctuation": "all",
    "articles": ["the", "a"],
    "whitespace": "collapse",
}


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text("sections: [{id: RET-1, title: Returns, text: Thirty days.}]", encoding="utf-8")
    return path


def every_check(policy: Path) -> list[tuple[str, dict[str, object]]]:
    return [
        ("json_valid", {"within_fence": True, "schema": SCHEMA}),
        ("regex", {"pattern": r"(\w+\s?)+!$", "timeout_s": 0.5}),
        ("not_empty", {}),
        ("policy_citation", {"policy": str(policy)}),
        ("length", {"max_words": 10, "max_characters": 10}),
        ("citations", {}),
        ("contains", {"all_of": ["word"], "none_of": ["a" * 100 + "b"], "ignore_case": True, "whole_words": True}),
        ("exact_match", {"expected": ["yes", "no"], "normalise": EVERYTHING}),
        ("exact_match", {"expected": "yes", "normalise": "squad"}),
        ("json_schema", {"schema": SCHEMA}),
        ("language", {"expected": "en", "min_letters": 1}),
        ("numeric_answer", {"expected": 1}),
        ("numeric_answer", {"expected": 1, "marker": "1", "decimal": ",", "percent": "divide"}),
        ("pii", {"regions": ["DE"]}),
        ("refusal", {"within": 10_000}),
    ]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_every_check_answers_in_bounded_time(run: Any, policy: Path, text: str) -> None:
    for use, options in every_check(policy):
        started = time.process_time()
        outcome = run(use, text, options)
        assert time.process_time() - started < 10, use
        assert outcome.status in ANSWERS.get(use, (Status.OK, Status.TIMEOUT))
        assert outcome.reason
        assert len(outcome.reason) <= 1000
        outcome.reason.encode("utf-8")
        assert "\x00" not in outcome.reason


def test_every_check_travels_to_another_process_and_says_the_same(policy: Path) -> None:
    for use, options in every_check(policy):
        scorer = create_scorer(use, None, options)
        twin = pickle.loads(pickle.dumps(scorer))
        assert twin.info == scorer.info
        assert twin.info.fingerprint == scorer.info.fingerprint
        assert json.loads(twin.info.config_json)["scorer"] == use
        assert twin.score([]) == []


def test_options_are_part_of_the_fingerprint() -> None:
    short, long = (create_scorer("length", "l", {"max_words": n}).info.fingerprint for n in (3, 4))
    assert short != long
