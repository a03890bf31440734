"""Code that cannot add and wants to pass all the same, and code that wants out. None of it may succeed."""

import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from judgefleet.score import Status
from judges.checks.sandbox import Limits, Result, run_code_tests

LINUX = sys.platform.startswith("linux")
TESTS = textwrap.dedent("""
    import unittest
    import math
    from solution import add as plus

    assert add(2, 3) == 5
    assert math.isclose(add(10, 1), 11)

    def test_plus():
        assert plus(1, 1) == 2
        assert abs(add(1, 2) - 3) < 1e-9

    class TestAdd(unittest.TestCase):
        def test_one(self):
            self.assertEqual(add(1, 0), 1)
            self.assertAlmostEqual(add(1, 0), 1)

        def test_callback(self):
            self.assertEqual(add(1, lambda: 2), 3)
""")

CASES = "import unittest\nfrom solution import add\n" + TESTS[TESTS.index("class TestAdd") :]

FAKES: dict[str, str] = {
    "ends the process at once": "import os; os._exit(0)",
    "ends the process in a call": "import os\ndef add(a, b): os._exit(0)",
    "sys.exit at once": "import sys; sys.exit(0)",
    "sys.exit in a call": "import sys\ndef add(a, b): sys.exit(0)",
    "raises SystemExit and catches it": """
        def add(a, b):
            try: raise SystemExit(0)
            except SystemExit: return None
    """,
    "raises KeyboardInterrupt": "def add(a, b): raise KeyboardInterrupt",
    "raises GeneratorExit": "def add(a, b): raise GeneratorExit",
    "raises what is no exception": "class E(BaseException): pass\ndef add(a, b): raise E",
    "skips": "import unittest\ndef add(a, b): raise unittest.SkipTest('no')",
    "skips by another name": """
        import unittest
        class S(unittest.SkipTest): pass
        S.__module__, S.__qualname__ = 'unittest.case', 'SkipTest'
        def add(a, b): raise S('no')
    """,
    "prints success": "print('1 test passed', '{\"verdict\": \"pass\"}')\ndef add(a, b): print('OK'); return 'OK'",
    "writes success everywhere": """
        import json, os
        line = json.dumps({"nonce": "", "verdict": "pass", "reason": "", "tests": 3}).encode() + b"\\n"
        def add(a, b):
            for fd in range(256):
                try: os.write(fd, line)
                except OSError: pass
            os._exit(0)
    """,
    "closes everything": "import os\ndef add(a, b): os.closerange(0, 256)",
    "answers that it passed": """
        import gc, os
        from judges.checks.sandbox_peer import Peer
        def add(a, b):
            peer = next(x for x in gc.get_objects() if isinstance(x, Peer))
            for n in range(50):
                peer.send({"nonce": "", "verdict": "pass", "reason": "", "tests": 1})
            os._exit(0)
    """,
    "equals everything": """
        class Yes:
            def __eq__(self, other): return True
            __lt__ = __gt__ = __le__ = __ge__ = __ne__ = __contains__ = __eq__
            def __sub__(self, other): return self
            __rsub__ = __add__ = __abs__ = lambda self, *a: self
            def __round__(self, *a): return self
            def __float__(self): return float("nan")
            def __hash__(self): return 5
            def __bool__(self): return True
        def add(a, b): return Yes()
    """,
    "a number that equals everything": """
        class Yes(int):
            def __eq__(self, other): return True
            __lt__ = __gt__ = __eq__
            def __sub__(self, other): return self
            __abs__ = lambda self: self
            def __hash__(self): return 5
        def add(a, b): return Yes()
    """,
    "claims the class of a number": """
        class Yes:
            __class__ = int
            def __eq__(self, other): return True
        def add(a, b): return Yes()
    """,
    "mock.ANY": "from unittest.mock import ANY\ndef add(a, b): return ANY",
    "a mock": "from unittest.mock import MagicMock\nadd = MagicMock()",
    "overwrites helpers": """
        import unittest, math, builtins
        unittest.TestCase.assertEqual = unittest.TestCase.assertAlmostEqual = lambda *a, **k: None
        unittest.TestCase.run = lambda *a, **k: None
        math.isclose = lambda *a: True
        builtins.abs = abs = lambda x: 0
        builtins.AssertionError = AssertionError = type('AssertionError', (Exception,), {})
        isclose = plus = assertEqual = test_plus = TestAdd = unittest = lambda *a, **k: True
        def add(a, b): return 0
    """,
    "all names by a star": """
        __all__ = ['abs', 'math', 'unittest', 'add']
        def abs(x): return 0
        def add(a, b): return 0
    """,
    "traces and profiles": """
        import sys, threading
        def jump(frame, event, arg):
            try: frame.f_lineno = frame.f_lineno + 1
            except ValueError: pass
            return jump
        sys.settrace(jump); sys.setprofile(jump); threading.settrace(jump)
        def add(a, b):
            sys._getframe().f_back.f_trace = jump
            return 0
    """,
    "at exit": """
        import atexit, os, sys
        atexit.register(lambda: os._exit(0))
        sys.excepthook = sys.unraisablehook = lambda *a: os._exit(0)
        def add(a, b): raise SystemExit(0)
    """,
    "rewrites the frames of its caller": """
        import sys
        def add(a, b):
            frame = sys._getframe()
            while frame:
                for scope in (frame.f_globals, frame.f_locals):
                    for name in list(scope):
                        if name in ("raised", "verdict", "value", "error"): scope[name] = None
                frame = frame.f_back
            return 0
    """,
    "patches the peer": """
        import judges.checks.sandbox_peer as p
        p.Peer.answer = lambda self, message: self.send({"raised": False, "value": True, "changed": [], "printed": "",
                                                          "nodes": []})
        def add(a, b): return 0
    """,
    "patches the runner": """
        import judges.checks.sandbox_run as r
        r.run_tests = lambda *a: {"verdict": "pass", "reason": "", "tests": 9}
        def add(a, b): return 0
    """,
    "reaches through a callback": """
        def add(a, b):
            for name in ("__globals__", "__code__", "__closure__", "func_globals", "__self__", "__class__", "gi_frame"):
                try: getattr(b, name)["run_tests"] = None
                except Exception: pass
            try: type(b).__call__(b).__globals__
            except Exception: pass
            return 0
    """,
    "calls builtins of the tests": """
        import gc, os
        from judges.checks.sandbox_peer import Peer
        def add(a, b):
            peer = next(x for x in gc.get_objects() if isinstance(x, Peer))
            for what, *rest in (("call", [], {}), ("do", "__str__"), ("get", "mro"), ("set", "__eq__", 1)):
                for target in (type, eval, exec, open, ValueError, str):
                    try: peer.ask(what, target, *rest)
                    except BaseException: pass
            return 0
    """,
    "raw nonsense": """
        import gc, os
        from judges.checks.sandbox_peer import Peer
        def add(a, b):
            peer = next(x for x in gc.get_objects() if isinstance(x, Peer))
            peer._write.write((40).to_bytes(8, "big") + b"[" * 40); peer._write.flush()
            return 5
    """,
    "nodes that refer to themselves": """
        import gc
        from judges.checks.sandbox_peer import Peer
        def add(a, b):
            peer = next(x for x in gc.get_objects() if isinstance(x, Peer))
            peer.send({"raised": False, "value": [0], "changed": [], "printed": "", "nodes": [["tuple", [[0]]]]})
    """,
    "an answer of a gigabyte": "def add(a, b): return 'x' * (100 << 20)",
    "a shared name that is another": """
        import judges.checks.sandbox_code as c
        c._described = lambda value: ["shared", "unittest.mock", "ANY"]
        def add(a, b): return 0
    """,
    "a shared private name": """
        import judges.checks.sandbox_code as c
        c._described = lambda value: ["shared", "random", "_os"]
        def add(a, b): return 0
    """,
    "reads standard input": "import sys\nexpected = sys.stdin.read() or input()\ndef add(a, b): return expected",
    "reads the tests": """
        import glob, os
        found = [open(p, errors="replace").read() for p in glob.glob("../**", recursive=True) if os.path.isfile(p)]
        def add(a, b): return eval(found[0])
    """,
    "looks for the number of the run": """
        import gc, os
        texts = [x for x in gc.get_objects() if isinstance(x, dict) and "nonce" in x]
        def add(a, b):
            for fd in range(3, 64):
                try: os.write(fd, repr(texts).encode())
                except OSError: pass
            return 0
    """,
    "runs for ever in a thread": """
        import threading
        def spin():
            while True: pass
        threading.Thread(target=spin).start()
        def add(a, b): return 0
    """,
    "recurses for ever": "def add(a, b): return add(a, b)",
    "recurses in C": "import sys\nsys.setrecursionlimit(150_000)\ndef add(a, b): return add(a, b)",
    "crashes": "import faulthandler\ndef add(a, b): faulthandler._sigsegv()",
    "aborts": "import os\ndef add(a, b): os.abort()",
    "an answer of millions of lists": "def add(a, b): return [[] for _ in range(150_000)]",
    "ends the tests": """
        import gc
        from judges.checks.sandbox_peer import Peer
        def add(a, b):
            peer = next(x for x in gc.get_objects() if isinstance(x, Peer))
            peer._reply(True, (SystemExit, (0,), None), [], [])
            peer.receive()
    """,
    "deletes modules": "import sys\nsys.modules.clear()\ndef add(a, b): return 0",
    "a property that lies": """
        class A:
            @property
            def __class__(self): raise SystemExit(0)
        def add(a, b): return A()
    """,
    "an exception whose text ends the process": """
        class E(Exception):
            def __str__(self): raise SystemExit(0)
        def add(a, b): raise E
    """,
    "an exception with hostile arguments": """
        class E(Exception): pass
        def add(a, b):
            e = E(); e.args = (type('X', (), {'__repr__': lambda s: 1 / 0})(),); raise e
    """,
}


