import pickle
import re
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


CHECK = "def check(candidate):\n    assert candidate(2, 3) == 5"
LISTED = "1. Do this:\n   ```python\n   def add(a, b):\n       return a + b\n   ```\n2. Be glad."
MIXED = textwrap.dedent("""
    import unittest

    class Cases:
        def test_small(self):
            self.assertEqual(add(2, 3), 5)

    class TestAdd(Cases, unittest.TestCase):
        @unittest.skip("later")
        def test_later(self):
            self.assertEqual(add(2, 3), 6)

        def test_part(self):
            for n in range(3):
                with self.subTest(n=n):
                    if n == 1:
                        self.skipTest("one")
                    self.assertEqual(add(n, 0), n)
""")
# Tests that test nothing, and what is said of them.
EMPTY: dict[str, str] = {
    CHECK: "found no call of check(candidate) and no other tests; add a line that calls it, such as check(name",
    f"METADATA = {{}}\n\n{CHECK}\n": "found no call of check(candidate)",
    "def main():\n    assert add(2, 3) == 5\nif __name__ == '__main__':\n    main()": (
        "found no call of main() and no other tests (what only a script does is not done); add a line"
    ),
    "if __name__ == '__main__':\n    assert add(2, 3) == 5": "found no tests",
    "class TestAdd:\n    def test_a(self):\n        assert add(2, 3) == 5": "class TestAdd is no unittest.TestCase",
    f"{ASSERTS}\nclass TestAdd:\n    def test_a(self):\n        assert add(2, 3) == 6": "class TestAdd is no unittest",
    "def test_it(a):\n    assert add(a, a) == 5": "test_it(a) needs arguments and is not called",
    f"{ASSERTS}\ndef test_it(*, a, b=1):\n    assert add(a, b) == 5": "test_it(a) needs arguments",
    "def test_it():\n    return add(2, 3) == 5": "test_it() returns something and asserts nothing",
    "import unittest\nclass A(unittest.TestCase):\n    def check_a(self):\n        assert 0": "class A has no tests",
    "x = 1": "found no tests; write assert statements or functions test...",
    "print(add(2, 3))": "found no tests",
    "def f(x):\n    return x": "found no tests",
    "import pytest\nassert add(2, 3) == 5": "imports 'pytest'; only the standard library and solution can be imported",
    "from numpy.testing import assert_equal\nassert_equal(add(2, 3), 5)": "imports 'numpy.testing'",
}
CASE = "import unittest\nfrom solution import add\nclass T(unittest.TestCase):\n    "


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
        (LISTED, ASSERTS, "pass", "1 test passed"),
        (f"> {fenced(ADD)}".replace("\n", "\n> "), ASSERTS, "pass", "1 test passed"),
        (ADD, f"{CHECK}\ncheck(add)", "pass", "1 test passed"),
        (SUBTRACT, f"{CHECK}\ncheck(add)", "fail", "check, line 2: assert candidate(2, 3) == 5: false"),
        (ADD, "def test_it(n=5):\n    assert add(n, n) == 10", "pass", "1 test passed"),
        (SUBTRACT, "def test_it(n=5):\n    assert add(n, n) == 10", "fail", "test_it, line 2"),
        (ADD, "if add(2, 3) != 5:\n    raise AssertionError('no')", "pass", "1 test passed"),
        (SUBTRACT, "if add(2, 3) != 5:\n    raise AssertionError('no')", "fail", "line 2"),
        (ADD, "from unittest import TestCase\nTestCase().assertEqual(add(2, 3), 5)", "pass", "1 test passed"),
        (SUBTRACT, "from unittest import TestCase\nTestCase().assertEqual(add(2, 3), 5)", "fail", "false -1 != 5"),
        (ADD, "assert callable(add)", "pass", "1 test passed"),
        (ADD, MIXED, "pass", "2 tests passed"),
        (ADD, f"{MIXED}\nassert add(1, 1) == 3", "fail", "assert add(1, 1) == 3: false"),
        (
            ADD,
            "from unittest.mock import patch\n@patch('time.time')\ndef test_it(now):\n    assert add(1, 1) == 3",
            "fail",
            "false",
        ),
        (
            ADD,
            "try:\n    import numpy\nexcept ImportError:\n    numpy = None\nassert add(1, 1) == 2",
            "pass",
            "1 test passed",
        ),
        # What the answer keeps from running has not passed.
        (
            "def add(a, b): return None",
            f"{CASE}def test_it(self):\n        if add(1, 1) is None: self.skipTest('none')",
            "fail",
            "no test ran",
        ),
        ("def add(a, b): return []", "for x in add(1, 1):\n    assert x == 2", "fail", "no test ran"),
        ("added = []", "for x in added:\n    assert x == 2", "fail", "no test ran"),
        # Whose fault these are cannot be told: the code may have been meant to give another value.
        ("def add(a, b): return None", "assert add(1, 1)[0] == 2", "fail", "TypeError"),
        (ADD, "assert plus(1, 1) == 2", "fail", "NameError"),
        (ADD, "assert globals()['plus'](1, 1) == 2", "fail", "KeyError"),
        (f"{ADD}\nLIMIT = object()", "assert LIMIT < 10", "fail", "TypeError"),
        (f"{ADD}\nLIMIT = object()", "assert LIMIT in 'text'", "fail", "TypeError"),
        (
            f"{ADD}\nclass LIMIT(str): pass\nLIMIT = LIMIT()",
            "from solution import LIMIT as n\nassert n < 10",
            "fail",
            "TypeE",
        ),
        (
            f"{ADD}\nError = add",
            f"{CASE}def test_it(self):\n        with self.assertRaises(Error): add()",
            "fail",
            "TypeE",
        ),
        (f"{ADD}\nLIMIT = object()", "if isinstance(LIMIT, int):\n    assert LIMIT == 10", "fail", "no test ran"),
        (ADD, "from solution import plus\nassert plus(1, 1) == 2", "fail", "ImportError"),
        ("def add(a, b): raise ImportError('no')", ASSERTS, "fail", "ImportError: no"),
        ("def add(a, b): import numpy", ASSERTS, "fail", "No module named 'numpy'"),
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
        (f"{ASSERTS}\nimport sys; sys.exit(0)", "the tests end themselves (SystemExit)"),
        (f"{ASSERTS}\nimport os; os._exit(0)", "the tests ended without a verdict (exit 0)"),
        (f"{ASSERTS}\nimport unittest; unittest.main()", "the tests end themselves (SystemExit)"),
        (CASE + "@unittest.skip('later')\n    def test_it(self): assert add(2, 3) == 5", "no test ran"),
        (CASE + "def test_it(self): self.skipTest('later')", "no test ran"),
        (
            CASE + "def setUp(self): raise unittest.SkipTest\n    def test_it(self): assert add(2, 3) == 5",
            "no test ran",
        ),
        ("import unittest\ndef test_it(): raise unittest.SkipTest('later')", "no test ran"),
        ("def test_it(): pass", "no test ran"),
        ("for case in []:\n    assert add(2, 3) == 5", "no test ran"),
        (f"{CHECK}\nfor f in []:\n    check(f)", "no test ran"),
        (CASE + "async def test_it(self): assert add(2, 3) == 6", "test_it is async in a class that is no Isolated"),
        (CASE + "def test_it(self): yield add(2, 3) == 6", "test_it yields, so that it does not run"),
        ("def test_it():\n    yield add(2, 3)\n    assert add(2, 3) == 6", "test_it yields"),
        ("def test_it():\n    import numpy\n    assert add(2, 3) == 5", "ModuleNotFoundError: No module named 'numpy'"),
        (f"{ASSERTS}\nif True:\n    import numpy", "ModuleNotFoundError: No module named 'numpy'"),
        (f"from math import no_such_name\n{ASSERTS}", "line 1: from math import no_such_name: ImportError"),
        (CASE + "def setUp(self): self.x = open('x')\n    def test_it(self): assert add(2, 3) == 5", "setUp, line 4: "),
        (f"cases = open('cases.json').read()\n{ASSERTS}", "line 1: cases = open('cases.json').read(): "),
        (f"from solution import add\nimport math\nmath.sqrt(-1)\n{ASSERTS}", "ValueError: math domain error"),
        (f"return\n{ASSERTS}", "SyntaxError: 'return' outside function"),
    ],
)
def test_broken_tests_are_no_fault_of_the_answer(run: Any, tests: str, reason: str) -> None:
    outcome = run("code_tests", ADD, {"tests": tests})
    assert (outcome.status, outcome.value) == (Status.ENGINE_ERROR, None)
    assert reason in outcome.reason


@pytest.mark.parametrize(("tests", "message"), EMPTY.items())
def test_tests_that_test_nothing(run: Any, tests: str, message: str) -> None:
    with pytest.raises(ConfigError, match="tests: " + re.escape(message)):
        create_scorer("code_tests", None, {"tests": tests})
    outcome = run("code_tests", ADD, {"tests_attribute": "unit_tests"}, attributes={"unit_tests": tests})
    assert outcome.status is Status.ENGINE_ERROR
    assert message in outcome.reason


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
