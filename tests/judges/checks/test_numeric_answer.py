# ruff: noqa: RUF001
import pickle
from fractions import Fraction
from typing import Any

import pytest

from judgefleet.errors import ConfigError
from judgefleet.score import Status
from judgefleet.scorer import Need
from judges.catalogue import create_scorer
from judges.checks.number_text import Notation

MARK = {"marker": "####"}
COMMA = {"decimal": ","}


@pytest.mark.parametrize(
    ("output", "options", "expected", "label"),
    [
        ("42", {}, 42, "pass"),
        ("The answer is 42.", {}, 42, "pass"),
        ("6 times 7 is 42", {}, 42, "pass"),
        ("42 is 6 times 7", {}, 42, "fail"),
        ("42 is 6 times 7", {"answer": "first"}, 42, "pass"),
        ("It is 41.", {}, 42, "fail"),
        ("It is -42.", {}, 42, "fail"),
        ("It is −42.", {}, -42, "pass"),
        ("That makes $1,250.", {}, 1250, "pass"),
        ("That makes $1,250.50", {}, 1250.5, "pass"),
        ("1_000_000", {}, 1_000_000, "pass"),
        ("12,34,567 rupees", {}, 1_234_567, "pass"),
        ("1.5e3", {}, 1500, "pass"),
        ("1.5 × 10^3", {}, 1500, "pass"),
        ("2·10⁻³", {}, 0.002, "pass"),
        ("50%", {}, 50, "pass"),
        ("50 %", {"percent": "divide"}, 0.5, "pass"),
        ("50 percent", {"percent": "divide"}, 0.5, "pass"),
        ("0.5", {"percent": "divide"}, 0.5, "pass"),
        ("3/4", {}, 0.75, "pass"),
        (".5", {}, 0.5, "pass"),
        ("٤٢", {}, 42, "pass"),
        ("1.234,5 Euro", COMMA, 1234.5, "pass"),
        ("1 234,5 €", COMMA, 1234.5, "pass"),
        ("3,14", COMMA, 3.14, "pass"),
        ("1'234.50", {}, 1234.5, "pass"),
        ("0.1", {}, 0.1, "pass"),
        ("0.30000000000000004", {}, 0.3, "fail"),
        ("3.14", {"absolute_tolerance": 0.01}, 3.14159, "pass"),
        ("3.13", {"absolute_tolerance": 0.01}, 3.14159, "fail"),
        ("1.1", {"absolute_tolerance": 0.1}, 1, "pass"),
        ("99", {"relative_tolerance": 0.01}, 100, "pass"),
        ("98.9", {"relative_tolerance": 0.01}, 100, "fail"),
        ("-99", {"relative_tolerance": 0.01}, -100, "pass"),
        ("0.001", {"relative_tolerance": 0.5}, 0, "fail"),
        ("105", {"absolute_tolerance": 1, "relative_tolerance": 0.05}, 100, "pass"),
        ("9 + 9 = 18\n#### 18", MARK, 18, "pass"),
        ("#### 18 (of 20)", MARK, 18, "pass"),
        ("#### 17\nNo: #### 18", MARK, 18, "pass"),
        ("#### 17\nNo: #### 18", {**MARK, "answer": "first"}, 17, "pass"),
        ("so it is 18", MARK, 18, "fail"),
        ("#### none, 18", MARK, 18, "pass"),
        (r"Thus \boxed{1,024} of 7", {"marker": r"\\boxed"}, 1024, "pass"),
        ("Answer: 5 of 9", {"marker": "(?i)answer:"}, 5, "pass"),
        ("forty-two", {}, 42, "fail"),
        ("", {}, 0, "fail"),
        (None, {}, 0, "fail"),
        ("model A4 and H2O and GPT-4 say 7", {}, 7, "pass"),
        ("7 says GPT-4", {}, 7, "pass"),
        ("1e400", {}, 0, "fail"),
    ],
)
def test_cases(run: Any, output: str | None, options: dict[str, object], expected: float, label: str) -> None:
    outcome = run("numeric_answer", output, {**options, "expected": expected})
    assert (outcome.label, outcome.value) == (label, float(label == "pass"))


@pytest.mark.parametrize(
    ("output", "options", "reason"),
    [
        ("It is 41.", {}, "found '41', expected 42"),
        ("40", {"absolute_tolerance": 1, "relative_tolerance": 0.01}, "allowed: 1 or 0.01 of it more or less"),
        ("none", {}, "found no number in 4 characters"),
        ("none", MARK, "found nothing like '####' in 4 characters"),
        ("#### none", MARK, "found no number after '####'"),
    ],
)
def test_the_reason_of_a_failure(run: Any, output: str, options: dict[str, object], reason: str) -> None:
    outcome = run("numeric_answer", output, {**options, "expected": 42})
    assert outcome.label == "fail"
    assert reason in outcome.reason


@pytest.mark.parametrize(
    ("output", "options"),
    [
        ("1,5", {}),
        ("1.5", COMMA),
        ("3 000 000", {}),
        ("10.10.2024", {}),
        ("12:30", {}),
        ("3 1/2", {}),
        ("3 1/2", {"answer": "first"}),
        ("007", {}),
        ("3/0", {}),
        ("1e99999", {}),
        ("9" * 2_000_000, {}),
        ("1,2,3", {}),
    ],
)
def test_a_number_that_can_be_read_in_several_ways_is_no_guess(
    run: Any, output: str, options: dict[str, object]
) -> None:
    outcome = run("numeric_answer", output, {**options, "expected": 1})
    assert (outcome.status, outcome.value) == (Status.UNPARSED, None)
    assert "no clear number with" in outcome.reason