def judge(code: str, *, timeout_s: float = 10.0, tests: str = TESTS, **limits: Any) -> Any:
    return run_code_tests(textwrap.dedent(code), tests, Limits(timeout_s=timeout_s, **limits))


def test_the_tests_can_be_passed() -> None:
    code = "def add(a, b): return a + (b() if callable(b) else b)"
    verdict = judge(code)
    assert verdict.result is Result.PASSED, verdict
    assert verdict.tests == 3


ON_CASES = [
    name for name in FAKES if any(word in name for word in ("exit", "raises", "skips", "equals", "helpers", "mock"))
]


@pytest.mark.parametrize(
    ("name", "tests"),
    [*((name, TESTS) for name in FAKES), *((name, CASES) for name in ON_CASES)],
    ids=[*FAKES, *(f"{name} (cases)" for name in ON_CASES)],
)
def test_success_cannot_be_faked(name: str, tests: str) -> None:
    started = time.monotonic()
    verdict = judge(FAKES[name], tests=tests)
    assert verdict.result is Result.FAILED, verdict
    assert verdict.reason
    assert time.monotonic() - started < 60


@pytest.mark.parametrize(
    ("code", "tests"),
    [
        ("def abs(x): return 0\ndef add(a, b): return 0", "assert abs(add(2, 3) - 5) < 1e-9"),
        (
            "__all__ = ['abs', 'add']\ndef abs(x): return 0\ndef add(a, b): return 0",
            "from solution import *\nassert abs(add(2, 3) - 5) == 0",
        ),
        (
            "def near(a, b): return True\ndef add(a, b): return 0",
            "def near(a, b): return abs(a - b) < 1\nassert near(add(2, 3), 5)",
        ),
        ("import os\ndef add(a, b): os._exit(0)", "try: add(2, 3)\nexcept BaseException: pass"),
        ("import os\ndef add(a, b): os._exit(0)", "try: add(2, 3)\nexcept: pass\nelse: assert False"),
        ("import os\nos._exit(0)", "x = 1"),
        ("def add(a, b):\n    try: b(a)\n    except BaseException: pass", "def b(x): assert x == 3\nadd(2, b)"),
        ("import unittest.mock\nadd = unittest.mock._ANY", "assert add() == 5"),
        ("class Yes:\n    def __eq__(self, o): return True\ndef add(a, b): return [Yes()]", "assert add(2, 3) == [5]"),
        (
            "class Yes:\n    __eq__ = lambda s, o: True\n    __hash__ = lambda s: 5\ndef add(a, b): return Yes()",
            "assert add(2, 3) in {5}",
        ),
        (
            "class Y(str):\n    __eq__ = lambda s, o: True\n    __hash__ = lambda s: 5\ndef add(a, b): return Y('y')",
            "assert add(2, 3) in {'x': 1}",
        ),
    ],
)
def test_a_single_weak_spot_is_not_enough(code: str, tests: str) -> None:
    assert judge(code, tests=tests).result is Result.FAILED


