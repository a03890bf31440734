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
class TokenWeights:
    """How much a token counts: nothing for those that frame a text, ``known`` where it is, else ``default``."""

    framing: Collection[int]
    known: Mapping[int, float]
    default: float = 1.0

    def of(self, ids: Iterable[int]) -> list[float]:
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
    candidates: "torch.Tensor", references: "torch.Tensor", weights: tuple["torch.Tensor", "torch.Tensor"]
) -> "torch.Tensor":
    """Precision, recall and F1 of each pair, float64 of shape (pairs, 3), on the device of the vectors.

    A token is matched with the nearest of the other text; the weighted means of these cosines are precision (over the
    tokens of the candidate) and recall (over those of the reference), F1 is their harmonic mean. ``candidates`` and
    ``references`` are unit vectors of shape (pairs, tokens, dimensions), padded with 0; ``weights`` are theirs, of
    shape (pairs, tokens), not all 0 for any text, and 0 for padding.

    A token whose best cosine is negative has no match and counts as 0: F1 would have no bounds otherwise. The
    ``bert-score`` package does the same to a pair that it pads, and not to the longest of its batch: there a value
    depends on the neighbours.

    >>> import torch
    >>> same = torch.eye(2)[None]
    >>> greedy_match(same, same[:, :1], (torch.ones(1, 2), torch.ones(1, 1))).tolist()
    [[0.5, 1.0, 0.6666666666666666]]
    """
    import torch

    cosines = candidates @ references.transpose(1, 2)
    precision = _weighted_mean(cosines.amax(dim=2), weights[0])
    recall = _weighted_mean(cosines.amax(dim=1), weights[1])
    both = precision + recall
    return torch.stack([precision, recall, torch.where(both == 0, both, 2 * precision * recall / both)], dim=1)


def _weighted_mean(best: "torch.Tensor", weights: "torch.Tensor") -> "torch.Tensor":
    weights = weights.double()
    return (best.double().clamp(min=0) * weights).sum(dim=1) / weights.sum(dim=1)
