"""embedding_cosine: how near output and reference lie as sentence embeddings."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel

from judgefleet.score import Outcome, Status, failure
from judges.models import ModelFolder, resolve_model
from judges.quiet import quiet_loading
from judges.similarity.base import Pair, Similarity, similarity_info
from judges.similarity.model_files import DEFAULT_MODEL, Device, cut_reason, device_here

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_BATCH = 32
_PLACES = 6


class EmbeddingCosine(Similarity):
    """Cosine of the embeddings of output and reference, in [-1, 1], rounded to 6 decimals.

    ``model`` is anything that ``judges.models.resolve_model`` knows and sentence-transformers can load. What is longer
    than the model reads is cut at its end, and the reason says so. A trace whose output or reference is missing or
    blank is not applicable. Raises ConfigError when there is no such model.

    >>> from judgefleet.sample import Sample
    >>> from judgefleet.trace import Trace
    >>> def sample(output, reference):
    ...     trace = Trace(trace_id="t", output=output, reference=reference)
    ...     return Sample(trace=trace, stratum="all", inclusion_probability=1.0, plan_hash="p")
    >>> scorer = EmbeddingCosine("near", EmbeddingCosine.Options())
    >>> late, none = scorer.score([sample("The parcel is late.", "A storm delayed your package."), sample("Hi", None)])
    >>> round(late["cosine"].value, 3)
    0.496
    >>> none["cosine"].status.value, none["cosine"].reason
    ('not_applicable', 'the trace has no reference')
    """

    class Options(BaseModel, extra="forbid", frozen=True):
        """``model``: an embedded name, a folder or a hub id.

        ``device`` is ``auto`` (a GPU where there is one), ``cpu`` or ``cuda``; it is no part of the fingerprint.
        """

        model: str = DEFAULT_MODEL
        device: Device = "auto"

    def __init__(self, name: str, options: Options) -> None:
        self.options = options
        self._folder = resolve_model(options.model)
        self.info = similarity_info(
            name,
            use="embedding_cosine",
            axes=("cosine",),
            folder=self._folder,
            libraries=("sentence-transformers", "transformers", "tokenizers"),
            config={},
        )

    def load(self, folder: ModelFolder) -> "SentenceTransformer":
        """The sentence encoder, on ``device``."""
        from sentence_transformers import SentenceTransformer

        with quiet_loading():
            return SentenceTransformer(str(folder.path), device=device_here(self.options.device), local_files_only=True)

    def compare(self, loaded: "SentenceTransformer", pairs: Sequence[Pair]) -> Sequence[Mapping[str, Outcome]]:
        """Each text is encoded once, however often it occurs."""
        texts = sorted({text for pair in pairs for text in pair})
        if not texts:
            return []
        vectors = loaded.encode(texts, batch_size=_BATCH, normalize_embeddings=True, show_progress_bar=False)
        vector = dict(zip(texts, vectors, strict=True))
        length = _lengths(loaded, texts)
        return [
            {
                "cosine": _outcome(
                    float(vector[o] @ vector[r]),
                    cut_reason(loaded.max_seq_length, output=length[o], reference=length[r]),
                )
            }
            for o, r in pairs
        ]


def _lengths(encoder: "SentenceTransformer", texts: Sequence[str]) -> dict[str, int]:
    """Tokens of each text, special ones included, were none cut off."""
    ids = encoder.tokenizer(list(texts), truncation=False, verbose=False)["input_ids"]
    return {text: len(found) for text, found in zip(texts, ids, strict=True)}


def _outcome(cosine: float, reason: str | None) -> Outcome:
    if not math.isfinite(cosine):
        return failure(Status.ENGINE_ERROR, f"the encoder gave the cosine {cosine}")
    return Outcome(value=round(min(1.0, max(-1.0, cosine)), _PLACES), reason=reason)
