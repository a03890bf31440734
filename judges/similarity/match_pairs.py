"""BERTScore of many pairs: each text is encoded once, pairs of about the same size are matched together."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from judges.similarity.greedy_match import TokenWeights, greedy_match
from judges.similarity.token_encoder import TokenEncoder, TokenIds, Vectors

if TYPE_CHECKING:
    import torch

IdPair = tuple[TokenIds, TokenIds]
Match = tuple[float, float, float]
# Embeddings held at a time, and numbers in one padded matching.
_HELD_BYTES = 1 << 28
_MATCH_NUMBERS = {"cpu": 1 << 20, "cuda": 1 << 26}


def match_pairs(encoder: TokenEncoder, weights: TokenWeights, pairs: Iterable[IdPair]) -> dict[IdPair, Match]:
    """Precision, recall and F1 of each distinct pair of candidate and reference, both of which must have weight."""
    most = _HELD_BYTES // (4 * encoder.dimensions)
    found: dict[IdPair, Match] = {}
    for chunk in chunks(pairs, most):
        vectors = encoder.embed([ids for pair in chunk for ids in pair])
        for group in groups(chunk, encoder.dimensions, _MATCH_NUMBERS[encoder.device]):
            found.update(zip(group, _match(vectors, weights, group), strict=True))
    return found


def chunks(pairs: Iterable[IdPair], most: int) -> Iterator[list[IdPair]]:
    """Distinct pairs, those of one reference together, in parts of at most ``most`` tokens (but at least one pair).

    >>> [len(chunk) for chunk in chunks([((1,), (9, 9)), ((2,), (8, 8)), ((3,), (9, 9))], most=4)]
    [1, 2]
    """
    chunk: list[IdPair] = []
    texts: set[TokenIds] = set()
    count = 0
    for pair in sorted(set(pairs), key=lambda pair: (pair[1], pair[0])):
        added = sum(len(ids) for ids in set(pair) - texts)
        if chunk and count + added > most:
            yield chunk
            chunk, texts, count = [], set(), 0
            added = sum(len(ids) for ids in set(pair))
        chunk.append(pair)
        texts.update(pair)
        count += added
    if chunk:
        yield chunk


def groups(pairs: Sequence[IdPair], dimensions: int, most: int) -> Iterator[list[IdPair]]:
    """Pairs of about the same lengths, each group at most ``most`` numbers once padded (but at least one pair).

    >>> [len(group) for group in groups([((1, 2), (3,)), ((4,), (5,)), ((6,), (7,))], dimensions=4, most=20)]
    [1, 2]
    """
    group: list[IdPair] = []
    candidate = reference = 0
    for pair in sorted(pairs, key=lambda pair: (-len(pair[0]), -len(pair[1]))):
        longest = max(candidate, len(pair[0])), max(reference, len(pair[1]))
        size = (len(group) + 1) * (longest[0] * longest[1] + dimensions * sum(longest))
        if group and size > most:
            yield group
            group, longest = [], (len(pair[0]), len(pair[1]))
        group.append(pair)
        candidate, reference = longest
    if group:
        yield group


def _match(vectors: Vectors, weights: TokenWeights, group: Sequence[IdPair]) -> Iterator[Match]:
    import torch

    candidates, references = ([pair[side] for pair in group] for side in (0, 1))
    with torch.inference_mode():
        sides = [(_rows(vectors, texts), _weights(vectors, weights, texts)) for texts in (candidates, references)]
        match = greedy_match(sides[0][0], sides[1][0], (sides[0][1], sides[1][1])).tolist()
    return ((precision, recall, f1) for precision, recall, f1 in match)


def _rows(vectors: Vectors, texts: Sequence[TokenIds]) -> "torch.Tensor":
    """Shape (texts, longest, dimensions), padded with the row of zeros."""
    import torch

    lengths = torch.tensor([[len(ids)] for ids in texts])
    place = torch.arange(int(lengths.max()))
    starts = torch.tensor([[vectors.start[ids]] for ids in texts])
    index = torch.where(place < lengths, starts + place, len(vectors.rows) - 1)
    return vectors.rows[index.to(vectors.rows.device)]


def _weights(vectors: Vectors, weights: TokenWeights, texts: Sequence[TokenIds]) -> "torch.Tensor":
    import torch

    longest = max(len(ids) for ids in texts)
    padded = [[*weights.of(ids), *[0.0] * (longest - len(ids))] for ids in texts]
    return torch.tensor(padded, dtype=torch.float64).to(vectors.rows.device)
