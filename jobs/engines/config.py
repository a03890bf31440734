"""What an engine is configured with; which field belongs to which kind is one table."""

import re
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from judgefleet.errors import ConfigError

Kind = Literal["vllm", "serve", "transformers", "openai", "scripted"]

_EVERY = {"kind", "model", "max_model_len", "thinking", "chat_template_kwargs", "tokens_per_second", "cost_per_hour"}
_LOCAL = _EVERY | {"dtype", "engine_kwargs", "replicas", "gpus_per_replica", "accelerator", "max_num_batched_tokens"}
_VLLM = _LOCAL | {"quantization", "max_num_seqs", "block_size", "prefix_caching", "kv_cache_gib"}
_HTTP = {"base_url", "api_key_env", "max_in_flight", "timeout_s", "max_retries"}
# How a deployment of Ray Serve is scaled, routed and looked after.
SERVE_ONLY = {
    *("max_replicas", "target_ongoing_requests", "routing"),
    *("health_check_period_s", "health_check_timeout_s", "graceful_shutdown_s"),
}
_BUDGET = {"max_requests", "max_tokens_total", "max_cost", "price_per_million_input", "price_per_million_output"}
_OPENAI = _EVERY | _HTTP | _BUDGET | {"prompts", "logprobs", "tokenizer", "extra_body", "served_by"}
_FIELDS: dict[str, set[str]] = {
    "vllm": _VLLM,
    "serve": _VLLM | _HTTP | SERVE_ONLY | {"start_timeout_s"},
    "transformers": _LOCAL,
    "openai": _OPENAI,
    # It stands in for any of them; what is not set is that of vllm.
    "scripted": _VLLM,
}
# What changes how fast, how far or over which way, but never what a judge says.
_SPEED = {"tokens_per_second", "cost_per_hour", "scripted_delay_ms", "replicas", "kv_cache_gib", "start_timeout_s"}
_NOT_SCORED = _SPEED | _HTTP | _BUDGET | SERVE_ONLY
# Parts of a request that are ours; anything else may be added, replaced, or left out with null.
_OURS = {"model", "messages", "prompt", "n", "stream", "logprobs", "allowed_token_ids", "logprob_token_ids"}
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")


