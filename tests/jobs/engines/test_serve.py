"""What Ray Serve LLM is told to start, without starting it."""

import subprocess
import sys
from typing import Any

import pytest

from jobs.engines.config import EngineConfig
from jobs.engines.deployment import app_name, llm_config
from jobs.engines.model import judge_model
from jobs.engines.prefixes import PrefixMemory
from jobs.engines.serve import retire_app
from judgefleet.errors import ConfigError


def told(**config: Any) -> dict[str, Any]:
    made = EngineConfig(kind="serve", **config)
    return llm_config(made, judge_model(EngineConfig()))


def test_a_replica_leaves_a_core_of_two_to_reading_and_writing() -> None:
    found = told()
    assert found["deployment_config"]["ray_actor_options"]["num_cpus"] == 0
    assert found["placement_group_config"]["bundles"] == [{"CPU": 1}]


def test_each_gpu_of_a_replica_is_asked_for() -> None:
    found = told(gpus_per_replica=2, accelerator="L4", replicas=3)
    assert found["placement_group_config"]["bundles"] == [{"CPU": 1, "GPU": 1}] * 2
    assert (found["accelerator_type"], found["deployment_config"]["num_replicas"]) == ("L4", 3)
    assert found["engine_kwargs"]["tensor_parallel_size"] == 2
    # Ray refuses to be told how it runs the parts of an engine.
    assert "distributed_executor_backend" not in found["engine_kwargs"]


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({"max_in_flight": 3}, True),
        ({"base_url": "http://h/v1"}, True),
        ({"start_timeout_s": 5}, True),
        ({"replicas": 2}, False),
        ({"max_replicas": 2}, False),
        ({"routing": "prefix_aware"}, False),
        ({"graceful_shutdown_s": 300}, False),
        ({"dtype": "float32"}, False),
    ],
)
def test_whoever_wants_the_same_deployment_finds_it(changed: dict[str, Any], same: bool) -> None:
    model = judge_model(EngineConfig())
    one, two = (app_name(EngineConfig(kind="serve", **more), model) for more in ({}, changed))
    assert (one == two) is same


@pytest.mark.parametrize(
    "changed",
    [
        {"max_replicas": 4, "target_ongoing_requests": 2},
        {"routing": "default"},
        {"graceful_shutdown_s": 300, "health_check_period_s": 1, "health_check_timeout_s": 2},
        {"start_timeout_s": 3},
    ],
)
def test_how_a_deployment_is_scaled_and_looked_after_is_no_other_judge(changed: dict[str, Any]) -> None:
    plain, other = EngineConfig(kind="serve"), EngineConfig(kind="serve", **changed)
    assert other.identity == plain.identity
    assert judge_model(other).config == judge_model(plain).config


def test_one_replica_is_routed_as_ray_does_and_several_by_prefix() -> None:
    assert "request_router_config" not in told()["deployment_config"]
    assert "request_router_config" not in told(replicas=2, routing="default")["deployment_config"]
    for config, slack in (({"replicas": 2}, 4), ({"max_replicas": 4}, 2), ({"replicas": 2, "max_in_flight": 4}, 1)):
        routed = told(**config)["deployment_config"]["request_router_config"]
        assert routed["request_router_class"] == "jobs.engines.token_router.TokenPrefixRouter"
        assert routed["request_router_kwargs"] == {"block": 32, "slack": slack}
    assert "request_router_config" in told(routing="prefix_aware")["deployment_config"]


def test_a_deployment_that_grows_has_bounds_in_place_of_a_number() -> None:
    found = told(replicas=1, max_replicas=4, max_in_flight=64)["deployment_config"]
    assert "num_replicas" not in found
    assert found["autoscaling_config"] == {"min_replicas": 1, "max_replicas": 4, "target_ongoing_requests": 16}
    assert "autoscaling_config" not in told(replicas=2, max_replicas=2)["deployment_config"]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"replicas": 3, "max_replicas": 2}, r"max_replicas \(2\) is less than engine.replicas \(3\)"),
        ({"target_ongoing_requests": 8}, "is for a deployment that grows"),
        ({"max_replicas": 4, "target_ongoing_requests": 32}, "would never be used"),
        ({"graceful_shutdown_s": 10}, "in the middle of answers"),
        ({"base_url": "http://h/v1", "routing": "default"}, r"\['routing'\] are settled where it was started"),
        ({"routing": "random"}, "prefix_aware"),
    ],
)
def test_a_deployment_that_contradicts_itself_is_refused(config: dict[str, Any], said: str) -> None:
    with pytest.raises((ConfigError, ValueError), match=said):
        EngineConfig(kind="serve", **config)


