"""Peer: one end of the line between the code under test and its tests; asks, and answers what the other end asks.

Both ends run this. What the end with the tests reads comes from hostile code, so it only ever builds data and
references (``sandbox_values``), and answers no more than calls of what the tests handed over. On the standard library.
"""

import inspect
import io
import sys
import threading
import types
from collections.abc import Callable, ItemsView, KeysView, Mapping
from typing import Any

from judges.checks.sandbox_errors import NUMBER, local_class, made
from judges.checks.sandbox_line import Line, PeerGone
from judges.checks.sandbox_remote import OPERATIONS, Remote, is_blank, is_remote
from judges.checks.sandbox_values import MUTABLE, Node, Reader, Writer

_BASES = (int, float, complex, str, bytes, bytearray, tuple, list, dict, set, frozenset)
_VIEWS = (KeysView, ItemsView)
_PRIVATE = (
    types.FunctionType,
    types.MethodType,
    types.BuiltinFunctionType,
    types.ModuleType,
    type,
    types.GeneratorType,
)
_FRAMES = ("_", "gi_", "cr_", "ag_", "f_", "tb_", "co_", "func_")


class Peer(Line):
    """``guarded``: the end with the tests, which gives away nothing but what was handed over.

    ``swallowed``: the first assertion that failed in what the other end called, which may keep that to itself.
    ``consulted``: whether the other end has had a say: has done more than hand out references to what it has.
    """

    def __init__(self, read_fd: int, write_fd: int, *, guarded: bool) -> None:
        super().__init__(read_fd, write_fd, guarded=guarded)
        self.swallowed: AssertionError | None = None
        self.consulted = False
        self._one_at_a_time = threading.RLock()
        self._owned: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._remotes: dict[int, Any] = {}
        self._printed = io.StringIO()

    # Asking

    def ask(self, what: str, *details: Any) -> Any:
        """The other end's answer. Raises what was raised there, and PeerGone."""
        writer = Writer(self)
        with self._one_at_a_time:
            self.send({"ask": what, "with": [writer.child(d) for d in details], "nodes": writer.nodes})
            while True:
                message = self.receive()
                if "ask" not in message:
                    break
                self.answer(message)
            known, self.consulted = self.consulted, True
            found = self._understand(message, writer)
            self.consulted = known or what != "get" or not is_blank(found)
            return found

    def _understand(self, message: Mapping[str, Any], asked: Writer) -> Any:
        try:
            reader = Reader(self, message["nodes"], asked.objects)
            for number, node in message["changed"]:
                if type(asked.objects[number]) in MUTABLE:
                    reader.fill(asked.objects[number], node)
            sys.stdout.write(str(message["printed"]))
            value = reader.child(message["value"])
            if not message["raised"]:
                return value
            kind, args, source = value
        except PeerGone:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a hostile message can lead to
            self.leave(f"an answer that cannot be read ({type(error).__name__}: {error})"[:200])
        raise made(kind, args, source)

    # Answering

    def serve(self) -> None:
        """Answer until the other end hangs up."""
        while True:
            self.answer(self.receive())

    def answer(self, message: Mapping[str, Any]) -> None:
        """Do what is asked and send what came of it, with what changed in the data that came along."""
        reader = Reader(self, message["nodes"])
        raised, value = False, None
        known: list[Any] = []
        try:
            details = [reader.child(d) for d in message["with"]]
            known = [reader.child([number]) for number in range(len(message["nodes"]))]
            value = self._do(message["ask"], details)
        except PeerGone:
            raise
        except BaseException as error:  # noqa: BLE001 - an answer whose code calls sys.exit is an answer
            raised, value = True, (type(error), tuple(error.args), error)
            if isinstance(error, AssertionError):
                self.swallowed = self.swallowed or error
        try:
            self._reply(raised, value, known, message["nodes"])
        except (RecursionError, MemoryError) as error:
            self._reply(True, (type(error), ("the result cannot be sent",), None), [], [])

    def _reply(self, raised: bool, value: Any, known: list[Any], before: list[Node]) -> None:
        numbers = {id(thing): number for number, thing in enumerate(known)}
        writer = Writer(self, numbers)
        found = writer.child(value)
        changed = [(n, writer.node(thing)) for n, thing in enumerate(known) if type(thing) in MUTABLE]
        kept = [[n, node] for n, node in changed if node != _seen_from_here(before[n])]
        printed = self._printed.getvalue()
        self._printed.seek(0)
        self._printed.truncate()
        content = {"raised": raised, "value": found, "changed": kept, "printed": printed, "nodes": writer.nodes}
        self.send(content)

    def _do(self, what: str, details: list[Any]) -> Any:
        target, *rest = details
        if self._guarded:
            self._refuse(what, target, rest)
        if what == "call":
            return target(*rest[0], **rest[1])
        if what == "exit":
            kind, args = rest
            error = None if kind is None else made(kind, args, None)
            return type(target).__exit__(target, kind, error, None)
        if what == "do":
            return _operate(target, rest[0], rest[1:])
        actions: Mapping[str, Callable[..., Any]] = {
            "get": getattr,
            "set": setattr,
            "delete": delattr,
            "await": _finished,
        }
        return actions[what](target, *rest)

    def _refuse(self, what: str, target: Any, rest: list[Any]) -> None:
        """The code may call what the tests handed over and use its public attributes; no way leads further."""
        hidden = what == "get" and (isinstance(target, _PRIVATE) or str(rest[0]).startswith(_FRAMES))
        handed_over = id(target) in self._numbers and not is_remote(target)
        known = what in ("call", "get") or (what == "do" and rest[0] in OPERATIONS)
        if hidden or not handed_over or not known:
            raise PermissionError(f"{what} is not allowed to code under test")

    # References

    def own(self, value: Any) -> int:
        """The number under which the other end knows ``value``; it is kept from now on."""
        if id(value) not in self._numbers:
            self._numbers[id(value)] = len(self._owned)
            self._owned.append(value)
        return self._numbers[id(value)]

    def refer(self, value: Any, child: Callable[[Any], Any]) -> Node:
        """See ``sandbox_values.References``."""
        if is_remote(value):
            return ["yours", value._number]
        if isinstance(value, type) and issubclass(value, BaseException):
            theirs = value.__dict__.get(NUMBER)
            above = next(kind for kind in value.__mro__[1:] if issubclass(kind, BaseException))
            content = [value.__module__, value.__qualname__, child(above), self.own(value)]
            return ["exception", content] if theirs is None else ["yours", theirs]
        if inspect.iscoroutine(value):
            return ["coroutine", self.own(value)]
        kind = set if isinstance(value, _VIEWS) else next((k for k in _BASES if isinstance(value, k)), None)
        try:
            base = None if kind is None else kind(value)
        except Exception:  # noqa: BLE001 - code of the answer
            base = None
        return ["mine", [self.own(value), None if base is None else child(base)]]

    def resolve(self, node: Node, child: Callable[[Any], Any]) -> Any:
        """See ``sandbox_values.References``."""
        tag, content = node
        if tag == "yours":
            return self._owned[content]
        if tag == "coroutine":
            return _awaited(self, Remote(self, int(content)))
        number = int(content[3] if tag == "exception" else content[0])
        known = number in self._remotes
        if not known:
            self._remotes[number] = local_class(content, child) if tag == "exception" else Remote(self, number)
        if tag == "mine" and content[1] is not None:
            self._update(self._remotes[number], child(content[1]), known=known)
        return self._remotes[number]

    @staticmethod
    def _update(remote: Any, base: Any, *, known: bool) -> None:
        # An instance of a subclass of list changes: its plain value is that of now. A number stays what it was.
        if not known or (type(base) in MUTABLE and type(base) is type(remote._base)):
            object.__setattr__(remote, "_base", base)

    # The beginning

    def greet(self, about: Any) -> None:
        """The first message of the end with the code, before any of the code runs."""
        self.send({"hello": about})

    def greeted(self) -> Any:
        """What the other end said first. Raises PeerGone."""
        return self.receive().get("hello")

    def capture_prints(self) -> None:
        """What is printed from now on goes along with answers."""
        sys.stdout = _Capped(self._printed)


