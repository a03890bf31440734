"""What people said about an item, as one answer: the label that a judge is measured against."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from calibration.audit import PAIR, TIE, Label


@dataclass(frozen=True, kw_only=True, slots=True)
class Consensus:
    """The answer of the raters about one item: a ``label``, a ``score`` (mean), or neither where they are ``disputed``.

    ``votes``: how many raters answered.
    """

    item_id: str
    label: str | None = None
    score: float | None = None
    votes: int = 0
    disputed: bool = False


def by_item(labels: Iterable[Label]) -> dict[str, list[Label]]:
    """Labels by the item they are about, in the order given."""
    found: dict[str, list[Label]] = defaultdict(list)
    for label in labels:
        found[label.item_id].append(label)
    return dict(found)


def consensus(item_id: str, labels: Sequence[Label], kind: str) -> Consensus:
    """The label most raters gave; where the two most frequent are equal, TIE for a pair and a dispute for a rating.
    The latest adjudicated label decides over all others. Numbers are averaged.

    >>> votes = [Label(item_id="1", rater=r, label=v) for r, v in (("ana", "A"), ("ben", "B"))]
    >>> consensus("1", votes, "pair").label, consensus("1", votes, "rating").disputed
    ('TIE', True)
    """
    last_word = sorted((label for label in labels if label.adjudicated), key=lambda label: label.at or "")
    decided = last_word[-1:] or list(labels)
    words = Counter(label.label for label in decided if label.label is not None)
    scores = [label.score for label in decided if label.score is not None]
    score = sum(scores) / len(scores) if scores else None
    first, *rest = [*words.most_common(2)] or [("", 0)]
    even = bool(rest) and rest[0][1] == first[1]
    label = (TIE if kind == PAIR else None) if even else first[0] or None
    return Consensus(item_id=item_id, label=label, score=score, votes=len(labels), disputed=even and label is None)


def consensus_of(labels: Iterable[Label], kind: str) -> dict[str, Consensus]:
    """The consensus about every item that has a label."""
    return {item_id: consensus(item_id, given, kind) for item_id, given in by_item(labels).items()}


def rater_pairs(labels: Iterable[Label]) -> Mapping[str, list[tuple[str, str]]]:
    """For each item with two raters or more, every two of their labels, by the raters' names; adjudications apart.

    Numbers count as labels: 4.0 and 4 are the same.
    """
    pairs: dict[str, list[tuple[str, str]]] = {}
    for item_id, given in by_item(label for label in labels if not label.adjudicated).items():
        said = [said_by(label) for label in sorted(given, key=lambda label: label.rater)]
        if len(said) > 1:
            pairs[item_id] = list(combinations(said, 2))
    return pairs


def said_by(label: Label) -> str:
    """The label as a word; a number in its shortest form.

    >>> said_by(Label(item_id="1", rater="ana", score=4.0))
    '4'
    """
    return label.label if label.label is not None else f"{label.score:g}"