def test_only_a_judge_of_ours_is_retired() -> None:
    with pytest.raises(ConfigError, match="begin with 'judgefleet-'"):
        retire_app("default")


def test_what_is_remembered_is_bounded_and_the_gone_are_not_chosen() -> None:
    memory: PrefixMemory[str] = PrefixMemory(block=2, limit=4, slack=100)
    first = memory.choose([1, 2, 3, 4], {"a": 0, "b": 5})
    assert (first, memory.choose([1, 2, 3, 4], {"a": 50, "b": 5})) == ("a", "a")
    assert memory.choose([1, 2, 3, 4], {"b": 5, "c": 6}) == "b"  # a is gone
    memory.choose([7, 8, 9, 10, 11, 12, 13, 14], {"a": 0})
    assert memory.choose([1, 2, 3, 4], {"a": 50, "b": 5}) == "b"  # forgotten: the least busy


RAY_ACCEPTS = """
import asyncio, json, sys
from types import SimpleNamespace
from ray.serve.llm import LLMConfig
from ray.serve.llm.request_router import PrefixCacheAffinityRouter
from ray.serve.config import RequestRouterConfig
from jobs.engines.deployment import llm_config
from jobs.engines.config import EngineConfig
from jobs.engines.model import judge_model
from jobs.engines.token_router import TokenPrefixRouter, token_ids

told = llm_config(EngineConfig(kind="serve", replicas=2, max_replicas=3), judge_model(EngineConfig()))
taken = LLMConfig(**told).deployment_config
routed = RequestRouterConfig(**taken["request_router_config"])
assert routed.get_request_router_class() is TokenPrefixRouter
request = SimpleNamespace(prompt=[5, 6, 7, 8])
assert token_ids([request]) == [5, 6, 7, 8]
assert not token_ids([SimpleNamespace(prompt="text")]) and not token_ids([SimpleNamespace(messages=[])])
# Why there is a router of ours. When this fails, Ray reads token ids, and ours may go.
assert PrefixCacheAffinityRouter._normalize_prompt_to_string(PrefixCacheAffinityRouter.__new__(
    PrefixCacheAffinityRouter), [5, 6, 7, 8]) == ""

router = TokenPrefixRouter.__new__(TokenPrefixRouter)
router._replica_queue_len_cache = SimpleNamespace(get={"a": 0, "b": 0}.get)
replicas = [SimpleNamespace(replica_id=one) for one in "ab"]
router._replicas = {one.replica_id: one for one in replicas}
router._replica_id_set = set(router._replicas)
router._prefer_local_node_routing = router._prefer_local_az_routing = False
router.initialize_state(**{**routed.request_router_kwargs, "block": 2})
pending = SimpleNamespace(args=[request], metadata=SimpleNamespace(multiplexed_model_id=""),
                          routing_context=SimpleNamespace(should_backoff=False))
def first(): return asyncio.run(router.choose_replicas(replicas, pending))[0][0].replica_id
chosen = first()
other = "b" if chosen == "a" else "a"
router._replica_queue_len_cache = SimpleNamespace(get={chosen: 2, other: 0}.get)
assert first() == chosen, "it has the prefix and is no busier than allowed"
router._replica_queue_len_cache = SimpleNamespace(get={chosen: 3, other: 0}.get)
assert first() == other, "nobody waits behind a prefix"
print("accepted")
"""


def test_ray_takes_the_settings_and_the_router_reads_token_ids() -> None:
    # In a process of its own: importing Ray's LLM libraries warns, and warnings are errors here.
    ran = subprocess.run([sys.executable, "-c", RAY_ACCEPTS], capture_output=True, text=True, timeout=300, check=False)
    assert ran.stdout.endswith("accepted\n"), ran.stderr[-3000:]