# Each is true of a number near enough, and of no object that only says that it is near.
NEARLY = [
    "assert abs(f() - 3.14159) < 1e-6",
    "assert abs(3.14159 - f()) < 1e-6",
    "assert -1e-6 < f() - 3.14159 < 1e-6",
    "assert round(f() - 3.14159, 5) == 0",
    "assert abs(-(f() - 3.14159)) < 1e-6",
    "assert math.fabs(f() - 3.14159) < 1e-6",
    "assert (f() - 3.14159) ** 2 < 1e-6",
    "assert (f() - 3.14159) * (f() - 3.14159) < 1e-6",
    "assert math.sqrt(sum([(f() - 3.14159) ** 2])) < 1e-6",
    "assert abs(1000 * (f() - 3.14159)) < 1e-3",
    "assert abs(float(f() - 3.14159)) < 1e-6",
    "assert int(f() - 3.14159) == 0",
    "x = f(); x -= 3.14159; assert abs(x) < 1e-6",
    "assert abs(f() / 3.14159 - 1) < 1e-6",
    "assert f() // 3.14159 == 1",
    "assert abs(f() - Decimal('3.14159')) < Decimal('1e-6')",
    "assert abs(f() - Fraction(314159, 100000)) < 1e-6",
    "assert abs(f() - datetime(2026, 1, 2)) < timedelta(seconds=1)",
    "assert f() ^ 5 == 0",
    "x = f(); x - 3.14159; assert x == 3.14159",
    "TestCase().assertAlmostEqual(f(), 3.14159)",
    "TestCase().assertAlmostEqual(f(), 3.14159, delta=1)",
]
ALL_ARE_FALSE = f"""
import math
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from unittest import TestCase
from solution import f

for text in {NEARLY}:
    try:
        exec(text)
    except (AssertionError, TypeError):
        continue
    raise SystemExit(text)
"""
ZERO = "__sub__ = __rsub__ = __isub__ = __xor__ = lambda s, o: {0}\n    __truediv__ = __floordiv__ = lambda s, o: {1}"
ALL_OPERATORS = "__sub__ = __rsub__ = __isub__ = __truediv__ = __floordiv__ = __xor__"
PRODUCTS = "__pow__ = __mul__ = __rmul__ = __radd__"
BECOMES = f"""
    def becomes(self, other):
        import gc
        from judges.checks.sandbox_peer import Peer
        peer = next(x for x in gc.get_objects() if isinstance(x, Peer))
        number = peer._numbers[id(self)]
        def forge(message):
            del peer.send
            peer.send({{**message, "value": [0], "nodes": [["mine", [number, other]]]}})
        if type(other) is float: peer.send = forge
        return self
    {ALL_OPERATORS} = becomes
"""
NO_DISTANCE: dict[str, str] = {
    "says nought": f"class Z:\n    {ZERO.format('0.0', '1.0')}\ndef f(): return Z()",
    "is another number": f"class Z(float):\n    {ZERO.format('0.0', '1.0')}\ndef f(): return Z(9)",
    "is another whole number": f"class Z(int):\n    {ZERO.format('0', '1')}\ndef f(): return Z(9)",
    "says it is another number": (
        f"class Z:\n    {ZERO.format('0.0', '1.0')}\n    __float__ = lambda s: 9.0\ndef f(): return Z()"
    ),
    "says that it is endless": (
        f"class Z:\n    {ZERO.format('0.0', '1.0')}\n    __float__ = lambda s: float('inf')\ndef f(): return Z()"
    ),
    "gives a number of its own": (
        f"class N(float): pass\nclass Z:\n    {ZERO.format('N(0)', 'N(1)')}\ndef f(): return Z()"
    ),
    "gives a time": (
        f"from datetime import timedelta\nclass Z:\n    {ZERO.format('timedelta(0)', '1')}\ndef f(): return Z()"
    ),
    "gives an object that says nought": (
        f"class Z:\n    {ALL_OPERATORS} = lambda s, o: s\n    {PRODUCTS} = lambda s, o: 0.0\n"
        "    __abs__ = __float__ = lambda s: 0.0\n"
        "    __neg__ = lambda s: s\n    __round__ = lambda s, n=0: 0\n    __int__ = lambda s: 0\ndef f(): return Z()"
    ),
    "gives an object that gives one that says nought": (
        "class Y:\n    __abs__ = __round__ = __neg__ = lambda s, *a: 0.0\n    __float__ = lambda s: 0.0\n"
        f"    __int__ = lambda s: 0\nclass Z:\n    {ALL_OPERATORS} = lambda s, o: Y()\n    __neg__ = lambda s: s\n"
        "def f(): return Z()"
    ),
    "becomes the number": f"class Z(float):{BECOMES}def f(): return Z(9)",
    "becomes a number": f"class Z:{BECOMES}def f(): return Z()",
}


