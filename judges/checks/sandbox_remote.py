"""Remote: stands in one process for an object that lives in the other."""

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol


class Asks(Protocol):
    """The other side, as a remote object needs it."""

    def ask(self, what: str, *details: Any) -> Any:
        """Send a request and wait for the answer."""
        ...


class Remote:
    """An object of the other side: calls, attributes and operators happen there.

    Comparisons are the exception. What the code under test made may not say of itself that it equals the expected
    value: against a value of this side only the plain value decides (``base``, of an instance of a subclass of int,
    str, list, ...); an object without one equals nothing here. Two objects of the other side are compared there.
    """

    __slots__ = ("__weakref__", "_asks", "_base", "_number")

    def __init__(self, asks: Asks, number: int, base: Any = None) -> None:
        object.__setattr__(self, "_asks", asks)
        object.__setattr__(self, "_number", number)
        object.__setattr__(self, "_base", base)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        base = object.__getattribute__(self, "_base")
        return Remote if base is None else type(base)

    def __getattr__(self, name: str) -> Any:
        return self._asks.ask("get", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
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
_BINARY = ("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "divmod", "pow", "lshift", "rshift", "and")
_OTHERS = ("neg", "pos", "invert", "enter", "getitem", "setitem", "delitem")
_NAMES = (
    *OPERATIONS,
    *(f"__{side}{name}__" for name in (*_BINARY, "xor", "or") for side in ("", "r", "i")),
    *(f"__{name}__" for name in _OTHERS),
)
_COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")


def _operator(name: str) -> Callable[..., Any]:
    def ask(self: Remote, *args: Any) -> Any:
        return self._asks.ask("do", self, name, *args)

    return ask


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
            setattr(Remote, name, _operator(name))
            yield name
    for name in _COMPARISONS:
        setattr(Remote, f"__{name}__", _comparison(name))
        yield name


tuple(_install())
