# ruff: noqa: RUF001
"""The guard finds what the checks find, soon, without anything heavy, and says nothing of a text."""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgefleet.errors import ConfigError
from judgefleet.sample import Sample
from judgefleet.trace import Trace
from judges.catalogue import create_scorer
from judges.checks.pii_find import Kind, find_pii
from judges.checks.word_places import lay
from judges.guard import CannotRedactError, Finding, Guard, Verdict
from judges.guard.options import KindName

MAIL, CARD, IBAN, PHONE = "anna.berg@post.example", "4111 1111 1111 1111", "DE89370400440532013000", "+49 89 1234567"
KINDS: tuple[KindName, ...] = ("email", "iban", "card", "phone")
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["days"],
    "properties": {"days": {"type": "integer"}, "note": {"pattern": "(a|aa)+$"}},
}
PHRASES = ("Project Bluebird", "refund", "Straße", "c++")
EVERYTHING = Guard(
    pii=KINDS, pii_allow=("@shop.example",), forbidden=PHRASES, patterns=(r"(?i)internal-\d+",), json_schema=SCHEMA
)
JSON = Guard(json_schema=SCHEMA)
CONTENT = Guard(pii=KINDS, forbidden=PHRASES, patterns=(r"(?i)internal-\d+",), timeout_ms=10_000)


def found(guard: Guard, text: str) -> list[tuple[str, str, str]]:
    return [(f.check, f.kind, text[f.start : f.end]) for f in guard(text).findings]


def label(use: str, text: str, options: dict[str, Any]) -> str | None:
    scorer = create_scorer(use, None, options)
    sample = Sample(trace=Trace(trace_id="t", output=text), stratum="all", inclusion_probability=1.0, plan_hash="p")
    (outcomes,) = scorer.score([sample])
    return next(iter(outcomes.values())).label


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Your parcel left on 2026-11-20; EUR 89.90 will follow.", []),
        ("", []),
        (f"{CARD}, {MAIL}", [("pii", "card", CARD), ("pii", "email", MAIL)]),
        (f"IBAN {IBAN}, call {PHONE}.", [("pii", "iban", IBAN), ("pii", "phone", PHONE)]),
        ("\u200b٤١١١ ١١١١ ١١١١ ١١١١!", [("pii", "card", "٤١١١ ١١١١ ١١١١ ١١١١")]),
        ("It is PROJECT \n\tbluebird.", [("forbidden", "phrase 1", "PROJECT \n\tbluebird")]),
        ("Refunds, prerefund", []),
        ("refund refund", [("forbidden", "phrase 2", "refund"), ("forbidden", "phrase 2", "refund")]),
        ("Die STRASSE, die Straße", [("forbidden", "phrase 3", "STRASSE"), ("forbidden", "phrase 3", "Straße")]),
        ("é e\u0301 C++!", [("forbidden", "phrase 4", "C++")]),
        ("See internal-77 and INTERNAL-8", [("patterns", "pattern 1", t) for t in ("internal-77", "INTERNAL-8")]),
    ],
)
def test_content(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert found(CONTENT, text) == expected


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"days": 3}', None),
        ('{"days": "3"}', "type"),
        ("{}", "required"),
        ("[]", "type"),
        ("3 days", "not JSON"),
        ("[" * 5000, "not JSON"),
        ('{"days": 3, "note": "%s!"}' % ("a" * 60), "timeout"),
        ('```json\n{"days": 3}\n```', "not JSON"),
    ],
)
def test_json(text: str, kind: str | None) -> None:
    assert JSON(text).findings == (
        () if kind is None else (Finding(check="json_schema", kind=kind, start=0, end=len(text)),)
    )


def test_json_in_a_fence_and_a_schema_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(SCHEMA))
    guard = Guard(json_schema=path, json_within_fence=True)
    assert guard('Here:\n```json\n{"days": 3}\n```').ok
    assert not guard('Here:\n```json\n{"days": null}\n```').ok


def test_what_is_allowed_is_no_finding() -> None:
    guard = Guard(pii=("email", "phone"), pii_allow=("@shop.example", PHONE), phone_regions=("DE",))
    assert guard("help@shop.example, 089/1234567").ok
    assert [f.kind for f in guard(f"{MAIL}, 089 7654321").findings] == ["email", "phone"]


def test_national_numbers_count_where_they_are_asked_for() -> None:
    assert Guard(pii=("phone",))("089 1234567").ok
    assert found(Guard(pii=("phone",), phone_regions=("DE",)), "Tel 089 1234567") == [("pii", "phone", "089 1234567")]


def test_a_text_that_is_too_long_is_not_read() -> None:
    guard = Guard(max_chars=10, pii=("email",))
    assert guard("a@b.example ").findings == (Finding(check="max_chars", kind="too long", start=10, end=12),)
    assert guard("a" * 10).ok
    with pytest.raises(CannotRedactError, match="max_chars"):
        guard.redact("a" * 11)