@pytest.mark.parametrize("code", NO_DISTANCE.values(), ids=NO_DISTANCE)
def test_no_object_is_near_every_number(code: str) -> None:
    verdict = judge(code, tests=ALL_ARE_FALSE)
    assert verdict.result is Result.PASSED, verdict


@pytest.mark.parametrize("test", [test for test in NEARLY if "3.14159" in test and "Decimal" not in test])
def test_a_number_is_near_itself(test: str) -> None:
    imports = ALL_ARE_FALSE.partition("for text")[0]
    assert judge("def f(): return 3.14159", tests=imports + test).result is Result.PASSED


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "import time; time.sleep(1000)",
        "import signal\nfor s in (2, 15): signal.signal(s, signal.SIG_IGN)\nwhile True: pass",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "def add(a, b): return 9 ** 9 ** 9",
        "import re\ndef add(a, b): return re.match('(a+)+$', 'a' * 60 + 'b')",
        "def add(a, b):\n    while True: print('x' * 100000)",
        "def add(a, b):\n    try:\n        while True: b()\n    except TypeError:\n        while True: pass",
    ],
    ids=["loop", "sleep", "signals", "catches all", "power", "pattern", "prints", "callbacks"],
)
def test_what_does_not_end_is_ended(code: str) -> None:
    started = time.monotonic()
    verdict = judge(code, timeout_s=1)
    assert verdict.result is Result.OUT_OF_TIME, verdict
    assert time.monotonic() - started < 30


