"""bertscore: how well the tokens of output and reference match in meaning, each in its context."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from judgefleet.errors import ConfigError
from judgefleet.score import Outcome, Status, failure
from judges.models import ModelFolder, resolve_model
from judges.similarity.base import Similarity, similarity_info
from judges.similarity.greedy_match import TokenWeights, greedy_match, idf_weights
from judges.similarity.model_files import DEFAULT_MODEL, cut_reason, storable
from judges.similarity.token_encoder import TokenEncoder, Tokens

AXES = ("precision", "recall", "f1")
_PLACES = 6
_BelowOne = Annotated[float, Field(gt=-1, lt=1, allow_inf_nan=False)]


class Baseline(BaseModel, extra="forbid", frozen=True):
    """What unrelated texts score on each axis; rescaling maps it to 0 and leaves 1 where it is."""

    precision: _BelowOne
    recall: _BelowOne
    f1: _BelowOne


def _named(given: object) -> object:
    """A list of three numbers stands for precision, recall and f1."""
    return dict(zip(AXES, given, strict=True)) if isinstance(given, list | tuple) and len(given) == 3 else given


class BertScore(Similarity):
    """Greedy matching of contextual token embeddings (Zhang and others, 2020): precision, recall and F1 of the output.

    Values as the ``bert-score`` package gives them, rounded to 6 decimals: in [0, 1], or (v - b) / (1 - b) with
    ``rescale_with_baseline``. What is longer than the model reads is cut, and the reason says so. An output without a
    single token scores 0, a reference without one makes the sample not applicable.

    With ``idf`` rare tokens count more. The frequencies come from the file ``idf_corpus`` (UTF-8, one text a line), not
    from the references that happen to be scored together: a value must not depend on its neighbours.

    Raises ConfigError: no such model, no such layer, ``idf`` without a corpus or the other way round.

    >>> from judgefleet.sample import Sample
    >>> from judgefleet.trace import Trace
    >>> trace = Trace(trace_id="t", output="The parcel is late.", reference="A storm delayed your package.")
    >>> sample = Sample(trace=trace, stratum="all", inclusion_probability=1.0, plan_hash="p")
    >>> found = BertScore("match", BertScore.Options()).score([sample])[0]
    >>> {axis: round(outcome.value, 3) for axis, outcome in found.items()}
    {'precision': 0.504, 'recall': 0.416, 'f1': 0.456}
    """

    class Options(BaseModel, extra="forbid", frozen=True):
        """``layer`` counts from 1 (0 is the input embedding); the default is the last."""

        model: str = DEFAULT_MODEL
        layer: int | None = Field(default=None, ge=0)
        idf: bool = False
        idf_corpus: Path | None = None
        rescale_with_baseline: Annotated[Baseline, BeforeValidator(_named)] | None = None

        @model_validator(mode="after")
        def _corpus_with_idf(self) -> Self:
            if self.idf != (self.idf_corpus is not None):
                raise ValueError("idf: true and idf_corpus (a text file, one text a line) belong together")
            return self

    def __init__(self, name: str, options: Options) -> None:
        self.options = options
        self._folder = resolve_model(options.model)
        self._layer = _checked_layer(options.layer, self._folder)
        self._corpus = None if options.idf_corpus is None else _read_corpus(options.idf_corpus)
        self.info = similarity_info(name, use="bertscore", axes=AXES, folder=self._folder, config=self._config())

    def _config(self) -> dict[str, Any]:
        digest = None if self._corpus is None else hashlib.sha256("\n".join(self._corpus).encode()).hexdigest()
        baseline = self.options.rescale_with_baseline
        return {
            "layer": self._layer,
            "idf_corpus_sha256": digest,
            "baseline": None if baseline is None else baseline.model_dump(),
        }

    def load(self, folder: ModelFolder) -> tuple[TokenEncoder, TokenWeights]:
        """The token encoder, and how much each token counts."""
        encoder = TokenEncoder(folder.path, self._layer)
        if self._corpus is None:
            return encoder, TokenWeights(framing=encoder.framing, known={})
        return encoder, idf_weights((t.ids for t in encoder.tokenize(self._corpus)), encoder.framing)

    def compare(
        self, loaded: tuple[TokenEncoder, TokenWeights], pairs: Sequence[tuple[str, str]]
    ) -> Sequence[Mapping[str, Outcome]]:
        """Each text is encoded once, however often it occurs."""
        encoder, weights = loaded
        texts = sorted({text for pair in pairs for text in pair})
        tokens = dict(zip(texts, encoder.tokenize(texts), strict=True))
        vectors = encoder.embed([found.ids for found in tokens.values()])
        found: list[Mapping[str, Outcome]] = []
        for out, ref in ((tokens[output], tokens[reference]) for output, reference in pairs):
            if (why := _nothing_counts(out, ref, weights)) is not None:
                found.append(dict.fromkeys(AXES, failure(Status.NOT_APPLICABLE, why)))
                continue
            match = greedy_match(vectors[out.ids], vectors[ref.ids], (weights.of(out.ids), weights.of(ref.ids)))
            reason = _remark(out, ref, encoder)
            found.append({axis: self._outcome(axis, getattr(match, axis), reason) for axis in AXES})
        return found

    def _outcome(self, axis: str, value: float, reason: str | None) -> Outcome:
        if not math.isfinite(value):
            return failure(Status.ENGINE_ERROR, f"the model gave the {axis} {value}")
        if (baseline := self.options.rescale_with_baseline) is not None:
            base = getattr(baseline, axis)
            value = (value - base) / (1 - base)
        return Outcome(value=round(min(1.0, value), _PLACES), reason=reason)


def _remark(output: Tokens, reference: Tokens, encoder: TokenEncoder) -> str | None:
    """What a reader of the value should know."""
    if not set(output.ids) - encoder.framing:
        return "the output has no token that the model knows of"
    return cut_reason(encoder.limit, output=output.length, reference=reference.length)


def _nothing_counts(output: Tokens, reference: Tokens, weights: TokenWeights) -> str | None:
    """Why the two cannot be compared: a reference without tokens, or tokens that all weigh nothing."""
    if not set(reference.ids) - set(weights.framing):
        return "the reference has no token that the model knows of"
    for name, tokens in (("output", output), ("reference", reference)):
        if set(tokens.ids) - set(weights.framing) and not any(weights.of(tokens.ids)):
            return f"every token of the {name} is in every text of the idf corpus and weighs nothing"
    return None


def _checked_layer(layer: int | None, folder: ModelFolder) -> int:
    config = json.loads((folder.path / "config.json").read_text(encoding="utf-8"))
    layers = next((config[key] for key in ("num_hidden_layers", "n_layers", "num_layers") if key in config), None)
    if config.get("is_encoder_decoder") or layers is None:
        raise ConfigError(f"model {folder.name!r} is no encoder of stacked layers; give one, such as {DEFAULT_MODEL!r}")
    if layer is not None and layer > layers:
        raise ConfigError(f"found layer {layer}; the model {folder.name!r} has the layers 0 to {layers}")
    return int(layers) if layer is None else layer


def _read_corpus(path: Path) -> tuple[str, ...]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"idf_corpus: {str(path)!r} cannot be read as text ({error}); give a UTF-8 file") from error
    texts = tuple(storable(line.strip()) for line in lines if line.strip())
    if not texts:
        raise ConfigError(f"idf_corpus: {str(path)!r} holds no text; give a file with one text a line")
    return texts
