"""A Ray Serve LLM deployment: replicas that are shared and stay up, asked like any endpoint with vLLM behind it."""

from __future__ import annotations

import logging
import socket
from typing import Any

from jobs.engines.config import EngineConfig
from jobs.engines.openai import ask_from_here
from jobs.engines.pool import ActorPool
from jobs.engines.vllm import engine_env, engine_kwargs
from judgefleet.hashing import stable_hash
from judges.judge_model import JudgeModel

_MOST_ONGOING = 1000


def start_serve(config: EngineConfig, model: JudgeModel) -> ActorPool:
    """Join the deployment at ``config.base_url``; start one where none is named, and wait until it is up.

    On a cluster that was joined the deployment outlives the run, and the next run of the same configuration finds it;
    on this machine's own Ray it ends with the session. Raises RuntimeError when it does not come up.
    """
    url = config.base_url or _deploy(config, model)
    return ask_from_here(config.model_copy(update={"base_url": url}), model.name)


def _deploy(config: EngineConfig, model: JudgeModel) -> str:
    import ray.serve as serve
    from ray.serve.llm import LLMConfig, build_openai_app

    port = _start_proxy()
    app = build_openai_app(
        {
            "llm_configs": [LLMConfig(**llm_config(config, model))],
            # It passes requests on; the cores belong to the engine.
            "ingress_deployment_config": {"num_replicas": 1, "ray_actor_options": {"num_cpus": 0}},
        }
    )
    name = app_name(config, model)
    serve.run(app, name=name, route_prefix=f"/{name}")
    return f"http://127.0.0.1:{port}/{name}/v1"


def app_name(config: EngineConfig, model: JudgeModel) -> str:
    """The same for whoever would start the same deployment."""
    return f"judgefleet-{stable_hash([config.identity, config.replicas, model.digest], length=8)}"


def llm_config(config: EngineConfig, model: JudgeModel) -> dict[str, Any]:
    """What Ray Serve LLM starts: the engine of the pipeline, with the counts of cached tokens in its answers."""
    # Ray chooses how the parts of an engine run, and refuses to be told.
    engine = {k: v for k, v in engine_kwargs(config).items() if k != "distributed_executor_backend"}
    gpus = config.gpus_per_replica
    return {
        "model_loading_config": {"model_id": model.name, "model_source": str(model.path)},
        "accelerator_type": config.accelerator,
        "placement_group_config": {"bundles": [{"CPU": 1, "GPU": 1}] * gpus or [{"CPU": 1}]},
        "deployment_config": {
            "num_replicas": config.replicas,
            "max_ongoing_requests": _MOST_ONGOING,
            # Beside the bundles above; with Ray's own 1, a replica fills a machine of two cores and no row is written.
            "ray_actor_options": {"num_cpus": 0},
        },
        # Ray's own counts of the engine want statistics that vLLM was told to leave out.
        "log_engine_metrics": False,
        "engine_kwargs": engine | {"enable_prompt_tokens_details": True},
        "runtime_env": {"env_vars": engine_env(config)},
    }


def _start_proxy() -> int:
    """The port of Serve's HTTP proxy on this node; it listens here only. A Serve that is up already keeps its own."""
    import ray.serve as serve
    from ray.serve.context import _get_global_client

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # What a user sees is ours; Serve's own words are in its log files.
    logging.getLogger("ray.serve").setLevel(logging.ERROR)
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    client = _get_global_client()
    return int(client.http_config.port)
