from pathlib import Path
from typing import Any

import pytest

from judgefleet.errors import ConfigError
from judgefleet.score import Status
from judges.catalogue import create_scorer

POLICY = """sections:
  - {id: RET-1, title: Returns, text: Thirty days.}
  - {id: SHIP-12, title: Shipping, text: Five days.}
"""


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("output", "label", "reason"),
    [
        ("See RET-1.", "pass", "cited: RET-1"),
        ("RET-1 and SHIP-12, again RET-1", "pass", "cited: RET-1, SHIP-12"),
        ("(RET-1)", "pass", "cited: RET-1"),
        ("[RET-1][SHIP-12]", "pass", "cited: RET-1, SHIP-12"),
        ("<script>RET-1</script>", "pass", "cited: RET-1"),
        ("לפי RET-1 שלום", "pass", "cited: RET-1"),
        ("👉RET-1👈", "pass", "cited: RET-1"),
        ("See RET-9.", "fail", "unknown: RET-9"),
        ("RET-1, RET-9, XX-0", "fail", "unknown: RET-9, XX-0"),
        ("RET-12", "fail", "unknown: RET-12"),
        ("ret-1", "fail", "no citation"),
        ("RET-1234", "fail", "no citation"),
        ("XRET-1", "fail", "unknown: XRET-1"),
        ("RET 1", "fail", "no citation"),
        ("You can return it.", "fail", "no citation"),
        ("", "fail", "no citation"),
        (None, "fail", "no citation"),
        ("\x00RET-1\ud800", "pass", "cited: RET-1"),
        ("RET\u20111", "pass", "cited: RET-1"),
        ("RET\u20131 and SHIP\u221212", "pass", "cited: RET-1, SHIP-12"),
        ("RET\u20119", "fail", "unknown: RET-9"),
        ("政策RET-1规定", "pass", "cited: RET-1"),
        ("_RET-1_ and __SHIP-12__", "pass", "cited: RET-1, SHIP-12"),
        ("RET-1a", "fail", "no citation"),
        ("RET\u20131\u2013SHIP\u201312", "pass", "cited: RET-1, SHIP-12"),
        ("By RET-1, in UTF-8", "fail", "unknown: UTF-8"),
        ("RET-1-2", "pass", "cited: RET-1"),
        ("`SHIP-12`", "pass", "cited: SHIP-12"),
        ("RET-1 " * 300_000, "pass", "cited: RET-1"),
        (" ".join(f"AB-{n}" for n in range(8)), "fail", "unknown: AB-0, AB-1, AB-2, AB-3, AB-4 and 3 more"),
    ],
)
def test_cases(run: Any, policy: Path, output: str | None, label: str, reason: str) -> None:
    outcome = run("policy_citation", output, {"policy": str(policy)})
    assert (outcome.label, outcome.value, outcome.reason) == (label, float(label == "pass"), reason)


def test_a_pattern_of_ones_own(run: Any, policy: Path) -> None:
    options = {"policy": str(policy), "pattern": r"\b(RET|SHIP)-\d+\b"}
    assert run("policy_citation", "By UTF-8 and RET-1", options).reason == "cited: RET-1"
    assert run("policy_citation", "By UTF-8 and RET-1", {"policy": str(policy)}).reason == "unknown: UTF-8"


def test_an_id_may_be_written_with_any_hyphen(run: Any, policy: Path) -> None:
    policy.write_text(POLICY.replace("RET-1", "RET\u20111"), encoding="utf-8")
    assert run("policy_citation", "RET-1", {"policy": str(policy)}).label == "pass"


def test_a_pattern_that_takes_too_long_is_a_timeout(run: Any, policy: Path) -> None:
    options = {"policy": str(policy), "pattern": r"(?:[A-Z]+)+-?\d+"}
    assert run("policy_citation", "A" * 200_000, options).status is Status.TIMEOUT


def test_the_policy_is_part_of_the_fingerprint_and_its_place_is_not(policy: Path, tmp_path: Path) -> None:
    def fingerprint(path: Path) -> str:
        return create_scorer("policy_citation", "p", {"policy": str(path)}).info.fingerprint

    moved = tmp_path / "moved.yaml"
    moved.write_text(POLICY, encoding="utf-8")
    before = fingerprint(policy)
    assert fingerprint(moved) == before
    policy.write_text(POLICY.replace("Thirty", "Sixty"), encoding="utf-8")
    assert fingerprint(policy) != before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sections: []", "sections"),
        ("section: []", "unknown key 'section'"),
        ("sections: [{id: RET-1}]", "is missing"),
        ("sections: [{id: returns, title: a, text: b}]", "'returns' does not match the pattern"),
        (POLICY + "  - {id: RET-1, title: a, text: b}", "'RET-1' stands twice"),
        ("- a", "found a list"),
        ("a: [", "not YAML"),
        ("", "found nothing"),
    ],
)
def test_bad_policy(policy: Path, text: str, message: str) -> None:
    policy.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        create_scorer("policy_citation", None, {"policy": str(policy)})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"policy": "no/such/policy.yaml"}, "no such file"),
        ({}, "policy: is missing"),
        ({"policy": ".", "pattern": "("}, "no regular expression"),
        ({"policy": ".", "pattern": "(?<n>x)"}, "no regular expression"),
        ({"policy": 5}, "policy: found 5"),
        ({"policy": ".", "patern": "x"}, "did you mean 'pattern'"),
    ],
)
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create_scorer("policy_citation", None, options)
