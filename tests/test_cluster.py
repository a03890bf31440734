"""ray_cluster.yaml as `ray up` reads it: filled with Ray's defaults, held against Ray's schema, no cloud asked."""

import copy
import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from ray._private.label_utils import validate_node_label_syntax
from ray.autoscaler._private.util import prepare_config, validate_config

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def written() -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load((ROOT / "ray_cluster.yaml").read_text(encoding="utf-8"))
    return config


def accepted(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration as the launcher uses it: these are the first two things that `ray up` does with the file."""
    prepared: dict[str, Any] = prepare_config(copy.deepcopy(config))
    validate_config(prepared)
    return prepared


def test_ray_accepts_it(written: dict[str, Any]) -> None:
    prepared = accepted(written)
    assert prepared["head_node_type"] in prepared["available_node_types"]
    assert prepared["provider"]["type"] == "aws"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("idle_timeout_minuts", 15, "idle_timeout_minuts"),
        ("max_workers", "many", "'many' is not of type"),
        ("head_node_type", "boss", "head_node_type"),
        ("available_node_types", {"head": {"node_config": {}}}, "'resources' is a required property"),
    ],
)
def test_ray_refuses_a_broken_file(written: dict[str, Any], field: str, value: object, said: str) -> None:
    with pytest.raises((jsonschema.ValidationError, ValueError), match=said):
        accepted(written | {field: value})


def test_the_fleet_costs_nothing_when_idle_and_runs_on_spot(written: dict[str, Any]) -> None:
    types = accepted(written)["available_node_types"]
    workers = {name: node for name, node in types.items() if name != written["head_node_type"]}
    assert types["head"]["resources"]["CPU"] == 0
    assert [name for name, node in workers.items() if node["resources"].get("GPU")] == ["gpu_worker"]
    assert all(node["min_workers"] == 0 for node in workers.values())
    assert all(node["node_config"]["InstanceMarketOptions"]["MarketType"] == "spot" for node in workers.values())
    assert sum(node["max_workers"] for node in workers.values()) == written["max_workers"]
    assert written["idle_timeout_minutes"] > 0


def test_every_node_runs_one_image_under_an_instance_profile(written: dict[str, Any]) -> None:
    nodes = [node["node_config"] for node in written["available_node_types"].values()]
    assert len({node["ImageId"] for node in nodes}) == 1
    assert all(node["IamInstanceProfile"] == {"Name": "judgefleet-node"} for node in nodes)


def test_there_is_no_secret_in_it(written: dict[str, Any]) -> None:
    secret = r"AKIA[0-9A-Z]{16}|BEGIN [A-Z ]*PRIVATE KEY|(?i:secret|password|access_key|token)\W*[:=]\W*\w{12}"
    assert not re.search(secret, json.dumps(written))
    assert "ssh_private_key" not in written["auth"]


def test_labels_are_ones_that_ray_takes(written: dict[str, Any]) -> None:
    for node in written["available_node_types"].values():
        validate_node_label_syntax(node["labels"])
        assert not [key for key in node["labels"] if key.startswith("ray.io/")]  # Ray sets those itself


def test_commands_are_shell_and_install_what_exists(written: dict[str, Any]) -> None:
    commands = [command for field, listed in written.items() if field.endswith("_commands") for command in listed]
    for command in commands:
        subprocess.run(["bash", "-n", "-c", command], check=True, capture_output=True, timeout=60)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    asked = re.findall(r"judgefleet-\*\.whl\)\[(\w+)\]", " ".join(commands))
    assert asked == ["gpu"]
    assert "gpu" in extras
