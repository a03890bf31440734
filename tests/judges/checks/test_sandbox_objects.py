"""Tests in one process, objects in another: what works as if they were one."""

import textwrap
from typing import Any

import pytest

CASES: dict[str, tuple[str, str]] = {
    "a list is sorted in place": (
        "def f(x): x.sort(); return x",
        "x = [3, 1, 2]\ny = f(x)\nassert x == [1, 2, 3] and y is x",
    ),
    "a nested list changes and stays the same list": (
        "def f(x): x[0].append(4); x.append(x[0])",
        "inner = [1]\nouter = [inner]\nf(outer)\nassert inner == [1, 4] and outer[1] is inner and outer[0] is inner",
    ),
    "a dictionary and a set change": (
        "def f(d, s): d['b'] = 2; del d['a']; s.add(3); s.discard(1)",
        "d, s = {'a': 1}, {1}\nf(d, s)\nassert d == {'b': 2} and s == {3}",
    ),
    "a list that contains itself": (
        "def f(x): x.append(x); return len(x)",
        "x = []\nassert f(x) == 1 and x[0] is x",
    ),
    "every kind of data": (
        "def f(x): return x",
        """
        import datetime as d, decimal, fractions, uuid, collections
        for x in [None, True, 0, -1, 10**50, 1.5, float("inf"), 2j, "é\\ud800", b"\\x00", bytearray(b"a"), (1, (2,)),
                  [1, [2]], {"a": {1: None}}, {1, 2}, frozenset({(1, 2)}), range(3), slice(1, None), ...,
                  int, ValueError,
                  d.date(2026, 1, 2), d.datetime(2026, 1, 2, 3, tzinfo=d.timezone.utc), d.time(1), d.timedelta(days=-1),
                  decimal.Decimal("1.10"), fractions.Fraction(1, 3), uuid.UUID(int=5), collections.Counter("aab"),
                  collections.deque([1]), collections.OrderedDict(a=1)]:
            assert f(x) == x, x
            assert type(f(x)) is type(x), x
        """,
    ),
    "functions of the tests are called": (
        "def f(g, xs): return sorted(map(g, xs), key=lambda x: -x)",
        "seen = []\ndef g(x):\n    seen.append(x)\n    return x * 2\nassert f(g, [1, 2]) == [4, 2] and seen == [1, 2]",
    ),
    "builtins and library functions are passed": (
        "def f(g, xs): return [g(x) for x in xs]",
        "import math\nassert f(str, [1]) == ['1'] and f(len, ['ab']) == [2] and f(math.sqrt, [4]) == [2.0]",
    ),
    "generators go both ways": (
        "def f(xs):\n    for x in xs:\n        yield x + 1",
        "assert list(f(x for x in range(3))) == [1, 2, 3]\nassert next(iter(f([5]))) == 6",
    ),
    "classes": (
        """
        class Stack:
            size = 0
            def __init__(self, *items): self.items = list(items)
            def push(self, x): self.items.append(x); return self
            def __len__(self): return len(self.items)
            def __iter__(self): return iter(self.items)
            def __getitem__(self, n): return self.items[n]
            def __setitem__(self, n, x): self.items[n] = x
            def __contains__(self, x): return x in self.items
            def __eq__(self, other): return isinstance(other, Stack) and self.items == other.items
            def __add__(self, other): return Stack(*self.items, *other.items)
            def __repr__(self): return f"Stack{tuple(self.items)}"
            def __enter__(self): return self
            def __exit__(self, kind, error, trace): self.items.append(kind and kind.__name__); return True
            @property
            def top(self): return self.items[-1]
            @staticmethod
            def of(x): return Stack(x)
        """,
        """
        s = Stack(1)
        assert s.push(2).push(3) is s and len(s) == 3 and list(s) == [1, 2, 3] and s[0] == 1 and s.top == 3 and 2 in s
        s[0] = 9
        assert s.items == [9, 2, 3] and isinstance(s, Stack) and not isinstance(5, Stack)
        assert Stack(1) == Stack(1) and Stack(1) != Stack(2) and Stack(1) + Stack(2) == Stack(1, 2)
        assert repr(Stack(1, 2)) == "Stack(1, 2)" and f"{Stack(1, 2)}" == "Stack(1, 2)" and bool(Stack()) is False
        with Stack() as t:
            raise KeyError("x")
        assert t.items == ["KeyError"] and Stack.of(4).top == 4 and Stack.size == 0
        s.size = 5
        assert s.size == 5 and not hasattr(s, "no_such_thing")
        """,
    ),
    "dataclasses, named tuples and enums": (
        """
        from dataclasses import dataclass
        from typing import NamedTuple
        from enum import Enum, IntEnum
        @dataclass
        class P: x: int; y: int = 0
        class T(NamedTuple): a: int; b: str
        class C(Enum): RED = 1
        class N(IntEnum): ONE = 1
        def red(): return C.RED
        """,
        """
        assert P(1) == P(1, 0) and P(1).x == 1 and P(1) != P(2) and repr(P(1)) == "P(x=1, y=0)"
        assert T(1, "b") == (1, "b") and T(1, "b").b == "b" and isinstance(T(1, "b"), tuple) and T(1, "b")[0] == 1
        assert C.RED is red() and C.RED == red() and C.RED.value == 1 and C(1) is C.RED
        assert N.ONE == 1 and N.ONE < 2 and N.ONE in {1}
        """,
    ),
    "a subclass of a list equals by its items of now": (
        "class L(list): pass\ndef f(): return L([1])",
        "x = f()\nassert x == [1] and [1] == x and x != [2]\nx = f()\nassert len(x) == 1",
    ),
    "views of dictionaries": (
        "def f(d): return d.keys()",
        "assert f({'a': 1}) == {'a'} and sorted(f({'b': 1})) == ['b']",
    ),
    "exceptions of Python": (
        "def f(x):\n    if x < 0: raise ValueError('below', x)\n    return {}[x]",
        """
        try:
            f(-1)
            assert False, "not raised"
        except ValueError as error:
            assert error.args == ("below", -1)
        try:
            f(1)
            assert False, "not raised"
        except KeyError as error:
            assert error.args == (1,)
        """,
    ),
    "exceptions of the code and of libraries": (
        """
        import json
        class Mine(Exception):
            def __init__(self, code): super().__init__(f"code {code}"); self.code = code
        class Sub(Mine): pass
        def f(x):
            if x: raise Sub(x)
            json.loads("{")
        """,
        """
        import json
        try: f(7)
        except Mine as error: assert error.code == 7 and str(error) == "code 7" and isinstance(error, Sub)
        else: assert False
        try: f(0)
        except json.JSONDecodeError as error: assert "Expecting" in str(error)
        else: assert False
        """,
    ),
    "an exception of a test passes through the code": (
        "def f(g):\n    try: return g()\n    except LookupError: return 'caught'",
        """
        def g(): raise KeyError("k")
        assert f(g) == "caught"
        def h(): raise ZeroDivisionError
        try: f(h)
        except ZeroDivisionError: pass
        else: assert False
        """,
    ),
    "sys.exit can be tested": (
        "import sys\ndef main(): sys.exit(3)",
        "try: main()\nexcept SystemExit as error: assert error.code == 3\nelse: assert False",
    ),
    "prints are captured": (
        "def f(): print('hello', 'world')",
        """
        import contextlib, io
        with contextlib.redirect_stdout(io.StringIO()) as out: f()
        assert out.getvalue() == "hello world\\n"
        """,
    ),
    "a file of the tests": (
        "def f(file): file.write('a'); return [line for line in file.getvalue()]",
        "import io\nx = io.StringIO()\nassert f(x) == ['a'] and x.getvalue() == 'a'",
    ),
    "coroutines": (
        "import asyncio\nasync def f(x):\n    await asyncio.sleep(0.001)\n    return x + 1",
        "import asyncio\nassert asyncio.run(f(1)) == 2\nasync def test_it():\n    assert await f(2) == 3",
    ),
    "modules that the code imported": (
        "import math\nfrom itertools import count\nfrom collections import namedtuple as nt, Counter",
        "assert math.isclose(1, 1) and next(count(3)) == 3 and Counter('a') == {'a': 1}",
    ),
    "from solution, and solution itself": (
        "x = 5\ndef f(): return x",
        "import solution\nfrom solution import f as g\nsolution.x = 6\nassert solution.f() == 5 or g() == 6",
    ),
    "a star": ("def f(x): return x + 1", "from solution import *\nassert f(1) == 2"),
    "decorators and closures": (
        "def twice(g):\n    def h(*a, **k): return g(g(*a, **k))\n    return h",
        "@twice\ndef inc(x): return x + 1\nassert inc(1) == 3 and twice(lambda x, *, y=2: x * y)(3) == 12",
    ),
    "operators from the left and the right": (
        """
        class V:
            def __init__(self, x): self.x = x
            def __add__(self, o): return V(self.x + getattr(o, "x", o))
            __radd__ = __add__
            def __mul__(self, k): return V(self.x * k)
            def __neg__(self): return V(-self.x)
            def __lt__(self, o): return self.x < o.x
            def __float__(self): return float(self.x)
            def __call__(self, y): return self.x + y
            def __hash__(self): return 7
            def __eq__(self, o): return self.x == o.x
        """,
        """
        assert (V(1) + 2).x == 3 and (2 + V(1)).x == 3 and (V(2) * 3).x == 6 and (-V(2)).x == -2 and V(1) < V(2)
        assert sum([V(1), V(2)]).x == 3 and float(V(2)) == 2.0 and V(1)(2) == 3 and hash(V(1)) == 7
        assert max([V(1), V(3)]).x == 3 and len({V(1), V(1)}) == 1
        v = V(1)
        v += 1
        assert v.x == 2
        """,
    ),
    "arithmetic with plain numbers": (
        """
        from fractions import Fraction
        from decimal import Decimal
        class Money:
            def __init__(self, x): self.x = x
            def __add__(self, o): return Money(self.x + getattr(o, "x", o))
            def __sub__(self, o): return Money(self.x - getattr(o, "x", o))
            def __rsub__(self, o): return Money(o - self.x)
            def __truediv__(self, o): return self.x / o.x if isinstance(o, Money) else Money(self.x / o)
            def __isub__(self, o): self.x -= o; return self
            def __abs__(self): return Money(abs(self.x))
            def __float__(self): return float(self.x)
            def __round__(self, n=0): return Money(round(self.x, n))
            def __eq__(self, o): return self.x == o.x
        class Vector:
            def __init__(self, *xs): self.xs = xs
            def __mul__(self, k): return Vector(*(x * k for x in self.xs))
            def __sub__(self, o): return Vector(*(x - y for x, y in zip(self.xs, o.xs)))
            def __matmul__(self, o): return sum(x * y for x, y in zip(self.xs, o))
            def __abs__(self): return sum(x * x for x in self.xs) ** 0.5
        class Big:
            def __init__(self, x): self.x = int(x)
            def __int__(self): return self.x
            def __sub__(self, o): return Big(self.x - int(o))
            def __floordiv__(self, o): return self.x // int(o)
        class Number:
            def __add__(self, o): return 3 + o
            def __mod__(self, o): return 3 % o
        class Degrees(float):
            unit = "C"
            def __add__(self, o): return Degrees(float(self) + o)
            def __sub__(self, o): return Degrees(float(self) - o)
        class Mod7(int):
            def __add__(self, o): return Mod7((int(self) + o) % 7)
        def half(): return Fraction(1, 2)
        def pi(): return Decimal("3.14")
        """,
        """
        from decimal import Decimal
        assert Money(3) + 2 == Money(5) and Money(5) - 2 == Money(3) and 5 - Money(2) == Money(3)
        assert (Money(5) - 2).x == 3 and float(Money(5) - 2) == 3.0 and float(abs(Money(2.5) - 5)) == 2.5
        assert Money(6) / Money(2) == 3.0 and float(Money(6) / 4) == 1.5 and abs(float(Money(0.3) - 0.1) - 0.2) < 1e-9
        assert float(round(Money(2.5) - 0.123, 1)) == 2.4 and float(Money(Decimal("3.5")) - Decimal("1.5")) == 2
        m = Money(5)
        m -= 2
        m.x = 9
        assert float(m) == 9.0
        assert abs(Vector(3, 4) * 2) == 10.0 and abs(Vector(3, 4) - Vector(0, 0)) == 5.0 and Vector(1, 2) @ [3, 4] == 11
        assert int(Big(10**20 + 1) - 10**20) == 1 and Big(10**20 + 1) // 10 == 10**19
        assert int(Big(10**400) - 1) == 10**400 - 1
        assert Number() + 2 == 5 and Number() % 2 == 1
        assert (Degrees(3) + 2).unit == (Degrees(3) - 2).unit == "C" and Degrees(3) - 2 == 1 and 5 - Degrees(2) == 3.0
        assert Mod7(5) + 4 == 2 and Mod7(5) - 0.5 == 4.5
        assert half() - 1 == -half() and pi() - 3 == Decimal("0.14") and abs(half() - 0.5) < 1e-9
        """,
    ),
    "deep recursion": ("def f(n): return 0 if n == 0 else 1 + f(n - 1)", "assert f(500) == 500"),
    "threads": (
        """
        import threading
        def f():
            out = []
            t = threading.Thread(target=out.append, args=(1,))
            t.start(); t.join()
            return out
        """,
        "assert f() == [1]",
    ),
    "a file in its own folder": (
        "def f():\n    with open('a.txt', 'w') as file: file.write('x')\n    return open('a.txt').read()",
        "assert f() == 'x'",
    ),
    "a temporary file, the clock and chance": (
        """
        import tempfile, time, random, zoneinfo, datetime
        def f():
            with tempfile.TemporaryFile() as t: t.write(b'x')
            time.sleep(0.001); random.random()
            return datetime.datetime(2026, 1, 1, tzinfo=zoneinfo.ZoneInfo('UTC'))
        """,
        "assert f().year == 2026",
    ),
    "sqlite in memory": (
        "import sqlite3\ndef f(): return sqlite3.connect(':memory:').execute('select 1 + 1').fetchone()",
        "assert f() == (2,)",
    ),
    "a large list": ("def f(x): return x[::-1]", "x = list(range(100_000))\nassert f(x) == x[::-1]"),
}


@pytest.mark.parametrize(("code", "tests"), CASES.values(), ids=CASES)
def test_as_if_in_one_process(run: Any, code: str, tests: str) -> None:
    outcome = run("code_tests", textwrap.dedent(code), {"tests": textwrap.dedent(tests), "block": "whole"})
    assert outcome.label == "pass", outcome.reason
