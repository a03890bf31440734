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
        ("VII, two, Infinity, NaN", []),
        ("½ ⅓ 1½ −2¾", ["1/2", "1/3", "3/2", "-11/4"]),
        ("１，２３４ and ３．５ and ５﹪", ["1234", "3.5", "5"]),
        ("٣٫٥ and ١٬٢٣٤ and ١٬٢٣٤٫٥", ["3.5", "1234", "1234.5"]),
        (
            r"1{,}250 and $1{,}250.75$ and 1\,250 and 1,\!250 and 1\;000\;000",
            ["1250", "1250.75", "1250", "1250", "1000000"],
        ),
        (r"\boxed{1{,}250}", ["1250"]),
        (r"\frac{3}{4} and -\dfrac{1}{2}", ["3/4", "-1/2"]),
        ("10^6, 2^10, 10⁶, 10^{-3}, 2**8, -2^2", ["1000000", "1024", "1000000", "1/1000", "256", "-4"]),
        ("10<sup>6</sup> or 1.5 × 10 ^ 3 or 1.5 × 10^{3}", ["1000000", "1500", "1500"]),
        ("2⁄3 and 2／3", ["2/3", "2/3"]),
        ("‑5; ﹣5; －5; −5; –5; −\u00a05; it is − 5", ["-5"] * 7),
        ("8 − 5 = 3", ["8", "5", "3"]),
        ("x = - 5", ["-5"]),
        ("- 5 apples", ["5"]),
        ("GPT‑4 and 3‑5", ["3", "5"]),
        ("AUD1250 SEK1,250 -USD50 −CHF 5", ["1250", "1250", "-50", "-5"]),
        ("COP28, NAD83, PHP8, TOP10, RAUD5", []),
        ("25 m^2, 7 m^{-1}, 3x^2, 5 cm<sup>2</sup>, 9 m²", ["25", "7", "3", "5", "9"]),
        (r"$45^\circ$ and 30^{\circ}", ["45", "30"]),
        ("42[^1] and 43 ^_^", ["42", "43"]),
        ("-\u200e5 and 1\u2060234", ["-5", "1234"]),
    ],
)
def test_numbers_as_people_write_them(text: str, wanted: list[str]) -> None:
    assert [n.value for n in Notation().read(text)] == [Fraction(number) for number in wanted]


@pytest.mark.parametrize(
    "text",
    [
        "2024-10-15",
        "10-15-2024",
        "2024‑10‑15",
        "555-0199-123",
        "3½.5",
        "3 ½",
        "3\u00a0½",
        "3-1/2",
        "⅓^2",
        r"\frac{x+1}{4}",
        r"\frac{\sqrt{3}}{2}",
        r"\frac34",
        r"2\frac{1}{2}",
        r"\frac{1}{0}",
        r"\frac{3}{4}\pi",
        r"\sqrt{16}",
        "√16",
        r"2\sqrt{3}",
        "2π",
        "2 pi",
        "2pi",
        "5π/6",
        "π/6",
        r"-\pi/6",
        r"\sqrt{3}/2",
        "√3/2",
        "10^n",
        "10^{n+1}",
        "2^{2^3}",
        "10^6.5",
        "2/3^2",
        "1e5^2",
        "0^-1",
        "9^9999",
        "10^{6",
        "5‰",
        "±5",
        "0x1F",
        "1.5e3kg",
        "10₂",
        "5\u00a010",
        "١،٢٣٤",
        "3{,}14",
    ],
)
def test_what_is_not_worked_out_is_one_number_without_a_value(text: str) -> None:
    assert [n.value for n in Notation().read(f"It is {text}.")] == [None]


def test_a_power_of_what_stands_in_brackets_is_no_number_of_its_own(run: Any) -> None:
    assert [n.value for n in Notation().read("(1+2)^2")] == [1, 2, None]
    assert run("numeric_answer", "It is (1+2)^2", {"expected": 2}).status is Status.UNPARSED


def test_the_mark_of_a_script_is_read_with_both_decimal_marks(run: Any) -> None:
    for text, value in (("٣٫٥", 3.5), ("١٬٢٣٤٫٥", 1234.5), ("3{,}5", 3.5), ("1{.}234", 1234), ("３，５", 3.5)):
        assert run("numeric_answer", text, {"expected": value, **COMMA}).label == "pass"


def test_percent_signs_of_all_scripts_divide(run: Any) -> None:
    for text in ("42%", "42٪", "42 ％", r"42\%", "42﹪"):
        assert run("numeric_answer", text, {"expected": 0.42, "percent": "divide"}).label == "pass"


def test_separators_of_ones_own(run: Any) -> None:
    assert run("numeric_answer", "3 000", {"expected": 3000, "thousands": " "}).label == "pass"
    assert run("numeric_answer", "3 000 500", {"expected": 500, "thousands": ","}).label == "pass"
    assert run("numeric_answer", "3,000", {"expected": 3000, "thousands": " "}).status is Status.UNPARSED
    assert run("numeric_answer", "3，000", {"expected": 3000, "thousands": "，"}).label == "pass"
    assert run("numeric_answer", "١٬٢٣٤", {"expected": 1234, "thousands": ","}).status is Status.UNPARSED


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
        ({"thousands": "⁄"}, "found '/'; allowed: marks and spaces"),
        ({"thousands": "．"}, r"found '\.'; allowed: marks and spaces"),
        ({"percent": "keep"}, "found 'keep'; .*divide, ignore"),
        ({"tolerance": 1}, "unknown key 'tolerance'"),
    ],
)
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create_scorer("numeric_answer", None, options)
