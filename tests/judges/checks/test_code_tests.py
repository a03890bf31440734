import pickle
import textwrap
from pathlib import Path
from typing import Any

import pytest

from judgefleet.errors import ConfigError
from judgefleet.score import Status
from judges.catalogue import create_scorer

ADD, SUBTRACT = "def add(a, b):\n    return a + b", "def add(a, b):\n    return a - b"
ASSERTS = "assert add(2, 3) == 5\nassert add(0, 0) == 0"
FUNCTIONS = "def test_small():\n    assert add(2, 3) == 5\n\ndef test_zero():\n    assert add(0, 0) == 0"
CASES = textwrap.dedent("""
    import unittest
    from solution import add

    class TestAdd(unittest.TestCase):
        def setUp(self):
            self.two = 2

        def test_small(self):
            self.assertEqual(add(self.two, 3), 5)

        def test_raises(self):
            with self.assertRaises(TypeError):
                add(self.two, "x")

        def test_many(self):
            for n in range(3):
                with self.subTest(n=n):
                    self.assertEqual(add(n, n), 2 * n)

    if __name__ == "__main__":
        unittest.main()
""")


def fenced(code: str, language: str = "python") -> str:
    return f"Here you are:\n```{language}\n{code}\n```\nGood luck!"


@pytest.mark.parametrize(
    ("output", "tests", "label", "reason"),
    [
        (ADD, ASSERTS, "pass", "1 test passed"),
        (fenced(ADD), ASSERTS, "pass", "1 test passed"),
        (ADD, FUNCTIONS, "pass", "2 tests passed"),
        (ADD, CASES, "pass", "3 tests passed"),
        (SUBTRACT, ASSERTS, "fail", "line 1: assert add(2, 3) == 5: false"),
        (SUBTRACT, FUNCTIONS, "fail", "test_small, line 2: assert add(2, 3) == 5: false"),
        (SUBTRACT, CASES, "fail", "test_many, line 19: self.assertEqual(add(n, n), 2 * n): false 0 != 2"),
        (
            ADD,
            "assert add(2, 2) == 5, 'two and two'",
            "fail",
            "line 1: assert add(2, 2) == 5, 'two and two': false two",
        ),
        ("def sub(a, b): return a - b", ASSERTS, "fail", "assert add(2, 3) == 5: NameError: name 'add' is not defined"),
        ("def add(a): return a", ASSERTS, "fail", "TypeError: "),
        ("def add(a, b): return a +", ASSERTS, "fail", "the code does not load: SyntaxError: invalid syntax"),
        ("def add(a, b): return 1 / 0", ASSERTS, "fail", "ZeroDivisionError: division by zero"),
        (
            "import numpy\n" + ADD,
            ASSERTS,
            "fail",
            "the code does not load: ModuleNotFoundError: No module named 'numpy'",
        ),
        ("raise RuntimeError('no')", ASSERTS, "fail", "the code does not load: RuntimeError: no"),
        ("Sorry, I cannot help.", ASSERTS, "fail", "the code does not load: SyntaxError"),
        ("def add(a, b): pass", ASSERTS, "fail", "line 1: assert add(2, 3) == 5: false"),
        ("", ASSERTS, "fail", "found no code"),
        (" \n", ASSERTS, "fail", "found no code"),
        (None, ASSERTS, "fail", "found no code"),
        (fenced(""), ASSERTS, "fail", "found no code"),
        (f"{fenced('pip install it', 'bash')}\n{fenced(ADD)}", ASSERTS, "pass", "1 test passed"),
        (f"{fenced('x', 'text')}\n{fenced(ADD, '')}", ASSERTS, "pass", "1 test passed"),
        (f"{fenced(ADD)}\n{fenced(SUBTRACT)}", ASSERTS, "pass", "1 test passed"),
        ("x = 1\x00", ASSERTS, "fail", "the code does not load: "),
        ("x = '\ud800'", ASSERTS, "fail", "the code does not load: UnicodeEncodeError"),
        ("(" * 100_000, ASSERTS, "fail", "the code does not load: "),
        ("x = 1\n" * 200_000, ASSERTS, "fail", "NameError"),
    ],
)
def test_cases(run: Any, output: str | None, tests: str, label: str, reason: str) -> None:
    outcome = run("code_tests", output, {"tests": tests})
    assert reason in outcome.reason
    assert (outcome.label, outcome.value) == (label, float(label == "pass"))
    outcome.reason.encode("utf-8")


