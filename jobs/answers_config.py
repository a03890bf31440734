"""Configuration of ``python -m jobs.answers``: what is asked, of which model, under which settings."""

from pathlib import Path
from string import Formatter
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, field_validator

from judgefleet.yaml_model import StrictModel

_PLACEHOLDERS = {"prompt", "policy", "question", "customer_name"}


class Retrieval(StrictModel):
    """The ``sections`` of the policy nearest to the question, by cosine of the embeddings of ``model``."""

    model: str
    sections: Annotated[int, Field(ge=1)]


class Sampling(StrictModel):
    """vLLM's sampling parameters, the same for every variant; ``seed`` is mixed with the item's id for each item."""

    temperature: Annotated[float, Field(ge=0)]
    top_p: Annotated[float, Field(gt=0, le=1)]
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)]
    max_tokens: Annotated[int, Field(ge=1)]
    min_tokens: Annotated[int, Field(ge=0)]
    stop: list[str]
    seed: int


class Engine(StrictModel):
    """vLLM's engine; ``in_flight`` requests are answered at a time."""

    dtype: Literal["bfloat16", "float16", "float32"]
    max_model_len: Annotated[int, Field(ge=128)]
    max_num_batched_tokens: Annotated[int, Field(ge=128)]
    block_size: Literal[16, 32, 64, 128]
    kv_cache_gib: Annotated[int, Field(ge=1)]
    in_flight: Annotated[int, Field(ge=1)]


class Layout(StrictModel):
    """Start times: the first trace at ``first``, the others ``spacing_seconds`` apart."""

    first: AwareDatetime
    spacing_seconds: Annotated[float, Field(gt=0)]
    traces_per_object: Annotated[int, Field(ge=1)]


class AnswersConfig(StrictModel):
    """One set of answers: every golden item, answered under every variant's prompt."""

    experiment: str
    service: str
    environment: str
    golden: Path
    policy: Path
    model: str
    variants: Annotated[dict[str, str], Field(min_length=1)]
    system: str
    turns: Annotated[tuple[str, ...], Field(min_length=1)]
    retrieval: Retrieval
    sampling: Sampling
    engine: Engine
    layout: Layout

    @field_validator("system", "turns")
    @classmethod
    def _known_placeholders(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for text in [value] if isinstance(value, str) else value:
            if unknown := {name for _, name, _, _ in Formatter().parse(text) if name is not None} - _PLACEHOLDERS:
                allowed = ", ".join(f"{{{name}}}" for name in sorted(_PLACEHOLDERS))
                raise ValueError(f"unknown placeholder {{{min(unknown)}}}; allowed: {allowed}")
        return value
