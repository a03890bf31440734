"""Which replica of an engine has read the beginning of a prompt: remembered by whoever hands prompts out."""

from collections import OrderedDict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

Replica = TypeVar("Replica", bound=Hashable)


class PrefixMemory(Generic[Replica]):
    """Remembers which replica was given which beginnings of prompts, in whole blocks of ``block`` tokens.

    ``limit`` bounds what is remembered, in blocks; what was not asked for the longest is forgotten first.
    ``slack`` is how many requests more than the least busy replica one may have in work and still be preferred.

    >>> memory = PrefixMemory(block=2, limit=100, slack=1)
    >>> memory.choose([1, 2, 3, 4], {"a": 0, "b": 0})
    'a'
    >>> memory.choose([1, 2, 3, 9], {"a": 1, "b": 0})  # "a" has read [1, 2], and is hardly busier
    'a'
    >>> memory.choose([1, 2, 5, 6], {"a": 2, "b": 0})  # too far ahead: from now on both have read [1, 2]
    'b'
    >>> memory.choose([1, 2, 3, 4], {"a": 1, "b": 0})  # only "a" has read all of it
    'a'
    """

    def __init__(self, block: int, limit: int, slack: int) -> None:
        self._block, self._limit, self._slack = block, limit, slack
        self._given: OrderedDict[int, set[Replica]] = OrderedDict()

    def choose(self, tokens: Sequence[int], busy: Mapping[Replica, int]) -> Replica:
        """The replica that has read the most of ``tokens`` and is not too busy; ``busy``: requests in work of each.

        Where several have read as much, and where none has, it is the least busy. Raises ValueError without replicas.
        """
        keys = list(self._keys(tokens))
        chosen = min(self._candidates(keys, busy), key=busy.__getitem__)
        for key in keys:
            self._given.setdefault(key, set()).add(chosen)
            self._given.move_to_end(key)
        while len(self._given) > self._limit:
            self._given.popitem(last=False)
        return chosen

    def _candidates(self, keys: Sequence[int], busy: Mapping[Replica, int]) -> Sequence[Replica]:
        most = min(busy.values()) + self._slack
        for key in reversed(keys):
            if read := [one for one in busy if busy[one] <= most and one in self._given.get(key, ())]:
                return read
        return list(busy)

    def _keys(self, tokens: Sequence[int]) -> Iterator[int]:
        """A number for each beginning in whole blocks, the shortest first, as a prefix cache has them."""
        key = 0
        for end in range(self._block, len(tokens) + 1, self._block):
            key = hash((key, *tokens[end - self._block : end]))
            yield key
