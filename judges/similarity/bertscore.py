"""bertscore: how well the tokens of output and reference match in meaning, each in its context."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from judgefleet.score import Outcome, Status, failure
from judges.models import ModelFolder, resolve_model
from judges.similarity.base import Pair, Similarity, similarity_info
from judges.similarity.baseline import AXES, Baseline, named_axes, read_baseline
from judges.similarity.encoder_model import checked_layer
from judges.similarity.greedy_match import TokenWeights, idf_weights
from judges.similarity.idf_corpus import corpus_digest, read_corpus
from judges.similarity.match_pairs import Match, match_pairs
from judges.similarity.model_files import DEFAULT_MODEL, Device, cut_reason
from judges.similarity.token_encoder import TokenEncoder, TokenIds, Tokens

_PLACES = 6
_NO_MATCH: Match = (0.0, 0.0, 0.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """The token encoder, and how much each token counts."""

    encoder: TokenEncoder
    weights: TokenWeights

    def empty(self, ids: TokenIds) -> bool:
        """Whether nothing is there but what frames every text."""
        return not set(ids) - self.encoder.framing

    def weightless(self, ids: TokenIds) -> bool:
        """Whether there are tokens, and none of them counts."""
        return not self.empty(ids) and not any(self.weights.of(ids))


class BertScore(Similarity):
    """Greedy matching of contextual token embeddings (Zhang and others, 2020): precision, recall and F1 of the output.

    Values as the ``bert-score`` package gives them (within 1e-4), rounded to 6 decimals: in [0, 1], or
    (v - b) / (1 - b) with ``rescale_with_baseline``. White space around a text does not count. What is longer than the
    model reads is cut, and the reason says so. A text without a single token scores 0 on every axis, the package's
    convention, with a reason; a trace whose output or reference is missing or blank is not applicable.

    With ``idf`` rare tokens count more, as often as ``idf_corpus`` lets expect: a list of texts, a UTF-8 file with one
    text a line, or a ``.jsonl`` file whose objects have a ``reference``, such as a golden set. Given the references of
    all pairs, values are those of the package with ``idf=True``. The references that happen to be scored together are
    never taken: a value must not depend on its neighbours. A text all of whose tokens weigh nothing is not applicable.

    Where the package's own value is not well defined, ours is. A token whose best cosine is negative counts as 0 here;
    there it does in a pair that is padded, and not in the longest of a batch. A text with nothing but special tokens
    ("[SEP]") is empty here, 0/0 there. Where a tokenizer adds no special tokens, a text of two tokens is scored here
    and taken for empty there. Weights are computed in float32, whatever precision they are stored in.

    Raises ConfigError: no such model, no such layer, ``idf`` without a corpus or the other way round, a file that
    cannot be read.

    >>> from judgefleet.sample import Sample
    >>> from judgefleet.trace import Trace
    >>> def sample(output, reference):
    ...     trace = Trace(trace_id="t", output=output, reference=reference)
    ...     return Sample(trace=trace, stratum="all", inclusion_probability=1.0, plan_hash="p")
    >>> scorer = BertScore("match", BertScore.Options())
    >>> late, none = scorer.score([sample("The parcel is late.", "A storm delayed your package."), sample("Hi", None)])
    >>> {axis: round(outcome.value, 3) for axis, outcome in late.items()}
    {'precision': 0.504, 'recall': 0.416, 'f1': 0.456}
    >>> none["f1"].status.value, none["f1"].reason
    ('not_applicable', 'the trace has no reference')
    """

    class Options(BaseModel, extra="forbid", frozen=True):
        """``model``: an embedded name, a folder or a hub id of an encoder.

        ``layer`` counts from 1 (0 is the input embedding); the default is the last.

        ``rescale_with_baseline``: three numbers, or a file of the ``bert-score`` package (columns LAYER,P,R,F).
        ``device`` is ``auto`` (a GPU where there is one), ``cpu`` or ``cuda``; it is no part of the fingerprint.
        """

        model: str = DEFAULT_MODEL
        layer: int | None = Field(default=None, ge=0)
        idf: bool = False
        idf_corpus: tuple[str, ...] | Path | None = None
        rescale_with_baseline: Annotated[Baseline | Path, BeforeValidator(named_axes)] | None = None
        device: Device = "auto"

        @model_validator(mode="after")
        def _corpus_with_idf(self) -> Self:
            if self.idf != (self.idf_corpus is not None):
                raise ValueError("idf: true and idf_corpus (a list of texts, or a file of them) belong together")
            return self

    def __init__(self, name: str, options: Options) -> None:
        self.options = options
        self._folder = resolve_model(options.model)
        self._layer = checked_layer(options.layer, self._folder)
        self._corpus = None if options.idf_corpus is None else read_corpus(options.idf_corpus)
        given = options.rescale_with_baseline
        self._baseline = read_baseline(given, self._layer) if isinstance(given, Path) else given
        self.info = similarity_info(
            name,
            use="bertscore",
            axes=AXES,
            folder=self._folder,
            libraries=("transformers", "tokenizers"),
            config=self._config(),
        )

    def _config(self) -> dict[str, Any]:
        return {
            "layer": self._layer,
            "idf_corpus_sha256": None if self._corpus is None else corpus_digest(self._corpus),
            "baseline": None if self._baseline is None else self._baseline.model_dump(),
        }

    def load(self, folder: ModelFolder) -> Loaded:
        """The token encoder, and how much each token counts."""
        encoder = TokenEncoder(folder.path, self._layer, self.options.device)
        if self._corpus is None:
            return Loaded(encoder=encoder, weights=TokenWeights(framing=encoder.framing, known={}))
        corpus = (tokens.ids for tokens in encoder.tokenize(self._corpus))
        return Loaded(encoder=encoder, weights=idf_weights(corpus, encoder.framing))

    def compare(self, loaded: Loaded, pairs: Sequence[Pair]) -> Sequence[Mapping[str, Outcome]]:
        """Each text is read and encoded once, however often it occurs."""
        texts = sorted({text for pair in pairs for text in pair})
        tokens = dict(zip(texts, loaded.encoder.tokenize(texts), strict=True))
        found = [(tokens[output], tokens[reference]) for output, reference in pairs]
        ids = {(output.ids, reference.ids) for output, reference in found}
        counting = (pair for pair in ids if not any(loaded.empty(i) or loaded.weightless(i) for i in pair))
        matches = match_pairs(loaded.encoder, loaded.weights, counting)
        return [self._outcomes(loaded, *pair, matches) for pair in found]

    def _outcomes(
        self, loaded: Loaded, output: Tokens, reference: Tokens, matches: Mapping[tuple[TokenIds, TokenIds], Match]
    ) -> Mapping[str, Outcome]:
        sides = {"output": output.ids, "reference": reference.ids}
        if empty := [name for name, ids in sides.items() if loaded.empty(ids)]:
            reason = f"the {' and the '.join(empty)} has no token that the model knows of"
            return {axis: self._outcome(axis, value, reason) for axis, value in zip(AXES, _NO_MATCH, strict=True)}
        if weightless := [name for name, ids in sides.items() if loaded.weightless(ids)]:
            why = f"every token of the {weightless[0]} is in every text of the idf corpus and weighs nothing"
            return dict.fromkeys(AXES, failure(Status.NOT_APPLICABLE, why))
        match = matches[output.ids, reference.ids]
        cut = cut_reason(loaded.encoder.limit, output=output.length, reference=reference.length)
        return {axis: self._outcome(axis, value, cut) for axis, value in zip(AXES, match, strict=True)}

    def _outcome(self, axis: str, value: float, reason: str | None) -> Outcome:
        if not math.isfinite(value):
            return failure(Status.ENGINE_ERROR, f"the model gave the {axis} {value}")
        value = min(1.0, value)
        scaled = value if self._baseline is None else self._baseline.rescaled(axis, value)
        return Outcome(value=round(scaled, _PLACES), reason=reason)
