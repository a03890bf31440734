"""ray_cluster.yaml as `ray up` reads it: filled with Ray's defaults, held against Ray's schema, no cloud asked."""

import copy
import json
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer.testing
import yaml
from ray._private.label_utils import validate_node_label_syntax
from ray.autoscaler._private.util import prepare_config, validate_config

from jobs.cli import app

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


def test_every_node_runs_one_image_under_the_instance_profile_of_its_role(written: dict[str, Any]) -> None:
    nodes = {name: node["node_config"] for name, node in written["available_node_types"].items()}
    assert len({node["ImageId"] for node in nodes.values()}) == 1
    profiles = {name: node["IamInstanceProfile"]["Name"] for name, node in nodes.items()}
    # Only the head may start instances: a prompt that breaks out of a judge must not be able to.
    assert profiles == {"head": "judgefleet-head", "cpu_worker": "judgefleet-worker", "gpu_worker": "judgefleet-worker"}
    setup = (ROOT / "docs" / "setup.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in setup for name in profiles.values())


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


def service(name: str) -> dict[str, dict[str, list[str]]]:
    """A unit of systemd: its sections, their settings, and what each was set to."""
    sections: dict[str, dict[str, list[str]]] = {}
    section: dict[str, list[str]] = {}
    for line in (ROOT / "deploy" / "aws" / f"{name}.service").read_text(encoding="utf-8").splitlines():
        if header := re.fullmatch(r"\[(\w+)\]", line):
            section = sections.setdefault(header[1], {})
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            section.setdefault(key, []).append(value)
    return sections


def test_the_head_keeps_the_loop_running(written: dict[str, Any]) -> None:
    commands = " ".join(written["head_setup_commands"] + written["head_start_ray_commands"])
    folder = next(to for to, source in written["file_mounts"].items() if source == "./deploy/aws")
    assert f"{folder}/judgefleet-*.service" in commands
    for name in re.findall(r"judgefleet-(?:ray|online)", commands):
        assert service(name)["Install"]["WantedBy"] == ["multi-user.target"]
    loop = service("judgefleet-online")
    assert loop["Service"]["Restart"] == ["always"]
    assert "RAY_ADDRESS=127.0.0.1:6379" in loop["Service"]["Environment"]
    assert "test -e ~/configs/online.yaml" in loop["Service"]["ExecCondition"][0]
    assert loop["Unit"]["Wants"] == loop["Unit"]["After"] == ["judgefleet-ray.service"]
    # Ray's daemons stay when the unit that started them is done or stopped.
    assert service("judgefleet-ray")["Service"]["KillMode"] == ["process"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
@pytest.mark.parametrize("name", ["judgefleet-ray", "judgefleet-online"])
def test_systemd_understands_the_services(name: str) -> None:
    unit = ROOT / "deploy" / "aws" / f"{name}.service"
    ran = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=60, check=False
    )
    assert not [line for line in ran.stderr.splitlines() if name in line]


def test_the_services_run_commands_that_exist(written: dict[str, Any]) -> None:
    [started] = service("judgefleet-online")["Service"]["ExecStart"]
    *shell, line = shlex.split(started)
    assert shell == ["/bin/bash", "-c"]
    _, program, *arguments = shlex.split(line)
    assert program == "~/env/bin/judgefleet"
    found = typer.testing.CliRunner().invoke(app, [*arguments[:1], "--help"])
    assert found.exit_code == 0
    assert all(flag in found.output for flag in arguments if flag.startswith("--"))
    assert "~/configs/online.yaml" in arguments
    # After a reboot Ray is started as the launcher starts it.
    [ray] = service("judgefleet-ray")["Service"]["ExecStart"]
    [launched] = [line for line in written["head_start_ray_commands"] if "--head" in line]
    flags = re.search(r"ray start (--head .*)", launched)
    assert flags is not None
    assert set(flags[1].split()) <= set(shlex.split(shlex.split(ray)[-1]))


def test_what_is_run_on_a_node_joins_the_cluster(written: dict[str, Any]) -> None:
    assert any("RAY_ADDRESS=auto" in command for command in written["setup_commands"])