class ThinkingConfig(BaseModel):
    """For a model that thinks before it answers: how many tokens it may think, and the marks around its thoughts."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    max_tokens: Annotated[int, Field(ge=1)] = 1024
    open: str = "<think>"
    close: str = "</think>"


class EngineConfig(BaseModel):
    """What runs the judge model.

    ``kind``: ``vllm`` (in the pipeline), ``serve`` (Ray Serve LLM), ``transformers``, ``openai`` (any endpoint that
    speaks its API), or ``scripted`` (verdicts made up from a hash of the prompt; for trying out and for tests).
    ``dtype``: ``auto`` is bfloat16 on GPUs and on processors that are fast at it, float32 on others.
    ``max_replicas``: a deployment of ``serve`` has from ``replicas`` to so many, as the work needs.
    ``target_ongoing_requests``: in work at each replica before another is started; by default such that all of them
    run when ``max_in_flight`` requests are open. ``routing``: ``auto`` is ``prefix_aware`` where several may run.
    ``graceful_shutdown_s``: how long a replica that is taken down may finish what it has.
    ``start_timeout_s``: how long to wait for a deployment until it has answered.
    ``prompts``: an endpoint is sent ``messages``, or with vLLM behind it the same ``tokens`` as an engine of our own.
    ``served_by``: who answers at ``base_url``, part of what a judge is; by default the host, without its port.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Kind = "vllm"
    model: str = "embedded/smollm2-135m-instruct"
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    quantization: str | None = None
    max_model_len: Annotated[int, Field(ge=128)] = 2048
    max_num_seqs: Annotated[int, Field(ge=1)] = 64
    max_num_batched_tokens: Annotated[int, Field(ge=128)] = 4096
    block_size: Literal[16, 32, 64, 128] = 32
    prefix_caching: bool = True
    kv_cache_gib: Annotated[int, Field(ge=1)] = 2
    thinking: ThinkingConfig | None = None
    chat_template_kwargs: dict[str, Any] = {}
    replicas: Annotated[int, Field(ge=1)] = 1
    max_replicas: Annotated[int, Field(ge=1)] | None = None
    target_ongoing_requests: Annotated[int, Field(ge=1)] | None = None
    routing: Literal["auto", "prefix_aware", "default"] = "auto"
    health_check_period_s: Annotated[float, Field(gt=0)] = 10.0
    health_check_timeout_s: Annotated[float, Field(gt=0)] = 30.0
    graceful_shutdown_s: Annotated[float, Field(ge=0)] = 120.0
    start_timeout_s: Annotated[float, Field(gt=0)] = 1800.0
    gpus_per_replica: Annotated[int, Field(ge=0)] = 0
    accelerator: str | None = None
    engine_kwargs: dict[str, Any] = {}
    base_url: str | None = None
    api_key_env: str | None = None
    max_in_flight: Annotated[int, Field(ge=1, le=512)] = 32
    timeout_s: Annotated[float, Field(gt=0)] = 60.0
    max_retries: Annotated[int, Field(ge=0, le=20)] = 4
    prompts: Literal["messages", "tokens"] | None = None
    logprobs: bool = True
    tokenizer: str | None = None
    extra_body: dict[str, Any] = {}
    served_by: str | None = None
    max_requests: Annotated[int, Field(ge=1)] | None = None
    max_tokens_total: Annotated[int, Field(ge=1)] | None = None
    max_cost: Annotated[float, Field(gt=0)] | None = None
    price_per_million_input: Annotated[float, Field(ge=0)] | None = None
    price_per_million_output: Annotated[float, Field(ge=0)] | None = None
    tokens_per_second: Annotated[float, Field(gt=0)] = 1000.0
    cost_per_hour: Annotated[float, Field(ge=0)] = 0.0
    scripted_delay_ms: Annotated[float, Field(ge=0)] = 0.0

    @property
    def asks_messages(self) -> bool:
        """Whether prompts are chat messages; token ids otherwise."""
        return (self.prompts or ("messages" if self.kind == "openai" else "tokens")) == "messages"

    @property
    def computes(self) -> bool:
        """Whether it computes on the nodes of the run, and not elsewhere or not at all."""
        return self.kind in ("vllm", "transformers", "serve")

    @property
    def most_replicas(self) -> int:
        """As many replicas as there may ever be."""
        return self.max_replicas or self.replicas

    @property
    def target_ongoing(self) -> int:
        """Requests in work at each replica before another is started.

        >>> EngineConfig(kind="serve", max_replicas=4, max_in_flight=32).target_ongoing
        8
        """
        return self.target_ongoing_requests or max(self.max_in_flight // self.most_replicas, 1)

    @property
    def host(self) -> str | None:
        """Who serves the model: ``served_by``, else the host of ``base_url``."""
        return self.served_by or (urlsplit(self.base_url).hostname if self.base_url else None)

    @property
    def identity(self) -> dict[str, Any]:
        """The fields that say what is scored: of those that the kind has, the ones that can change a verdict.

        >>> EngineConfig(tokens_per_second=5).identity == EngineConfig().identity
        True
        """
        known = _FIELDS[self.kind] | (self.model_fields_set if self.kind == "scripted" else set())
        found = self.model_dump(mode="json", include=known - _NOT_SCORED)
        return found | ({"served_by": self.host} if self.kind == "openai" else {})

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        known = _FIELDS[self.kind]
        if twice := sorted(set(self.engine_kwargs) & known):
            raise ValueError(f"{twice} have fields of their own in engine: set them there")
        if self.kind != "scripted":
            for name in sorted(self.model_fields_set - known):
                raise ConfigError(f"engine.{name} is not for kind {self.kind!r}; {_where(name)}")
        if self.kind == "openai":
            _check_openai(self)
        if self.kind == "serve":
            _check_serve(self)
        _check_address(self)
        return self


def _where(name: str) -> str:
    kinds = [kind for kind, fields in _FIELDS.items() if name in fields and kind != "scripted"]
    return f"it belongs to {' and '.join(kinds)}" if kinds else "it belongs to scripted"


def _check_openai(config: EngineConfig) -> None:
    missing = {name for name in ("base_url", "model") if name not in config.model_fields_set}
    missing |= set() if config.asks_messages or config.tokenizer else {"tokenizer"}
    if config.max_cost is not None:
        missing |= {n for n in ("price_per_million_input", "price_per_million_output") if getattr(config, n) is None}
    if missing:
        raise ConfigError(f"engine of kind 'openai' lacks {', '.join(sorted(missing))}; docs/engines.md has an example")
    if ours := sorted(_OURS & set(config.extra_body)):
        raise ConfigError(f"engine.extra_body sets {ours}, which judgefleet writes itself; leave them out")
    if config.asks_messages and (config.thinking or config.chat_template_kwargs):
        raise ConfigError(
            "engine.thinking and engine.chat_template_kwargs need prompts: tokens; with messages the endpoint renders "
            "the conversation: what it takes for that goes into engine.extra_body"
        )
    if not config.asks_messages and not config.logprobs:
        raise ConfigError("engine.logprobs: false is for prompts: messages; token ids are always read with theirs")


def _check_serve(config: EngineConfig) -> None:
    if config.base_url and (ours := sorted(config.model_fields_set & SERVE_ONLY)):
        raise ConfigError(f"engine.base_url joins a deployment that is up; {ours} are settled where it was started")
    if config.most_replicas < config.replicas:
        raise ConfigError(
            f"engine.max_replicas ({config.max_replicas}) is less than engine.replicas ({config.replicas})"
        )
    if config.target_ongoing_requests and config.most_replicas == config.replicas:
        raise ConfigError(
            "engine.target_ongoing_requests is for a deployment that grows: set engine.max_replicas above replicas"
        )
    if config.most_replicas > config.replicas and config.target_ongoing * config.replicas >= config.max_in_flight:
        raise ConfigError(
            f"engine.max_replicas would never be used: {config.replicas} replicas at {config.target_ongoing} requests "
            f"(target_ongoing_requests) take all that engine.max_in_flight ({config.max_in_flight}) allows; raise that"
        )
    if config.graceful_shutdown_s < config.timeout_s and "graceful_shutdown_s" in config.model_fields_set:
        raise ConfigError(
            f"engine.graceful_shutdown_s ({config.graceful_shutdown_s:g}) is shorter than engine.timeout_s "
            f"({config.timeout_s:g}): a replica would be ended in the middle of answers; make it as long"
        )


def _check_address(config: EngineConfig) -> None:
    """Neither the address nor the name of the variable may hold a secret, so neither is repeated when it does."""
    if config.api_key_env is not None and not _VARIABLE.fullmatch(config.api_key_env):
        raise ConfigError(
            "engine.api_key_env is the name of an environment variable (A-Z, 0-9, _), such as OPENAI_API_KEY; a key "
            "itself never stands in a configuration"
        )
    if config.base_url is None:
        return
    parts = urlsplit(config.base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError("engine.base_url is http:// or https:// and a host, such as https://api.openai.com/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigError("engine.base_url ends with its path: no user, password, query; keys go into api_key_env")
