"""A Ray Serve LLM deployment: replicas that are shared and stay up, asked like any endpoint with vLLM behind it."""

from __future__ import annotations

import logging
import socket
import time

from jobs.engines.config import EngineConfig
from jobs.engines.deployment import APP_PREFIX, app_name, serving_args
from jobs.engines.endpoint import Endpoint, Failed
from jobs.engines.openai import ask_from_here
from jobs.engines.pool import ActorPool
from judgefleet.errors import ConfigError, RunError
from judges.judge_model import JudgeModel

_POLL_SECONDS = 0.5
# A refusal that trying again rarely mends: for so long it may be an address that is not announced yet.
_UNTIL_ANNOUNCED = 30.0
# Of applications that come up, or heal themselves: nobody deploys over them, which would start their engines anew.
_THERE = {"DEPLOYING", "RUNNING", "UNHEALTHY"}


def start_serve(config: EngineConfig, model: JudgeModel) -> ActorPool:
    """Join the deployment at ``config.base_url``; find or start ours where none is named.

    On a cluster that was joined the deployment outlives the run, and the next run of the same configuration finds it;
    on this machine's own Ray it ends with the session. When this returns, it has answered a request. Raises RunError
    when it does not come up or answer within ``config.start_timeout_s``.
    """
    ends = time.monotonic() + config.start_timeout_s
    url = config.base_url or _deploy(config, model, ends)
    reached = config.model_copy(update={"base_url": url})
    _warm_up(reached, model.name, ends)
    return ask_from_here(reached, model.name)


def _deploy(config: EngineConfig, model: JudgeModel, ends: float) -> str:
    import ray.serve as serve
    from ray.serve.llm import build_openai_app

    port, name = _start_proxy(), app_name(config, model)
    if _status(name) not in _THERE:
        app = build_openai_app(serving_args(config, model))
        target = serve.RunTarget(target=app, name=name, route_prefix=f"/{name}")
        serve.run_many([target], wait_for_applications_running=False)
    while (status := _status(name)) != "RUNNING":
        if status == "DEPLOY_FAILED":
            raise RunError(f"Ray Serve could not start the judge {name}: {_message(name)}")
        if time.monotonic() > ends:
            raise RunError(
                f"the judge {name} was not up after {config.start_timeout_s:.0f} s (engine.start_timeout_s; Ray Serve "
                f"says {status}: {_message(name) or 'nothing'}). `serve status` and `ray status` say what it waits for"
            )
        time.sleep(_POLL_SECONDS)
    return f"http://127.0.0.1:{port}/{name}/v1"


def _warm_up(config: EngineConfig, model: str, ends: float) -> None:
    """Ask one token until it is answered: healthy is what has answered, not what has started."""
    endpoint = Endpoint(config)
    began = time.monotonic()
    try:
        while isinstance(
            found := endpoint.post("/completions", {"model": model, "prompt": [0], "max_tokens": 1}), Failed
        ):
            now = time.monotonic()
            if now > ends or not (found.again or now < began + _UNTIL_ANNOUNCED):
                raise RunError(
                    f"the judge at {config.base_url} gave no answer: {found.error}. It must be up and have the model "
                    f"{model!r}"
                )
            time.sleep(_POLL_SECONDS)
    finally:
        endpoint.close()


def retire_app(name: str, wait_s: float = 180.0) -> bool:
    """Take down a deployment that no run uses any more; its replicas finish what they have first.

    Needs a Ray session on the cluster. Returns whether there was one. Raises ConfigError for a name that is not one of
    ``app_name``, RunError when it is still there after ``wait_s`` seconds (Ray goes on taking it down all the same).
    """
    if not name.startswith(APP_PREFIX):
        raise ConfigError(f"{name!r} is not a judge that judgefleet started: those begin with {APP_PREFIX!r}")
    import ray.serve as serve

    if _status(name) is None:
        return False
    serve.delete(name, _blocking=False)
    ends = time.monotonic() + wait_s
    while _status(name) is not None:
        if time.monotonic() > ends:
            raise RunError(
                f"the judge {name} is still there after {wait_s:.0f} s: {_message(name)}; see `serve status`"
            )
        time.sleep(_POLL_SECONDS)
    return True


def _status(name: str) -> str | None:
    """What Ray Serve says about the application; None where there is none."""
    import ray.serve as serve

    found = serve.status().applications.get(name)
    return None if found is None else str(found.status.value)


def _message(name: str) -> str:
    """Why an application is not up, in Ray Serve's words."""
    import ray.serve as serve

    found = serve.status().applications.get(name)
    said = [found.message, *(one.message for one in found.deployments.values())] if found else []
    return "; ".join(" ".join(text.split())[:300] for text in said if text)


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
