"""Shapes of real models, for engines with random weights: how fast a model is does not depend on what it has learnt."""

import json
from pathlib import Path
from typing import Any

_QWEN: dict[str, Any] = {
    "architectures": ["Qwen2ForCausalLM"],
    "model_type": "qwen2",
    "hidden_act": "silu",
    "max_position_embeddings": 32768,
    "rms_norm_eps": 1e-6,
    "rope_theta": 1e6,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "vocab_size": 152064,
}
# From the model cards and configurations of Qwen2.5 (Qwen team 2024). "tiny" is for trying a command out.
ARCHITECTURES: dict[str, dict[str, Any]] = {
    "qwen2.5-7b": {
        "hidden_size": 3584,
        "intermediate_size": 18944,
        "num_hidden_layers": 28,
        "num_attention_heads": 28,
        "num_key_value_heads": 4,
    },
    "qwen2.5-32b": {
        "hidden_size": 5120,
        "intermediate_size": 27648,
        "num_hidden_layers": 64,
        "num_attention_heads": 40,
        "num_key_value_heads": 8,
    },
    "tiny": {
        "hidden_size": 256,
        "intermediate_size": 512,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
    },
}


def write_architecture(name: str, folder: Path) -> Path:
    """A folder that vLLM can load with ``load_format="dummy"``; no weights, no tokenizer.

    Raises KeyError for a name that is not in ``ARCHITECTURES``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(_QWEN | ARCHITECTURES[name]))
    return folder
