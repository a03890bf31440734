"""What Ray Serve LLM is told to start, without starting it."""

from typing import Any

import pytest

from jobs.engines.config import EngineConfig
from jobs.engines.model import judge_model
from jobs.engines.serve import app_name, llm_config


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
        ({"replicas": 2}, False),
        ({"dtype": "float32"}, False),
    ],
)
def test_whoever_wants_the_same_deployment_finds_it(changed: dict[str, Any], same: bool) -> None:
    model = judge_model(EngineConfig())
    one, two = (app_name(EngineConfig(kind="serve", **more), model) for more in ({}, changed))
    assert (one == two) is same