@pytest.mark.skipif(not LINUX, reason="macOS limits no memory")
@pytest.mark.parametrize(
    "code",
    ["def add(a, b): x = [0] * 10**10", "def add(a, b):\n    x = []\n    while True: x.append(bytearray(10**7))"],
)
def test_memory_is_bounded(code: str) -> None:
    verdict = judge(code, timeout_s=30, memory_mb=256)
    assert verdict.result is Result.FAILED
    assert "MemoryError" in verdict.reason or "gone" in verdict.reason


@pytest.mark.parametrize(
    "spawn",
    [
        "os.fork()",
        "os.forkpty()",
        "os.system('true')",
        "os.popen('true')",
        "os.execv('/bin/true', ['true'])",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.spawnv(os.P_NOWAIT, '/bin/true', ['true'])",
        "__import__('subprocess').run(['true'])",
        "__import__('multiprocessing').Process(target=int).start()",
        "__import__('_posixsubprocess').fork_exec([b'true'], [b'/bin/true'], True, (), None, None, *[-1] * 9)",
        "__import__('pty').spawn('true')",
        "__import__('ctypes').CDLL(None).fork()",
        "__import__('_ctypes').dlopen(None, 2)",
        "os.kill(os.getppid(), 0)",
        "os.killpg(0, 0)",
        "__import__('resource').setrlimit(__import__('resource').RLIMIT_CPU, (-1, -1))",
        "socket.socket()",
        "socket.create_connection(('127.0.0.1', 9))",
        "socket.getaddrinfo('localhost', 80)",
        "socket.socket(socket.AF_UNIX).connect('x')",
        "__import__('urllib.request').request.urlopen('http://127.0.0.1:9/')",
        "open('/etc/passwd').read()",
        "open('../x', 'w')",
        "os.listdir('/')",
        "list(os.scandir('..'))",
        "os.mkdir('../x')",
        "os.symlink('/etc/passwd', 'p') or open('p').read()",
        "os.symlink('/etc', 'q') or os.listdir('q')",
        "os.rename('.', '../x')",
        "os.open('/', os.O_RDONLY)",
        "open('/proc/self/environ').read()",
        "open(f'/proc/{os.getppid()}/mem', 'wb')",
        "__import__('sqlite3').connect('../x.db').execute('create table t(a)')",
        "open('big', 'wb').write(bytes(3 << 20))",
        "[open(f'f{n}', 'w').close() for n in range(1000)]",
        "[open('g', 'w') for n in range(100)] if False else [os.dup(0) for n in range(100)]",
    ],
)
def test_there_is_no_way_out(spawn: str) -> None:
    code = f"import os, socket\ndef add(a, b):\n    {spawn}\n    return a + b"
    verdict = judge(code, tests="assert add(2, 3) == 5")
    assert verdict.result is Result.FAILED
    assert any(word in verdict.reason for word in ("PermissionError", "OSError", "not allowed", "gaierror")), verdict
    honest = judge(f"import os, socket\ndef add(a, b): return a + b\n{'#'}{spawn}", tests="assert add(2, 3) == 5")
    assert honest.result is Result.PASSED