class _Capped(io.TextIOBase):
    """Standard output of the code under test: the first 64 K characters between two answers."""

    def __init__(self, into: io.StringIO) -> None:
        self._into = into

    def write(self, text: str) -> int:
        self._into.write(text[: max(0, 65_536 - self._into.tell())])
        return len(text)


def _operate(target: Any, name: str, args: list[Any]) -> Any:
    if name in OPERATIONS:
        return OPERATIONS[name](target, *args)
    method = getattr(type(target), name, None)
    if method is not None:
        return method(target, *args)
    if name.startswith(("__set", "__get", "__del", "__enter", "__neg", "__pos__", "__inv")):
        raise TypeError(f"{type(target).__name__!r} object has no {name}")
    return NotImplemented


def _seen_from_here(node: Node) -> Node:
    """A node of a request with its children numbered as the answer numbers them."""

    def child(found: Any) -> Any:
        return [-1 - found[0]] if isinstance(found, list) else found

    tag, content = node
    if not isinstance(content, list):
        return node
    pairs = content and isinstance(content[0], list) and len(content[0]) == 2
    return [tag, [[child(k), child(v)] for k, v in content] if pairs else [child(c) for c in content]]


async def _awaited(peer: Peer, remote: Remote) -> Any:
    return peer.ask("await", remote)


def _finished(coroutine: Any) -> Any:
    import asyncio

    return asyncio.run(coroutine)
