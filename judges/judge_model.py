"""The judge model as a fingerprint sees it: everything beside the rubric that can change a verdict."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

# How prompts are laid out in messages; raise it when that changes.
MESSAGES = "messages 1"


@dataclass(frozen=True, kw_only=True, slots=True)
class Thinking:
    """How a thinking model marks its reasoning, and how many tokens of it are waited for."""

    max_tokens: int
    open: str = "<think>"
    close: str = "</think>"


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgeModel:
    """A model and how an engine runs it.

    ``path`` and the digests are None where only a remote engine has the model. ``digest`` is SHA-256 over the weights,
    ``files_digest`` over configuration, tokenizer and chat template. ``engine_options``: what the configuration hands
    to the engine by name; any of it may change a verdict. ``thinking`` is None for models that answer at once.
    ``prompts``: what the engine takes. ``logprobs`` is false where a label is taken from the text that was written.
    """

    name: str
    path: Path | None
    digest: str | None
    files_digest: str | None
    engine: str
    engine_version: str
    dtype: str
    quantization: str | None
    max_model_len: int
    engine_options: Mapping[str, object] = field(default_factory=dict)
    thinking: Thinking | None = None
    chat_template_kwargs: Mapping[str, object] = field(default_factory=dict)
    prompts: Literal["tokens", "messages"] = "tokens"
    logprobs: bool = True

    @property
    def sampling(self) -> dict[str, object]:
        """How a verdict is written: by token ids the labels alone can be; in messages, whatever the endpoint writes."""
        if self.prompts == "tokens":
            return {"temperature": 0.0, "guided": "one token of the labels at a time"}
        body = self.engine_options.get("extra_body")
        asked = body.get("temperature", 0.0) if isinstance(body, Mapping) else 0.0
        return {"temperature": asked, "guided": "no: a label is read from what was written"}

    @property
    def config(self) -> dict[str, object]:
        """What goes into a judge's configuration; the path does not: the digests name the model."""
        messages = {"prompts": MESSAGES, "logprobs": self.logprobs} if self.prompts == "messages" else {}
        return {
            "model": self.name,
            "weights": self.digest,
            "model_files": self.files_digest,
            "engine": f"{self.engine} {self.engine_version}",
            "dtype": self.dtype,
            "quantization": self.quantization,
            "max_model_len": self.max_model_len,
            "engine_options": dict(self.engine_options),
            "thinking": asdict(self.thinking) if self.thinking else None,
            "chat_template_kwargs": dict(self.chat_template_kwargs),
            **messages,
        }