@pytest.mark.parametrize("leaked", [MAIL, CARD, IBAN, PHONE, "internal-4711", '{"days": "hush"}', '{"hush": 1}'])
def test_no_representation_holds_a_word_of_the_text(leaked: str) -> None:
    verdict = EVERYTHING(f"{leaked}" if leaked.startswith("{") else f"It is {leaked}!")
    assert not verdict.ok
    shown = repr(verdict) + str(verdict) + json.dumps(verdict.to_dict())
    assert leaked not in shown
    assert "hush" not in shown
    assert "4711" not in shown


def test_redaction() -> None:
    text = f"Write to {MAIL} or pay with {CARD} (project  bluebird, internal-7)."
    assert CONTENT.redact(text) == "Write to [email] or pay with [card] ([phrase 1], [pattern 1])."
    assert EVERYTHING.redact("not JSON, refund") == "not JSON, [phrase 2]"


def test_what_shows_only_when_its_neighbour_is_gone_is_redacted_too() -> None:
    assert found(CONTENT, MAIL + CARD) == [("pii", "email", MAIL)]
    assert CONTENT.redact(MAIL + CARD) == "[email][card]"


def test_a_name_that_is_forbidden_cannot_stand_for_what_was_found() -> None:
    with pytest.raises(CannotRedactError, match="found again"):
        Guard(forbidden=("phrase 1",)).redact("It is phrase 1.")


def test_findings_that_overlap_are_redacted_as_one() -> None:
    guard = Guard(pii=("email",), forbidden=("post.example",), patterns=("anna.*post",))
    assert guard.redact(f"<{MAIL}>") == "<[email]>"


FRAGMENTS = st.sampled_from(
    [
        *(MAIL, CARD, IBAN, PHONE, "0049 89 1234567", "a@b.c", "4111", "+49", "refund", "REFUND", "Project", " ", "\n"),
        *("bluebird", "strasse", "Straße", "ﬀ", "e\u0301", "\u200b", "\u0301" * 40, "İ", "c++", "internal-1", "\x00"),
        *("１", "가", "\u1100\u1161", "ก็", "नि", "\u200e", "🇩🇪", "👩\u200d👧", "_", "-", ".", "\ud800", "ẞ", "\u0345"),
    ]
)
TEXTS = st.one_of(st.lists(FRAGMENTS, max_size=12).map("".join), st.text(max_size=60))


@cache
def guard_of(**options: Any) -> Guard:
    """Phrases alone."""
    return Guard(**{"forbidden": PHRASES, **options})


@settings(deadline=None)
@given(TEXTS)
def test_personal_data_are_those_of_the_check(text: str) -> None:
    wanted = sorted((f.start, f.end, f.kind.value) for f in find_pii(text))
    verdict = CONTENT(text)
    assert sorted((f.start, f.end, f.kind) for f in verdict.findings if f.check == "pii") == wanted
    assert (label("pii", text, {}) == "fail") == bool(wanted)


@settings(deadline=None)
@given(TEXTS, st.booleans(), st.booleans())
def test_phrases_are_those_of_the_check(text: str, ignore_case: bool, whole_words: bool) -> None:
    options = {"ignore_case": ignore_case, "whole_words": whole_words}
    guard = guard_of(**options)
    kinds = {f.kind for f in guard(text).findings}
    for number, phrase in enumerate(PHRASES, 1):
        failed = label("contains", text, {"none_of": [phrase], **options}) == "fail"
        assert failed == (f"phrase {number}" in kinds)


@settings(deadline=None)
@given(TEXTS)
def test_patterns_and_schemas_are_those_of_the_check(text: str) -> None:
    pattern = {"pattern": r"(?i)internal-\d+", "must_match": False}
    assert any(f.check == "patterns" for f in CONTENT(text).findings) == (label("regex", text, pattern) == "fail")
    for answer in (text, json.dumps({"days": text}), json.dumps({"days": 1, "more": text})):
        assert JSON(answer).ok == (label("json_schema", answer, {"schema": SCHEMA}) == "pass")


@settings(deadline=None)
@given(TEXTS, st.booleans())
def test_a_place_holds_the_phrase_and_nothing_else(text: str, ignore_case: bool) -> None:
    """What stands at a place has the phrase's own form, but for the rest of a character that the phrase ends in."""
    written = lay(text, ignore_case=ignore_case)
    for phrase in PHRASES:
        single = guard_of(forbidden=(phrase,), ignore_case=ignore_case, whole_words=False)
        for f in single(text).findings:
            assert not single(text[f.start : f.end]).ok
            if written.fits:
                assert single(text[f.start : f.end]).findings[0].end == f.end - f.start


@settings(deadline=None)
@given(TEXTS)
def test_nothing_is_left_after_redaction(text: str) -> None:
    assert CONTENT(CONTENT.redact(text)).ok


