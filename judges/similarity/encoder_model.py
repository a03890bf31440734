"""A transformers model that ends at a given layer, and how much it reads."""

import json
from pathlib import Path
from typing import Any

from judgefleet.errors import ConfigError
from judges.models import ModelFolder
from judges.quiet import quiet_loading

# What tokenizers give as their limit when they know none.
_NO_LIMIT = 1_000_000
_DEFAULT_LIMIT = 512
_LAYER_COUNTS = ("num_hidden_layers", "n_layers", "n_layer", "num_layers")


def checked_layer(layer: int | None, folder: ModelFolder) -> int:
    """``layer``, or the last one of the model. Raises ConfigError when the model has no such layer, or no layers."""
    config = json.loads((folder.path / "config.json").read_text(encoding="utf-8"))
    layers = next((config[key] for key in _LAYER_COUNTS if key in config), None)
    if config.get("is_encoder_decoder") or layers is None:
        raise ConfigError(
            f"model {folder.name!r} is no encoder of stacked layers; give one, such as 'embedded/all-minilm-l6-v2'"
        )
    if layer is not None and layer > layers:
        raise ConfigError(f"found layer {layer}; the model {folder.name!r} has the layers 0 to {layers}")
    return int(layers) if layer is None else layer


def load_model(folder: Path, layer: int) -> Any:
    """The model in ``folder`` in float32 without the layers above ``layer``: neither loaded nor computed.

    Where a model normalises what leaves its last layer, it does so here too, as the ``bert-score`` package has it.
    Raises ConfigError when weights that count are missing, which transformers would make up at random.
    """
    import torch
    from transformers import AutoConfig, AutoModel

    with quiet_loading():
        config = AutoConfig.from_pretrained(folder)
        config.num_hidden_layers = layer
        if getattr(config, "layer_types", None):
            config.layer_types = config.layer_types[:layer]
        model, report = AutoModel.from_pretrained(
            folder, config=config, dtype=torch.float32, local_files_only=True, output_loading_info=True
        )
    if missing := sorted(key for key in report["missing_keys"] if "pooler" not in key):
        raise ConfigError(
            f"{str(folder)!r} has no weights for {missing[0]!r} ({len(missing)} missing): save the whole encoder again"
        )
    return model.eval()


def longest_input(tokenizer: Any, model: Any) -> int:
    """Tokens that both tokenizer and position embeddings can take; 512 where neither says."""
    known = (tokenizer.model_max_length, _positions(model))
    return min((int(limit) for limit in known if limit and limit < _NO_LIMIT), default=_DEFAULT_LIMIT)


def _positions(model: Any) -> int | None:
    positions = getattr(model.config, "max_position_embeddings", None)
    table = getattr(getattr(model, "embeddings", None), "position_embeddings", None)
    # RoBERTa and its kin count positions from behind the number of the padding token.
    first = getattr(table, "padding_idx", None)
    return positions if positions is None or first is None else positions - first - 1
