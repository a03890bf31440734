"""Values as they cross between the code under test and its tests: plain data by value, everything else by reference.

Written out by hand because one side is hostile: reading a message builds data and references, and runs nothing, which
no pickle can promise. A message is JSON: ``nodes`` is a list of ``[tag, content]``; a child is a JSON scalar or
``[number]`` of its node, so that sharing and cycles survive; a negative number means a node of the request that is
being answered. On the standard library alone.
"""

import builtins
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Protocol, TypeAlias
from uuid import UUID

Node: TypeAlias = list[Any]

SCALARS = (type(None), bool, str, float)
# Numbers that JSON readers take without a limit on their digits.
_SMALL = 10**18
_LISTS: Mapping[str, type[Any]] = {"list": list, "deque": deque, "tuple": tuple, "set": set, "frozenset": frozenset}
_DICTS: Mapping[str, type[Any]] = {"dict": dict, "OrderedDict": OrderedDict, "Counter": Counter}


def _fraction(text: str) -> Fraction:
    # Fraction("1e999999999") would compute it.
    above, below = text.split("/")
    return Fraction(int(above, 16), int(below, 16))


_TEXTS: Mapping[str, tuple[type[Any], Callable[[Any], str], Callable[[str], Any]]] = {
    "int": (int, hex, lambda text: int(text, 16)),
    "bytes": (bytes, bytes.hex, bytes.fromhex),
    "bytearray": (bytearray, lambda value: bytes(value).hex(), bytearray.fromhex),
    "complex": (complex, str, complex),
    "Decimal": (Decimal, str, Decimal),
    "Fraction": (Fraction, lambda value: f"{value.numerator:x}/{value.denominator:x}", _fraction),
    "datetime": (datetime, datetime.isoformat, datetime.fromisoformat),
    "date": (date, date.isoformat, date.fromisoformat),
    "time": (time, time.isoformat, time.fromisoformat),
    "UUID": (UUID, str, UUID),
}
MUTABLE = (list, deque, set, dict, OrderedDict, Counter, bytearray)
_TAGS = {kind: tag for tag, kind in {**_LISTS, **_DICTS}.items()} | {kind: tag for tag, (kind, _, _) in _TEXTS.items()}
_SINGLES = {"...": ..., "NotImplemented": NotImplemented}
_CLASSES = {name: kind for name, kind in vars(builtins).items() if isinstance(kind, type)}


class References(Protocol):
    """What turns objects that cannot cross into nodes, and such nodes into what stands for the object."""

    def refer(self, value: Any, child: Callable[[Any], Any]) -> Node:
        """A node for ``value``."""
        ...

    def resolve(self, node: Node, child: Callable[[Any], Any]) -> Any:
        """What ``node`` stands for."""
        ...


class Writer:
    """Collects the nodes of one message. ``known``: nodes of the request that is answered, by the object's id."""

    def __init__(self, references: References, known: Mapping[int, int] | None = None) -> None:
        self.nodes: list[Node] = []
        self.objects: list[Any] = []
        self._references = references
        self._known = known or {}
        self._numbers: dict[int, int] = {}

    def child(self, value: Any) -> Any:
        """``value`` as a scalar or the number of its node."""
        kind = type(value)
        if kind in SCALARS or (kind is int and abs(value) < _SMALL):
            return value
        if id(value) in self._known:
            return [-1 - self._known[id(value)]]
        if id(value) not in self._numbers:
            number = self._numbers[id(value)] = len(self.nodes)
            self.nodes.append([])
            self.objects.append(value)
            self.nodes[number] = self.node(value)
        return [self._numbers[id(value)]]

    def node(self, value: Any) -> Node:
        """Tag and content of ``value``."""
        kind = type(value)
        tag = _TAGS.get(kind)
        if tag in _LISTS:
            return [tag, [self.child(item) for item in list(value)]]
        if tag in _DICTS or kind is defaultdict:
            return [tag or "dict", [[self.child(key), self.child(item)] for key, item in list(value.items())]]
        if tag is not None:
            return [tag, _TEXTS[tag][1](value)]
        if kind in (range, slice):
            return [kind.__name__, [self.child(part) for part in (value.start, value.stop, value.step)]]
        return _constant(value) or self._references.refer(value, self.child)


def _constant(value: Any) -> Node | None:
    if type(value) is timedelta:
        return ["timedelta", [value.days, value.seconds, value.microseconds]]
    for name, single in _SINGLES.items():
        if value is single:
            return ["single", name]
    known = issubclass(type(value), type) and _CLASSES.get(value.__name__) is value
    return ["class", value.__name__] if known else None


class Reader:
    """Builds the values of one message. ``known``: the objects of the request that it answers, by number."""

    def __init__(self, references: References, nodes: list[Node], known: list[Any] | None = None) -> None:
        self._references = references
        self._nodes = nodes
        self._known = known or []
        self._made: dict[int, Any] = {}

    def child(self, found: Any) -> Any:
        """The value of a child. Raises ValueError and whatever a wrong message leads to."""
        if not isinstance(found, list):
            return found
        (number,) = found
        if number < 0:
            return self._known[-1 - number]
        if number not in self._made:
            value = self._made[number] = self._empty(self._nodes[number])
            if type(value) in MUTABLE:
                self.fill(value, self._nodes[number])
        return self._made[number]

    def fill(self, value: Any, node: Node) -> None:
        """Make the mutable ``value`` what ``node`` says."""
        tag, content = node
        if tag in _DICTS:
            items: Any = {self.child(key): self.child(item) for key, item in content}
        else:
            items = _TEXTS[tag][2](content) if tag in _TEXTS else [self.child(item) for item in content]
        value.clear()
        add = value.extend if tag in ("list", "deque", "bytearray") else value.update
        add(items)

    def _empty(self, node: Node) -> Any:
        """The value of ``node``, a mutable one without content yet: it may contain itself."""
        tag, content = node
        kind = _LISTS.get(tag) or _DICTS.get(tag)
        if kind is not None:
            return kind() if kind in MUTABLE else kind([self.child(item) for item in content])
        if tag in _TEXTS:
            return _TEXTS[tag][2](content)
        if tag == "timedelta":
            return timedelta(*content)
        if tag in ("range", "slice"):
            return _CLASSES[tag](*[self.child(part) for part in content])
        if tag == "single":
            return _SINGLES[content]
        return _CLASSES[content] if tag == "class" else self._references.resolve(node, self.child)