def test_a_fork_bomb_does_not_go_off() -> None:
    before = count_processes()
    verdict = judge("import os\nwhile True:\n    try: os.fork()\n    except Exception: pass", timeout_s=1)
    assert verdict.result is Result.OUT_OF_TIME
    assert count_processes() <= before + 20


@pytest.mark.skipif(not LINUX, reason="macOS has no limit here")
def test_a_thread_bomb_does_not_go_off() -> None:
    code = """
        import threading, time
        def add(a, b):
            n = 0
            try:
                for n in range(100_000): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
            except RuntimeError: pass
            return n
    """
    verdict = judge(code, tests="assert add(1, 1) < 2000")
    assert verdict.result is Result.PASSED or "gone" in verdict.reason, verdict


def test_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    open_before = len(list(Path("/dev/fd").iterdir()))
    code = """
        import os
        os.makedirs("a/b"); open("a/b/c", "w").close(); os.chmod("a/b", 0); os.chmod("a", 0)
        def add(a, b): return a + b
    """
    assert judge(code, tests="assert add(2, 3) == 5").result is Result.PASSED
    judge("while True: pass", timeout_s=0.5)
    assert list(tmp_path.iterdir()) == []
    assert len(list(Path("/dev/fd").iterdir())) == open_before


def test_the_environment_is_not_that_of_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "secret")
    monkeypatch.setenv("PYTHONSTARTUP", "x")
    verdict = judge(
        "import os\ndef names(): return sorted(os.environ)",
        tests="assert names() == ['HOME', 'LANG', 'PATH', 'TMPDIR']",
    )
    assert verdict.result is Result.PASSED, verdict


