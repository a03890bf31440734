"""Choice: asking for one of several labels, and the exact probability of each, also of labels of several tokens."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from judgefleet.score import Status
from judges.verdict import Reply, Verdict, no_verdict, reply_failure

# Below this is noise of adding up; rows show fewer.
_PLACES = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """A point on the way to a label: what was written so far, and the tokens that may follow."""

    written: tuple[int, ...]
    allowed: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """Labels and the tree of their tokens; no nodes where the engine takes text and reads the label itself.

    ``paths`` has for each label the steps that lead to it: the index of a node and the position in its ``allowed``.
    One prompt a node is asked, and the probability of a label is the product along its path: what guided decoding
    would write, computed and not sampled. Labels of one token each need one prompt.
    """

    labels: tuple[str, ...]
    nodes: tuple[Node, ...] = ()
    paths: tuple[tuple[tuple[int, int], ...], ...] = ()

    def read(self, replies: Sequence[Reply]) -> Verdict:
        """The distribution over ``labels``; ``replies`` one a node, in order.

        >>> two = choice_of({"yes": (7,), "no": (8,)}, end=0)
        >>> two.read([Reply(logprobs=(math.log(0.75), math.log(0.25)))]).probabilities
        {'yes': 0.75, 'no': 0.25}
        """
        if failed := next((found for reply in replies if (found := reply_failure(reply))), None):
            return failed
        if not all(reply.logprobs for reply in replies):
            return self._said(replies)
        steps = [_normalised(reply.logprobs) for reply in replies]
        if not all(steps):
            return no_verdict(Status.UNPARSED, f"no probability on any of {_shown(self.labels)}")
        paths = self.paths or tuple(((0, i),) for i in range(len(self.labels)))
        masses = [math.prod(steps[node][place] for node, place in path) for path in paths]
        return Verdict(probabilities={x: round(m, _PLACES) for x, m in zip(self.labels, masses, strict=True)})

    def _said(self, replies: Sequence[Reply]) -> Verdict:
        """Without probabilities: the label that was written, if it is one."""
        text, ended = replies[0].text.strip(), replies[0].ended
        said = text if text in self.labels else text.strip(".\"'`*")
        why = f" (it ended with {ended!r})" if ended else ""
        if not text:
            return no_verdict(Status.UNPARSED, f"the engine returned no text and no log-probabilities{why}")
        if len(self.nodes) > 1 or said not in self.labels:
            return no_verdict(Status.OFF_SCALE, f"found {text[:60]!r}, which is none of {_shown(self.labels)}")
        longer = [label for label in self.labels if label != said and label.startswith(said)]
        if ended == "length" and longer:
            return no_verdict(Status.UNPARSED, f"found {said!r}{why}, which may be the beginning of {_shown(longer)}")
        return Verdict(probabilities={x: float(x == said) for x in self.labels}, weighted=False)


def choice_of(tokens: dict[str, tuple[int, ...]], end: int | None) -> Choice:
    """The choice between labels, each given with its tokens; ``end`` is the token that closes an answer.

    A label that another begins with (1 and 10) is told apart by whether the answer ends after it.
    Raises ValueError: two labels with the same tokens, one without any, or no ``end`` where it is needed.

    >>> ten = choice_of({"1": (1,), "2": (2,), "10": (1, 0)}, end=99)
    >>> [(node.written, node.allowed) for node in ten.nodes]
    [((), (1, 2)), ((1,), (99, 0))]
    >>> half = Reply(logprobs=(math.log(0.5), math.log(0.5)))
    >>> ten.read([half, half]).probabilities
    {'1': 0.25, '2': 0.5, '10': 0.25}
    """
    if len(set(tokens.values())) < len(tokens) or not all(tokens.values()):
        raise ValueError(f"labels without tokens of their own: {list(tokens)}")
    inner = {ids[:k] for ids in tokens.values() for k in range(len(ids))}
    if inner & set(tokens.values()) and (end is None or any(end in ids for ids in tokens.values())):
        raise ValueError("one label begins with another, and the model has no token that ends an answer")
    closing = () if end is None else (end,)
    whole = [ids + closing if ids in inner else ids for ids in tokens.values()]
    follow: dict[tuple[int, ...], dict[int, None]] = {}
    for ids in whole:
        for k, token in enumerate(ids):
            follow.setdefault(ids[:k], {})[token] = None
    nodes = [Node(written=written, allowed=tuple(after)) for written, after in sorted(follow.items())]
    place = {node.written: i for i, node in enumerate(nodes)}
    paths = [
        tuple((place[ids[:k]], nodes[place[ids[:k]]].allowed.index(token)) for k, token in enumerate(ids))
        for ids in whole
    ]
    return Choice(labels=tuple(tokens), nodes=tuple(nodes), paths=tuple(paths))


def _normalised(logprobs: Sequence[float]) -> list[float]:
    masses = [math.exp(value) for value in logprobs]
    total = math.fsum(masses)
    return [mass / total for mass in masses] if total > 0 else []


def _shown(labels: Sequence[str]) -> str:
    return str(list(labels)) if len(labels) <= 12 else f"[{labels[0]!r}, {labels[1]!r}, ... {labels[-1]!r}]"
