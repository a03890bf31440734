"""The arithmetic of BERTScore: greedy matching of tokens, and how much each token counts.

Zhang, Kishore, Wu, Weinberger and Artzi, "BERTScore: Evaluating Text Generation with BERT", ICLR 2020.
"""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """Precision, recall and their harmonic mean, each in [0, 1]."""

    precision: float
    recall: float
    f1: float


NO_MATCH = Match(precision=0.0, recall=0.0, f1=0.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenWeights:
    """How much a token counts: nothing for those that frame a text, ``known`` where it is, else ``default``."""

    framing: Collection[int]
    known: Mapping[int, float]
    default: float = 1.0

    def of(self, ids: Sequence[int]) -> list[float]:
        """One weight for each id."""
        return [0.0 if i in self.framing else self.known.get(i, self.default) for i in ids]


def idf_weights(corpus: Iterable[Sequence[int]], framing: Collection[int]) -> TokenWeights:
    """Inverse document frequency, log((n + 1) / (df + 1)) with df of the n documents having the token (df 0 if none).

    >>> idf_weights([[1, 2], [1]], framing=()).of([1, 2, 3])
    [0.0, 0.4054651081081644, 1.0986122886681098]
    """
    documents = [set(ids) for ids in corpus]
    count = Counter(i for ids in documents for i in ids)
    total = len(documents) + 1
    known = {i: math.log(total / (df + 1)) for i, df in count.items()}
    return TokenWeights(framing=framing, known=known, default=math.log(total))


def greedy_match(
    candidate: "torch.Tensor", reference: "torch.Tensor", weights: tuple[Sequence[float], Sequence[float]]
) -> Match:
    """Each token is matched with the nearest of the other text; the weighted means of these cosines.

    ``candidate`` and ``reference`` are unit vectors, of shape (tokens, dimensions); ``weights`` are theirs, in order.
    A text in which nothing counts matches nothing: all values are 0 then. A token whose best cosine is negative has no
    match and counts as 0: of negative means the harmonic mean would have no bounds. (The ``bert-score`` package does so
    for a text that stands in a batch beside a longer one, but not for the longest.)

    >>> import torch
    >>> same = torch.eye(2)
    >>> greedy_match(same, same[:1], ([1.0, 1.0], [1.0]))
    Match(precision=0.5, recall=1.0, f1=0.6666666666666666)
    """
    if not all(sum(side) > 0 for side in weights):
        return NO_MATCH
    cosines = candidate @ reference.T
    precision = _mean(cosines.amax(dim=1).clamp(min=0), weights[0])
    recall = _mean(cosines.amax(dim=0).clamp(min=0), weights[1])
    both = precision + recall
    return Match(precision=precision, recall=recall, f1=2 * precision * recall / both if both else 0.0)


def _mean(values: "torch.Tensor", weights: Sequence[float]) -> float:
    return math.fsum(float(v) * w for v, w in zip(values.tolist(), weights, strict=True)) / math.fsum(weights)