def test_no_byte_reaches_a_server() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.5)
    port = server.getsockname()[1]
    code = f"import socket\ndef add(a, b): return socket.create_connection(('127.0.0.1', {port})).send(b'x') and 5"
    verdict = judge(code, tests="assert add(2, 3) == 5")
    assert verdict.result is Result.FAILED
    with pytest.raises(TimeoutError):
        server.accept()
    server.close()


def test_runs_side_by_side_do_not_meet() -> None:
    verdicts: list[Any] = []
    codes = ["def add(a, b): return a + b", "def add(a, b): return 0"] * 3
    threads = [
        threading.Thread(target=lambda c=code: verdicts.append((c, judge(c, tests="assert add(2, 3) == 5"))))
        for code in codes
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all((verdict.result is Result.PASSED) == ("a + b" in code) for code, verdict in verdicts)
    assert len(verdicts) == len(codes)


KERNEL_ONLY = """
import os, socket, sys, threading, signal
sys.path.insert(0, sys.argv[1])
from judges.checks import sandbox_kernel
folder = os.path.realpath(os.curdir)
print(sandbox_kernel.confine_files(folder, [sys.base_prefix, "/lib", "/usr/lib"]), sandbox_kernel.forbid_system_calls())
def tried(what):
    try: what()
    except OSError as error: return error.errno
    return 0
pid = os.getpid()
for what in (os.fork, lambda: os.execv("/bin/true", ["true"]), socket.socket, lambda: socket.socket(socket.AF_UNIX),
             lambda: os.kill(os.getppid(), 0), lambda: os.kill(pid, 0), lambda: open("/etc/passwd"),
             lambda: open("../out", "w"), lambda: os.mkdir("../out"), lambda: os.listdir("/"),
             lambda: os.remove(sys.argv[2]), lambda: os.truncate(sys.argv[2], 0), lambda: os.mkfifo("../pipe")):
    print(tried(what), end=" ")
print()
def fine():
    with open("own", "w") as file: file.write("x")
    os.rename("own", "mine"); os.remove("mine")
    thread = threading.Thread(target=int); thread.start(); thread.join()
    for end in socket.socketpair(): end.close()
print(tried(fine))
"""


@pytest.mark.skipif(not LINUX, reason="filters of the Linux kernel")
def test_the_kernel_refuses_without_the_audit_hook(tmp_path: Path) -> None:
    folder, kept = tmp_path / "folder", tmp_path / "kept"
    folder.mkdir()
    kept.write_text("x")
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-c", KERNEL_ONLY, str(root), str(kept)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    layers, refused, fine = done.stdout.splitlines()
    if layers != "True True":
        pytest.skip(f"this kernel has no Landlock or no seccomp ({layers})")
    assert set(refused.split()) <= {"1", "13"}
    assert fine == "0"
    assert kept.read_text() == "x"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder", "kept"]


def test_a_kernel_that_confines_nothing_can_be_refused(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from judges.checks import sandbox

    options = {"tests": "assert add(2, 3) == 5", "require_kernel": True}
    monkeypatch.setattr(sandbox, "_KERNEL", {"files", "calls", "what no kernel has"})
    outcome = run("code_tests", "def add(a, b): return a + b", options)
    assert (outcome.status, outcome.value) == (Status.ENGINE_ERROR, None)
    assert "cannot confine the code" in outcome.reason


def test_a_machine_that_cannot_start_it_is_no_fault_of_the_answer(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from judges.checks import sandbox

    monkeypatch.setattr(sandbox, "_CHILD", Path("no-such-file.py"))
    outcome = run("code_tests", "def add(a, b): return a + b", {"tests": "assert add(2, 3) == 5"})
    assert (outcome.status, outcome.value) == (Status.ENGINE_ERROR, None)
    assert "No such file" in outcome.reason


def count_processes() -> int:
    return len(list(Path("/proc").glob("[0-9]*")))
