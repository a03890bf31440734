from typing import Any

import pytest

from judgefleet.errors import ConfigError
from judgefleet.score import Status
from judges.catalogue import create_scorer


@pytest.mark.parametrize(
    ("pattern", "output", "more", "label"),
    [
        (r"RET-\d", "see RET-1", {}, "pass"),
        (r"RET-\d", "see ret-1", {}, "fail"),
        (r"RET-\d", "see ret-1", {"flags": ["ignorecase"]}, "pass"),
        (r"^b", "a\nb", {}, "fail"),
        (r"^b", "a\nb", {"flags": ["multiline"]}, "pass"),
        (r"a.b", "a\nb", {}, "fail"),
        (r"a.b", "a\nb", {"flags": ["dotall"]}, "pass"),
        (r"a b # words", "ab", {"flags": ["verbose"]}, "pass"),
        (r"\w{4}", "héé!", {"flags": ["ascii"]}, "fail"),
        (r"sorry", "No problem.", {"must_match": False}, "pass"),
        (r"sorry", "I am sorry.", {"must_match": False}, "fail"),
        (r"<script", "<script>alert(1)</script>", {"must_match": False}, "fail"),
        (r"\p{Hebrew}", "שלום", {}, "pass"),
        (r"[\P{Hebrew}]", "שלום", {}, "fail"),
        (r"\\p{Hebrew}", r"\p{Hebrew}", {}, "pass"),
        (r"^Hello {i}$", "Hello {i}", {}, "pass"),
        (r"^Hello {i}$", "Hello!", {}, "fail"),
        (r"(?:colour){e<=1}", "color", {}, "fail"),
        (r"a{id}", "a{id}", {}, "pass"),
        (r"^a{2}b{1,}c{,1}d{}$", "aabbd{}", {}, "pass"),
        (r"^[[:alpha:]]$", ":]", {}, "pass"),
        (r"[[:alpha:]]", "b", {}, "fail"),
        (r"[{[]\N{BULLET}", "[•", {}, "pass"),
        ("^a # {i} [\n[[:b] {i}$", "a:{i}", {"flags": ["verbose"]}, "pass"),
        (r"(?#[{)a{i}", "a{i}", {}, "pass"),
        (r"\w{2}", "हि", {}, "pass"),
        (r"\x00", "a\x00b", {}, "pass"),
        (r"x", "", {}, "fail"),
        (r"^$", "", {}, "pass"),
        (r"x", None, {}, "fail"),
        (r"x", None, {"must_match": False}, "pass"),
        (r"^\s*$", "a", {"must_match": False}, "pass"),
        (r"(?<![\w-])\d{5}\b", "order 44310.", {}, "pass"),
        (r"(\w+) \1", "very very late", {}, "pass"),
        (r"(?i)straße", "STRASSE", {}, "fail"),
        (r"^a.b$", "a\ud800b", {}, "pass"),
        (r"b$", "a" * 2_000_000 + "b", {}, "pass"),
    ],
)
def test_cases(run: Any, pattern: str, output: str | None, more: dict[str, object], label: str) -> None:
    outcome = run("regex", output, {"pattern": pattern, **more})
    assert (outcome.label, outcome.value) == (label, float(label == "pass"))


def test_the_reason_says_what_was_found_and_where(run: Any) -> None:
    assert run("regex", "a RET-1", {"pattern": "RET-1"}).reason == "found 'RET-1' at character 2"
    assert run("regex", "abc", {"pattern": "x+"}).reason == "found nothing like 'x+' in 3 characters"
    assert run("regex", "a" * 100, {"pattern": "a+"}).reason == f"found '{'a' * 60}'... at character 0"


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(a|aa)+$", r"(a+)\1+$"])
def test_catastrophic_patterns_end_with_a_timeout(run: Any, pattern: str) -> None:
    outcome = run("regex", "a" * 200_000 + "b", {"pattern": pattern, "timeout_s": 0.2})
    assert (outcome.status, outcome.value) == (Status.TIMEOUT, None)
    assert "ended after 0.2 s" in outcome.reason


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pattern": "a("}, r"'a\(', which is no regular expression: missing \)"),
        ({"pattern": "[z-a]"}, "no regular expression"),
        ({"pattern": "foo(?i)bar"}, "no regular expression: global flags not at the start"),
        ({"pattern": "(?<n>x)"}, "no regular expression: unknown extension"),
        ({"pattern": "(?P<a>x)|(?P<a>y)"}, "no regular expression: redefinition of group name 'a'"),
        ({"pattern": "(?<=a|bc)d"}, "no regular expression: look-behind"),
        ({"pattern": r"\pL"}, r"no regular expression: bad escape \\p"),
        (
            {"pattern": "x" * 10_000 + "("},
            r"^.{0,60}found the pattern 'x{47}\.\.\.x{47}\(', which is no .{0,80}$",
        ),
        ({"pattern": ""}, "pattern: found ''"),
        ({}, "pattern: is missing"),
        ({"patern": "a", "pattern": "a"}, "unknown key 'patern'; did you mean 'pattern'"),
        ({"pattern": "a", "flags": ["ignore"]}, "found 'ignore'; did you mean 'ignorecase'"),
        ({"pattern": "a", "must_match": "maybe"}, "must_match: found 'maybe'"),
        ({"pattern": "a", "timeout_s": 0}, "timeout_s: found 0"),
    ],
)
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create_scorer("regex", None, options)