@pytest.mark.parametrize(
    ("block", "label"),
    [("first", "fail"), ("last", "pass"), ("whole", "fail")],
)
def test_which_block_counts(run: Any, block: str, label: str) -> None:
    output = f"{fenced(SUBTRACT)}\nNo, rather:\n{fenced(ADD)}"
    assert run("code_tests", output, {"tests": ASSERTS, "block": block}).label == label


def test_a_program_that_runs_out_of_time_fails(run: Any) -> None:
    outcome = run("code_tests", "def add(a, b):\n    while True: pass", {"tests": ASSERTS, "timeout_s": 0.5})
    assert (outcome.status, outcome.value) == (Status.OK, 0.0)
    assert outcome.reason == "out of time: not done after 0.5 s"


@pytest.mark.parametrize(
    ("tests", "reason"),
    [
        ("import sys; sys.exit(0)", "the tests end themselves (SystemExit)"),
        ("import os; os._exit(0)", "the tests ended without a verdict (exit 0)"),
        ("import unittest; unittest.main()", "the tests end themselves (SystemExit)"),
    ],
)
def test_broken_tests_are_no_fault_of_the_answer(run: Any, tests: str, reason: str) -> None:
    outcome = run("code_tests", ADD, {"tests": tests})
    assert (outcome.status, outcome.value) == (Status.ENGINE_ERROR, None)
    assert reason in outcome.reason


def test_tests_from_a_file_and_from_the_trace(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "tests.py"
    path.write_text(ASSERTS, encoding="utf-8")
    assert run("code_tests", ADD, {"tests_file": str(path)}).label == "pass"
    options = {"tests_attribute": "unit_tests"}
    assert run("code_tests", ADD, options, attributes={"unit_tests": ASSERTS}).label == "pass"
    assert run("code_tests", SUBTRACT, options, attributes={"unit_tests": ASSERTS}).label == "fail"
    missing = run("code_tests", ADD, options, attributes={"other": ASSERTS})
    assert missing.status is Status.NOT_APPLICABLE
    assert missing.reason == "the trace has no attribute 'unit_tests' with tests"
    broken = run("code_tests", ADD, options, attributes={"unit_tests": "assert ("})
    assert broken.status is Status.ENGINE_ERROR
    assert "not Python" in broken.reason


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "give one of tests, tests_file and tests_attribute"),
        ({"tests": ASSERTS, "tests_attribute": "t"}, "give one of"),
        ({"tests": "assert ("}, "not Python"),
        ({"tests": "# none"}, "found no tests"),
        ({"tests": ""}, "found no tests"),
        ({"tests": "x = '\x00'"}, "not Python"),
        ({"tests_file": "no/such/tests.py"}, "cannot be read"),
        ({"tests": ASSERTS, "block": "second"}, "'second'"),
        ({"tests": ASSERTS, "timeout_s": 0}, "timeout_s"),
        ({"tests": ASSERTS, "memory_mb": 1}, "memory_mb"),
        ({"tests": ASSERTS, "timeout": 1}, "unknown key 'timeout'"),
    ],
)
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create_scorer("code_tests", None, options)


def test_the_tests_are_part_of_the_fingerprint_and_their_place_is_not(tmp_path: Path) -> None:
    def fingerprint(**options: object) -> str:
        return create_scorer("code_tests", "c", options).info.fingerprint

    path = tmp_path / "tests.py"
    path.write_text(ASSERTS, encoding="utf-8")
    assert fingerprint(tests=ASSERTS) == fingerprint(tests_file=str(path))
    assert fingerprint(tests=ASSERTS) != fingerprint(tests=FUNCTIONS)
    assert fingerprint(tests=ASSERTS) != fingerprint(tests=ASSERTS, timeout_s=5)


def test_it_travels_to_another_process() -> None:
    scorer = create_scorer("code_tests", None, {"tests": ASSERTS})
    assert pickle.loads(pickle.dumps(scorer)).info == scorer.info