MEGABYTES_10 = 10_000_000
HOSTILE = {
    "words": "word " * (MEGABYTES_10 // 5),
    "one letter": "a" * MEGABYTES_10,
    "digits": "4" * MEGABYTES_10,
    "national numbers": "000-0000 " * (MEGABYTES_10 // 9),
    "phones": "+49 89 1234567 " * (MEGABYTES_10 // 15),
    "addresses": "a@b.example " * (MEGABYTES_10 // 12),
    "at signs": "a@" * (MEGABYTES_10 // 2),
    "brackets": "[" * MEGABYTES_10,
    "combining": "e" + "\u0301" * (MEGABYTES_10 // 2),
    "zero width": "4\u200b" * (MEGABYTES_10 // 4),
    "phrases": "refund " * (MEGABYTES_10 // 7),
    "not ASCII": "Straße 👩‍👧 " * (MEGABYTES_10 // 12),
    "surrogates": "\ud8001@" * (MEGABYTES_10 // 4),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_ten_megabytes_are_answered_at_once(text: str) -> None:
    started = time.process_time()
    verdict = EVERYTHING(text)
    assert time.process_time() - started < 0.05
    assert [f.check for f in verdict.findings] == ["max_chars"]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_within_the_limit_is_answered_soon(text: str) -> None:
    """20,000 characters, 0.1 s for the searches; the limit leaves room for a machine that does something else."""
    guard = Guard(pii=KINDS, phone_regions=("DE", "US"), forbidden=PHRASES, patterns=(r"(\w+\s?)+!$",))
    started = time.process_time()
    guard(text[:20_000])
    assert time.process_time() - started < 1


def test_a_pattern_that_takes_too_long_is_a_finding_and_no_pass() -> None:
    guard = Guard(patterns=(r"(a|aa)+$",), timeout_ms=20)
    started = time.process_time()
    assert guard("a" * 60 + "!").findings == (Finding(check="patterns", kind="timeout", start=0, end=61),)
    assert time.process_time() - started < 1
    with pytest.raises(CannotRedactError, match="timeout"):
        guard.redact("a" * 60 + "!")


def test_many_slow_matches_share_one_limit() -> None:
    """Each would be within the limit by itself."""
    schema = {"items": {"pattern": "^(a|aa)+$|!"}}
    guard, answer = Guard(json_schema=schema, timeout_ms=50), json.dumps(["a" * 22 + "!"] * 400)
    started = time.process_time()
    assert [f.kind for f in guard(answer).findings] == ["timeout"]
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"pii": ("mail",)}, "'mail'.*email"),
        ({"forbiden": ("x",)}, "unknown key 'forbiden'; did you mean 'forbidden'"),
        ({"forbidden": (" ",)}, "can be seen"),
        ({"forbidden": "x"}, "forbidden"),
        ({"patterns": ("(",)}, "no regular expression"),
        ({"json_schema": {"type": "objct"}}, "not JSON Schema"),
        ({"json_schema": Path("no-such.json")}, "no-such.json"),
        ({"max_chars": 0}, "max_chars"),
        ({"timeout_ms": 0}, "timeout_ms"),
        ({"pii": ("phone",), "phone_regions": ("de",)}, "no region 'de'"),
        ({"pii": ("email",), "phone_regions": ("DE",)}, r"go with pii: \[phone\]"),
        ({"pii_allow": (MAIL,)}, "go with pii"),
        ({"pii": ("email",), "pii_allow": ("anna",)}, "found 'anna'"),
    ],
)
def test_bad_options(options: Any, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        Guard(**options)


def test_yaml(tmp_path: Path) -> None:
    path = tmp_path / "guard.yaml"
    path.write_text("max_chars: 4000\npii: [email, card]\nforbidden:\n  - project bluebird\n")
    guard = Guard.from_yaml(path)
    assert [f.check for f in guard(f"{MAIL} on project bluebird").findings] == ["pii", "forbidden"]
    path.write_text("pii: [email]\nmax_char: 10\n")
    with pytest.raises(ConfigError, match=r"guard.yaml:2: max_char: unknown key"):
        Guard.from_yaml(str(path))


@pytest.mark.parametrize("text", [None, 3, b"text"])
def test_only_text_is_read(text: Any) -> None:
    with pytest.raises(TypeError, match=r"found (NoneType|int|bytes)"):
        EVERYTHING(text)


def test_threads_share_a_guard() -> None:
    texts = [f"{CARD} {n} {MAIL} refund" if n % 2 else json.dumps({"days": n}) for n in range(200)]
    expected = [EVERYTHING(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(EVERYTHING, texts)) == expected


def test_kinds_are_those_of_the_check() -> None:
    assert set(get_args(KindName)) == set(KINDS) == {kind.value for kind in Kind}
    assert Verdict(findings=()).ok


def test_importing_is_light() -> None:
    code = (
        "import sys, time\n"
        "started = time.process_time()\n"
        "import judges.guard\n"
        "spent = time.process_time() - started\n"
        "heavy = {'pandas', 'pyarrow', 'numpy', 'torch', 'ray', 'transformers', 'scipy', 'pydantic', 'jsonschema'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
        "judges.guard.Guard(pii=('email', 'card', 'phone'), forbidden=('x',), json_schema={'type': 'object'})('{}')\n"
        "print(sorted((heavy - {'pydantic', 'jsonschema'}) & set(sys.modules)))\n"
        "print(spent)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    imported, built, spent = ran.stdout.splitlines()
    assert (imported, built) == ("[]", "[]")
    assert float(spent) < 0.1
