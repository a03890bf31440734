"""Contextual embeddings of tokens, in batches of texts of about the same length."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from judges.similarity.model_files import quiet_loading

if TYPE_CHECKING:
    import torch

# Padded tokens in one forward pass. On a processor small batches stay in its cache: 1024 took 0.7 of the time of 4096.
_BATCH_TOKENS = {"cpu": 1024, "cuda": 32768}
# What tokenizers give as their limit when they know none.
_NO_LIMIT = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Tokens:
    """Token ids as the model reads them (special ones included), and how many there were before the cut."""

    ids: tuple[int, ...]
    length: int


class TokenEncoder:
    """A transformers encoder in ``folder``, read at hidden layer ``layer`` (0 is the input embedding)."""

    def __init__(self, folder: Path, layer: int) -> None:
        import torch
        from transformers import AutoModel, AutoTokenizer

        self._layer = layer
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        with quiet_loading():
            self._model: Any = AutoModel.from_pretrained(folder, dtype=torch.float32).to(self._device).eval()
        self.framing = frozenset({self._tokenizer.cls_token_id, self._tokenizer.sep_token_id})
        self.limit = min(_known_limits(self._tokenizer, self._model), default=512)

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        """Ids of each text without the white space around it, cut to ``limit``; the closing token survives the cut."""
        if not texts:
            return []
        stripped = [text.strip() for text in texts]
        full = self._tokenizer(stripped, truncation=False, verbose=False)["input_ids"]
        return [self._cut(text, ids) for text, ids in zip(stripped, full, strict=True)]

    def _cut(self, text: str, ids: Sequence[int]) -> Tokens:
        length = len(ids)
        if length > self.limit:
            ids = self._tokenizer(text, truncation=True, max_length=self.limit)["input_ids"]
        return Tokens(ids=tuple(ids), length=length)

    def embed(self, sequences: Sequence[tuple[int, ...]]) -> dict[tuple[int, ...], "torch.Tensor"]:
        """For each distinct sequence its embeddings of unit length, float32 of shape (tokens, dimensions)."""
        import torch

        with torch.inference_mode():
            groups = batches(sequences, _BATCH_TOKENS[self._device.type])
            return {ids: row for batch in groups for ids, row in self._forward(batch)}

    def _forward(self, batch: Sequence[tuple[int, ...]]) -> Iterator[tuple[tuple[int, ...], "torch.Tensor"]]:
        import torch

        ids, mask = _padded(batch, pad=self._tokenizer.pad_token_id or 0)
        out = self._model(ids.to(self._device), attention_mask=mask.to(self._device), output_hidden_states=True)
        unit = torch.nn.functional.normalize(out.hidden_states[self._layer], dim=-1).cpu()
        for row, sequence in enumerate(batch):
            yield sequence, unit[row, : len(sequence)]


def batches(sequences: Sequence[tuple[int, ...]], most: int) -> Iterator[list[tuple[int, ...]]]:
    """Distinct sequences, longest first, in groups of at most ``most`` tokens once padded (but at least one sequence).

    >>> [len(batch) for batch in batches([(1,) * 30, (2,) * 10, (3,) * 10, (2,) * 10], most=20)]
    [1, 2]
    """
    batch: list[tuple[int, ...]] = []
    for sequence in sorted(set(sequences), key=lambda s: (-len(s), s)):
        if batch and (len(batch) + 1) * len(batch[0]) > most:
            yield batch
            batch = []
        batch.append(sequence)
    if batch:
        yield batch


def _padded(batch: Sequence[tuple[int, ...]], pad: int) -> tuple["torch.Tensor", "torch.Tensor"]:
    import torch

    longest = max(len(sequence) for sequence in batch)
    ids = torch.tensor([[*sequence, *[pad] * (longest - len(sequence))] for sequence in batch])
    lengths = torch.tensor([[len(sequence)] for sequence in batch])
    return ids, (torch.arange(longest) < lengths).long()


def _known_limits(tokenizer: Any, model: Any) -> list[int]:
    known = (tokenizer.model_max_length, getattr(model.config, "max_position_embeddings", None))
    return [int(limit) for limit in known if limit and limit < _NO_LIMIT]