@pytest.mark.parametrize(
    ("reference", "options", "label"),
    [
        ("42", {}, "pass"),
        ("42 apples", {}, "pass"),
        ("She has 6 * 7 apples.\n#### 42", MARK, "pass"),
        ("#### 42 of 50", MARK, "pass"),
        ("42", MARK, "pass"),
        ("41", {}, "fail"),
    ],
)
def test_the_reference_is_what_is_expected(run: Any, reference: str, options: dict[str, object], label: str) -> None:
    assert run("numeric_answer", "#### 42", options, reference=reference).label == label


@pytest.mark.parametrize(
    ("reference", "options", "reason"),
    [
        (None, {}, "the reference has no number"),
        ("many", {}, "the reference has no number"),
        ("6 * 7", {}, "the reference has several numbers and there is no marker"),
        ("6 * 7", MARK, "the reference has several numbers and nothing like '####'"),
        ("1,5", {}, "the reference has '1,5', which is no clear number"),
        ("#### ", MARK, "the reference has no number"),
    ],
)
def test_a_reference_without_one_clear_number_is_not_applicable(
    run: Any, reference: str | None, options: dict[str, object], reason: str
) -> None:
    outcome = run("numeric_answer", "#### 42", options, reference=reference)
    assert (outcome.status, outcome.value, outcome.reason) == (Status.NOT_APPLICABLE, None, reason)


def test_an_expected_zero_is_expected(run: Any) -> None:
    assert run("numeric_answer", "0", {"expected": 0}).label == "pass"
    assert run("numeric_answer", "1", {"expected": 0}, reference="1").label == "fail"
    assert create_scorer("numeric_answer", None, {"expected": 0}).info.needs == {Need.OUTPUT}
    assert create_scorer("numeric_answer").info.needs == {Need.OUTPUT, Need.REFERENCE}


def test_a_search_that_takes_too_long_is_a_timeout(run: Any) -> None:
    outcome = run("numeric_answer", "a" * 200_000, {"expected": 1, "marker": "(a+)+b"})
    assert (outcome.status, outcome.value) == (Status.TIMEOUT, None)


def test_it_travels_to_another_process(run: Any) -> None:
    scorer = create_scorer("numeric_answer", None, MARK)
    assert scorer.score([]) == []
    assert run("numeric_answer", "7", {"expected": 7}).label == "pass"
    assert pickle.loads(pickle.dumps(scorer)).info == scorer.info


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("3-5 apples", ["3", "5"]),
        ("x=-3, y = 4", ["-3", "4"]),
        ("20%-30%", ["20", "30"]),
        ("in 2020 500 people", ["2020", "500"]),
        ("5, 6, 7", ["5", "6", "7"]),
        ("(5) [6] <7> **8** $9$", ["5", "6", "7", "8", "9"]),
        ("EUR50, 5kg, No. 7", ["50", "5", "7"]),
        ("-$5 and $-6", ["-5", "-6"]),
        ("1\u202f234 and 1\u00a0234", ["1234", "1234"]),
        ("v2 A4 COVID-19 top-5", []),
        ("-1/4 and 1.25E-2", ["-1/4", "1/80"]),
        ("１２３ and ٣٤", ["123", "34"]),
        ("½, VII, two, Infinity, NaN", []),
    ],
)
def test_numbers_as_people_write_them(text: str, wanted: list[str]) -> None:
    assert [n.value for n in Notation().read(text)] == [Fraction(number) for number in wanted]


def test_separators_of_ones_own(run: Any) -> None:
    assert run("numeric_answer", "3 000", {"expected": 3000, "thousands": " "}).label == "pass"
    assert run("numeric_answer", "3 000 500", {"expected": 500, "thousands": ","}).label == "pass"
    assert run("numeric_answer", "3,000", {"expected": 3000, "thousands": " "}).status is Status.UNPARSED


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"expected": "42"}, "found '42'"),
        ({"expected": True}, "found True"),
        ({"expected": float("nan")}, "found nan"),
        ({"expected": float("inf")}, "found inf"),
        ({"absolute_tolerance": -1}, "absolute_tolerance: found -1"),
        ({"relative_tolerance": float("inf")}, "relative_tolerance: found inf"),
        ({"relative_tolerance": "1%"}, "relative_tolerance: found '1%'"),
        ({"answer": "middle"}, "found 'middle'; .*allowed: first, last"),
        ({"marker": "("}, "no regular expression"),
        ({"marker": ""}, "marker: found ''"),
        ({"decimal": ";"}, "found ';'"),
        ({"thousands": "."}, r"found '\.'; allowed: marks and spaces"),
        ({"thousands": "d"}, "found 'd'; allowed: marks and spaces"),
        ({"thousands": "-"}, "found '-'; allowed: marks and spaces"),
        ({"percent": "keep"}, "found 'keep'; .*divide, ignore"),
        ({"tolerance": 1}, "unknown key 'tolerance'"),
    ],
)
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create_scorer("numeric_answer", None, options)
