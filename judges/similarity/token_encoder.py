"""Contextual embeddings of tokens, in batches of texts of about the same length."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from judges.similarity.encoder_model import load_model, longest_input
from judges.similarity.model_files import Device, device_here

if TYPE_CHECKING:
    import torch

TokenIds = tuple[int, ...]
# Padded tokens in one forward pass. On a processor more than this falls out of its caches.
_BATCH_TOKENS = {"cpu": 2048, "cuda": 32768}


@dataclass(frozen=True, kw_only=True, slots=True)
class Tokens:
    """Token ids as the model reads them (special ones included), and how many there were before the cut."""

    ids: TokenIds
    length: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Vectors:
    """Embeddings of unit length, float32 of shape (tokens + 1, dimensions); the last row is 0, for padding.

    Those of a text stand in the rows from ``start[ids]`` on, one for each id.
    """

    rows: "torch.Tensor"
    start: dict[TokenIds, int]


class TokenEncoder:
    """A transformers encoder in ``folder``, read at hidden layer ``layer`` (0 is the input embedding)."""

    def __init__(self, folder: Path, layer: int, device: Device = "auto") -> None:
        from transformers import AutoTokenizer

        self.device = device_here(device)
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        self._model = load_model(folder, layer).to(self.device)
        self.dimensions = int(self._model.config.hidden_size)
        self.framing = frozenset({self._tokenizer.cls_token_id, self._tokenizer.sep_token_id})
        self.limit = longest_input(self._tokenizer, self._model)

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        """Ids of each text without the white space around it, cut to ``limit``; the closing token survives the cut."""
        if not texts:
            return []
        stripped = [text.strip() for text in texts]
        full = self._tokenizer(stripped, truncation=False, return_attention_mask=False, verbose=False)["input_ids"]
        return [self._cut(text, ids) for text, ids in zip(stripped, full, strict=True)]

    def _cut(self, text: str, ids: Sequence[int]) -> Tokens:
        length = len(ids)
        if length > self.limit:
            ids = self._tokenizer(text, truncation=True, max_length=self.limit)["input_ids"]
        return Tokens(ids=tuple(ids), length=length)

    def embed(self, sequences: Sequence[TokenIds]) -> Vectors:
        """The embeddings of each distinct sequence, on ``device``."""
        import torch

        start: dict[TokenIds, int] = {}
        count, found = 0, []
        with torch.inference_mode():
            for batch in batches(sequences, _BATCH_TOKENS[self.device]):
                found.append(self._forward(batch))
                for ids in batch:
                    start[ids] = count
                    count += len(ids)
            padding = torch.zeros(1, self.dimensions, device=self.device)
            return Vectors(rows=torch.cat([*found, padding]), start=start)

    def _forward(self, batch: Sequence[TokenIds]) -> "torch.Tensor":
        """Shape (tokens, dimensions), one text after the other. A batch that GPU memory cannot hold is halved."""
        import torch

        ids, mask = (tensor.to(self.device) for tensor in _padded(batch, pad=self._tokenizer.pad_token_id or 0))
        try:
            hidden = self._model(ids, attention_mask=mask).last_hidden_state
        except torch.OutOfMemoryError:
            if len(batch) == 1:
                raise
            middle = len(batch) // 2
            return torch.cat([self._forward(batch[:middle]), self._forward(batch[middle:])])
        return torch.nn.functional.normalize(hidden[mask.bool()], dim=-1)


def batches(sequences: Sequence[TokenIds], most: int) -> Iterator[list[TokenIds]]:
    """Distinct sequences, longest first, in groups of at most ``most`` tokens once padded (but at least one sequence).

    Empty ones, which a tokenizer without special tokens makes of an empty text, are left out.

    >>> [len(batch) for batch in batches([(1,) * 30, (2,) * 10, (), (3,) * 10, (2,) * 10], most=20)]
    [1, 2]
    """
    batch: list[TokenIds] = []
    for sequence in sorted(set(sequences) - {()}, key=lambda s: (-len(s), s)):
        if batch and (len(batch) + 1) * len(batch[0]) > most:
            yield batch
            batch = []
        batch.append(sequence)
    if batch:
        yield batch


def _padded(batch: Sequence[TokenIds], pad: int) -> tuple["torch.Tensor", "torch.Tensor"]:
    import torch

    longest = len(batch[0])
    ids = torch.tensor([[*sequence, *[pad] * (longest - len(sequence))] for sequence in batch])
    lengths = torch.tensor([[len(sequence)] for sequence in batch])
    return ids, (torch.arange(longest) < lengths).long()
