"""Remote: stands in one process for an object that lives in the other."""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from judges.checks.sandbox_numbers import ARITHMETIC, CONVERSIONS, DIFFERENCES, NUMBERS, Expected, expected, stated


class Asks(Protocol):
    """The other side, as a remote object needs it. ``consulted``: whether it has had a say."""

    consulted: bool

    def ask(self, what: str, *details: Any) -> Any:
        """Send a request and wait for the answer."""
        ...


class Remote:
    """An object of the other side: calls, attributes and operators happen there.

    Comparisons are the exception. What the code under test made may not say of itself that it equals the expected
    value: against a value of this side only the plain value decides (``base``, of an instance of a subclass of int,
    str, list, ...); an object without one equals nothing here. Two objects of the other side are compared there.

    Nor may it say how far it is from a number of this side (see ``sandbox_numbers``). ``expected``: what a difference
    has to say when it is asked for a number; that is forgotten when anything else is done with it.
    """

    __slots__ = ("__weakref__", "_asks", "_base", "_expected", "_number")

    def __init__(self, asks: Asks, number: int, base: Any = None) -> None:
        object.__setattr__(self, "_asks", asks)
        object.__setattr__(self, "_number", number)
        object.__setattr__(self, "_base", base)
        object.__setattr__(self, "_expected", None)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        base = object.__getattribute__(self, "_base")
        # Tests may do one thing or another after this.
        object.__getattribute__(self, "_asks").consulted = True
        return Remote if base is None else type(base)

    def __getattr__(self, name: str) -> Any:
        object.__setattr__(self, "_expected", None)
        return self._asks.ask("get", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, "_expected", None)
        self._asks.ask("set", self, name, value)

    def __delattr__(self, name: str) -> None:
        self._asks.ask("delete", self, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._asks.ask("call", self, args, kwargs)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> Any:
        return self._asks.ask("exit", self, kind, () if error is None else error.args)

    def __hash__(self) -> int:
        base = self._base
        return int(self._asks.ask("do", self, "__hash__")) if base is None else hash(base)


def is_remote(value: Any) -> bool:
    """Whether ``value`` is one, whatever class it says it has."""
    return type(value) is Remote


def is_blank(value: Any) -> bool:
    """Whether ``value`` is one that has told nothing of what it stands for."""
    return is_remote(value) and value._base is None


# How the owner of an object does what an operator asks for; other names are looked up on its class.
OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "__iter__": iter,
    "__next__": next,
    "__len__": len,
    "__bool__": bool,
    "__str__": str,
    "__repr__": repr,
    "__format__": format,
    "__hash__": hash,
    "__int__": int,
    "__float__": float,
    "__complex__": complex,
    "__index__": operator.index,
    "__abs__": abs,
    "__round__": round,
    "__reversed__": reversed,
    "__dir__": dir,
    "__contains__": operator.contains,
    "__instancecheck__": lambda kind, value: isinstance(value, kind),
    "__subclasscheck__": lambda kind, value: isinstance(value, type) and issubclass(value, kind),
}
_OTHERS = ("__invert__", "__enter__", "__getitem__", "__setitem__", "__delitem__")
_NAMES = dict.fromkeys((*OPERATIONS, *CONVERSIONS, *ARITHMETIC, *_OTHERS))
_COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")


def _operator(name: str) -> Callable[..., Any]:
    def ask(self: Remote, *args: Any) -> Any:
        return self._asks.ask("do", self, name, *args)

    return ask


def _arithmetic(name: str) -> Callable[..., Any]:
    def decide(self: Remote, *args: Any) -> Any:
        # Before the code sees the other number.
        due = _due(self, name, args)
        return _believed(self, due, self._asks.ask("do", self, name, *args))

    return decide


def _due(remote: Remote, name: str, others: Sequence[Any]) -> Expected | None:
    """What an operator has to give; None where that is for the code to say."""
    met = remote._expected is not None
    if is_remote(others[0]):
        theirs = others[0]._expected
        return expected(name, _number(remote), [theirs.value]) if met and theirs is not None else None
    guarded = isinstance(others[0], NUMBERS) and (met or name in DIFFERENCES)
    return expected(name, _number(remote), others) if guarded else None


def _conversion(name: str) -> Callable[..., Any]:
    def decide(self: Remote, *args: Any) -> Any:
        due = None if self._expected is None else self._expected.converted(name, args)
        return _believed(self, due, self._asks.ask("do", self, name, *args))

    return decide


def _number(remote: Remote) -> Any:
    """The number that an object stands for, or None."""
    if remote._expected is not None:
        return remote._expected.value
    if isinstance(remote._base, NUMBERS):
        return remote._base
    return stated(lambda name: remote._asks.ask("do", remote, name))


def _believed(remote: Remote, due: Expected | None, found: Any) -> Any:
    """The answer to an operator, or what it had to be. Raises AssertionError for a number where none is due."""
    if due is None:
        return found
    by_value = isinstance(remote._base, NUMBERS)
    given = found._base if is_remote(found) else found
    if isinstance(given, NUMBERS) or (by_value and given is NotImplemented):
        if due.value is None:
            raise AssertionError("an object that does not say which number it is says how far it is from one")
        return found if (given == due.value if by_value else due.agrees(given)) else due.value
    if is_remote(found):
        object.__setattr__(found, "_expected", due)
    return found


def _comparison(name: str) -> Callable[[Remote, Any], Any]:
    compare: Callable[[Any, Any], Any] = getattr(operator, name)

    def decide(self: Remote, other: Any) -> Any:
        if self is other and name in ("eq", "ne"):
            return name == "eq"
        if is_remote(other) and (self._base is None or other._base is None):
            return self._asks.ask("do", self, f"__{name}__", other)
        theirs = other._base if is_remote(other) else other
        return NotImplemented if self._base is None else compare(self._base, theirs)

    return decide


def _install() -> Iterator[str]:
    for name in _NAMES:
        if name not in ("__hash__",):
            make = _arithmetic if name in ARITHMETIC else _conversion if name in CONVERSIONS else _operator
            setattr(Remote, name, make(name))
            yield name
    for name in _COMPARISONS:
        setattr(Remote, f"__{name}__", _comparison(name))
        yield name


tuple(_install())
