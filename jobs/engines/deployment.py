"""What Ray Serve LLM is told to start: the engine of the pipeline, how many of it, and who is sent where."""

from typing import Any

from jobs.engines.config import SERVE_ONLY, EngineConfig
from jobs.engines.vllm import engine_env, engine_kwargs
from judgefleet.hashing import stable_hash
from judges.judge_model import JudgeModel

APP_PREFIX = "judgefleet-"
_MOST_ONGOING = 1000
_ROUTER = "jobs.engines.token_router.TokenPrefixRouter"
# A replica may have so much of its even share of all requests more in work than another, and still be given what begins
# alike. With a whole share, all of a short queue went to one of two replicas, and the other stayed idle.
_SLACK = 1 / 4


def app_name(config: EngineConfig, model: JudgeModel) -> str:
    """The same for whoever would start the same deployment; another judge or another scale is another one beside it."""
    scale = config.model_dump(mode="json", include=SERVE_ONLY | {"replicas", "kv_cache_gib"})
    return APP_PREFIX + stable_hash([config.identity, scale, model.digest, model.engine_version], length=8)


def llm_config(config: EngineConfig, model: JudgeModel) -> dict[str, Any]:
    """What Ray Serve LLM starts: the engine of the pipeline, with the counts of cached tokens in its answers."""
    # Ray chooses how the parts of an engine run, and refuses to be told.
    engine = {k: v for k, v in engine_kwargs(config).items() if k != "distributed_executor_backend"}
    gpus = config.gpus_per_replica
    return {
        "model_loading_config": {"model_id": model.name, "model_source": str(model.path)},
        "accelerator_type": config.accelerator,
        "placement_group_config": {"bundles": [{"CPU": 1, "GPU": 1}] * gpus or [{"CPU": 1}]},
        "deployment_config": deployment_config(config),
        # Ray's own counts of the engine want statistics that vLLM was told to leave out.
        "log_engine_metrics": False,
        "engine_kwargs": engine | {"enable_prompt_tokens_details": True},
        "runtime_env": {"env_vars": engine_env(config)},
    }


def deployment_config(config: EngineConfig) -> dict[str, Any]:
    """How many replicas there are, when one counts as ill, how long it may finish, and who is sent where."""
    return {
        **_replicas(config),
        **_routing(config),
        "max_ongoing_requests": _MOST_ONGOING,
        "health_check_period_s": config.health_check_period_s,
        "health_check_timeout_s": config.health_check_timeout_s,
        "graceful_shutdown_timeout_s": config.graceful_shutdown_s,
        # Beside the bundles; with Ray's own 1, a replica fills a machine of two cores and no row is written.
        "ray_actor_options": {"num_cpus": 0},
    }


def _replicas(config: EngineConfig) -> dict[str, Any]:
    if config.most_replicas == config.replicas:
        return {"num_replicas": config.replicas}
    bounds = {"min_replicas": config.replicas, "max_replicas": config.most_replicas}
    return {"autoscaling_config": bounds | {"target_ongoing_requests": config.target_ongoing}}


def _routing(config: EngineConfig) -> dict[str, Any]:
    if config.routing == "default" or (config.routing == "auto" and config.most_replicas == 1):
        return {}
    slack = max(int(config.max_in_flight / config.most_replicas * _SLACK), 1)
    given = {"block": config.block_size, "slack": slack}
    return {"request_router_config": {"request_router_class": _ROUTER, "request_router_kwargs": given}}


def serving_args(config: EngineConfig, model: JudgeModel) -> dict[str, Any]:
    """Arguments of ``ray.serve.llm:build_openai_app``, as plain data."""
    return {
        "llm_configs": [llm_config(config, model)],
        # It passes requests on; the cores belong to the engine. One, because it remembers which replica read what.
        "ingress_deployment_config": {"num_replicas": 1, "ray_actor_options": {"num_cpus": 0}},
    }
