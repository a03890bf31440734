"""deploy/kubernetes, as far as it can be held to account without a cluster.

Ray reads what is Ray's (the Serve application, KubeRay's autoscaler configuration), our own configuration and command
line read what is ours. Of Kubernetes' own schema nothing is installed: names that must match are compared here.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.testing
import yaml
from ray.autoscaler._private.kuberay.autoscaling_config import _derive_autoscaling_config_from_ray_cr

from jobs.cli import app
from jobs.engines.config import EngineConfig
from jobs.engines.deployment import serving_args
from jobs.engines.model import judge_model
from jobs.online.config import OnlineConfig
from judgefleet.yaml_model import load_yaml_model

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "deploy" / "kubernetes"
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:ray")


def documents(*names: str) -> list[dict[str, Any]]:
    files = [FOLDER / f"{name}.yaml" for name in names or ("access", "judge", "loop", "batch")]
    return [found for file in files for found in yaml.safe_load_all(file.read_text(encoding="utf-8"))]


def one(kind: str, *names: str) -> dict[str, Any]:
    [found] = [document for document in documents(*names) if document["kind"] == kind]
    return found


def clusters() -> dict[str, dict[str, Any]]:
    return {
        "judge": one("RayService")["spec"]["rayClusterConfig"],
        "batch": one("RayJob")["spec"]["rayClusterSpec"],
    }


def pods() -> Iterator[dict[str, Any]]:
    """Every template of a pod."""
    yield one("Deployment")["spec"]["template"]
    for cluster in clusters().values():
        yield cluster["headGroupSpec"]["template"]
        yield from (group["template"] for group in cluster["workerGroupSpecs"])


def containers() -> Iterator[dict[str, Any]]:
    for pod in pods():
        yield from pod["spec"]["containers"]


def online() -> OnlineConfig:
    return load_yaml_model(FOLDER / "online.yaml", OnlineConfig)


def test_the_judge_that_is_served_is_the_one_that_the_loop_asks() -> None:
    engine = online().engine
    # As a run would start it itself: the same, but for the address, and with what only the starting side settles.
    settings = engine.model_dump(exclude={"base_url"}, exclude_unset=True) | {"max_replicas": 4}
    ours = EngineConfig(**settings)
    model = judge_model(EngineConfig(kind="serve"))
    wanted = serving_args(ours, model)
    [wanted_llm] = wanted["llm_configs"]
    service = one("RayService")["spec"]
    config = yaml.safe_load(service["serveConfigV2"])
    [application] = config["applications"]
    [served] = application["args"]["llm_configs"]
    loading = served.pop("model_loading_config")
    assert loading == {"model_id": Path(engine.model).name, "model_source": engine.model}
    # Threads and the cache of a CPU are set by us alone; null is what Ray and vLLM do by themselves.
    left_out = {"model_loading_config", "runtime_env"}
    assert served == without_null({k: v for k, v in wanted_llm.items() if k not in left_out})
    assert application["args"]["ingress_deployment_config"] == wanted["ingress_deployment_config"]
    port, prefix = config["http_options"]["port"], application["route_prefix"]
    assert engine.base_url == f"http://{one('RayService')['metadata']['name']}-serve-svc:{port}{prefix}/v1"


def without_null(found: Any) -> Any:
    if isinstance(found, dict):
        return {key: without_null(value) for key, value in found.items() if value is not None}
    return found


def test_ray_serve_accepts_the_application() -> None:
    from ray._common.utils import import_attr
    from ray.serve.schema import ServeDeploySchema

    config = yaml.safe_load(one("RayService")["spec"]["serveConfigV2"])
    accepted = ServeDeploySchema.model_validate(config)
    [application] = accepted.applications
    assert import_attr(application.import_path).__name__ == "build_openai_app"
    assert accepted.http_options.host == "0.0.0.0"


@pytest.mark.parametrize("name", ["judge", "batch"])
def test_the_autoscaler_of_kuberay_reads_the_cluster(name: str) -> None:
    cluster = clusters()[name]
    found = _derive_autoscaling_config_from_ray_cr({"metadata": {"name": name, "namespace": "n"}, "spec": cluster})
    types = found["available_node_types"]
    assert types[found["head_node_type"]]["resources"]["CPU"] == 0
    assert types["gpu"]["resources"]["GPU"] == 1
    assert (types["gpu"]["min_workers"], types["gpu"]["max_workers"]) == (0, 4)
    assert found["idle_timeout_minutes"] == 15
    from importlib.metadata import version

    assert cluster["rayVersion"] == version("ray")


def test_every_replica_has_a_node() -> None:
    [application] = yaml.safe_load(one("RayService")["spec"]["serveConfigV2"])["applications"]
    [served] = application["args"]["llm_configs"]
    [group] = clusters()["judge"]["workerGroupSpecs"]
    deployment = served["deployment_config"]
    assert deployment["autoscaling_config"]["max_replicas"] <= group["maxReplicas"]
    pod = group["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] > deployment["graceful_shutdown_timeout_s"]
    assert pod["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == len(
        served["placement_group_config"]["bundles"]
    )


def test_gpus_are_on_spot_and_what_holds_state_is_not() -> None:
    for pod in pods():
        selector = pod["spec"]["nodeSelector"]
        gpu = any("nvidia.com/gpu" in made["resources"]["limits"] for made in pod["spec"]["containers"])
        assert selector["karpenter.sh/capacity-type"] == ("spot" if gpu else "on-demand")
        tolerated = {one["key"] for one in pod["spec"].get("tolerations", [])}
        assert tolerated == ({"nvidia.com/gpu", "judgefleet/spot"} if gpu else set())


def test_pods_ask_for_what_they_need_and_run_as_nobody_special() -> None:
    for pod in pods():
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    for made in containers():
        assert {"cpu", "memory"} <= set(made["resources"]["requests"])
        # What is asked of memory is what may be used: nothing is evicted because a neighbour grew.
        assert made["resources"]["requests"]["memory"] == made["resources"]["limits"]["memory"]
        mounted = {mount["name"] for mount in made["volumeMounts"]}
        [pod] = [pod for pod in pods() if made in pod["spec"]["containers"]]
        assert mounted == {volume["name"] for volume in pod["spec"]["volumes"]}


def test_the_loop_runs_our_command_and_its_probes_ask_the_port_that_it_opens() -> None:
    [made] = one("Deployment")["spec"]["template"]["spec"]["containers"]
    assert made["command"] == ["judgefleet"]
    command, config, *flags = made["args"]
    shown = typer.testing.CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    assert {"--unsupervised", "--json-log"} == set(flags) <= set(re.findall(r"--[\w-]+", shown.output))
    assert config == f"{made['volumeMounts'][0]['mountPath']}/online.yaml"
    settings = online().online
    [port] = made["ports"]
    assert (port["containerPort"], settings.metrics_host) == (settings.metrics_port, "0.0.0.0")
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert made[probe]["httpGet"] == {"path": "/metrics", "port": port["name"]}
    annotations = one("Deployment")["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == str(settings.metrics_port)


def test_a_batch_runs_our_command() -> None:
    job = one("RayJob")["spec"]
    _, command, config, *flags = job["entrypoint"].split()
    shown = typer.testing.CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"})
    assert set(flags) <= set(re.findall(r"--[\w-]+", shown.output))
    head = job["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]["containers"][0]
    assert config.startswith(head["volumeMounts"][0]["mountPath"])
    assert job["shutdownAfterJobFinishes"] is True


def test_selectors_find_the_pods_they_are_for() -> None:
    labels = [pod["metadata"]["labels"] for pod in pods()]
    selectors = [
        one("Deployment")["spec"]["selector"]["matchLabels"],
        one("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        one("NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
    ]
    found = [sum(selector.items() <= label.items() for label in labels) for selector in selectors]
    assert found == [1, 2, len(labels)]


def test_accounts_and_volumes_that_are_named_are_there_and_judges_have_no_rights() -> None:
    made = {(document["kind"], document["metadata"]["name"]) for document in documents()}
    accounts = [pod["spec"].get("serviceAccountName") for pod in pods()]
    assert {("ServiceAccount", name) for name in accounts if name} <= made
    for pod in pods():
        for volume in pod["spec"]["volumes"]:
            if claim := volume.get("persistentVolumeClaim"):
                assert ("PersistentVolumeClaim", claim["claimName"]) in made
                assert claim["readOnly"] is True
    [group] = clusters()["judge"]["workerGroupSpecs"]
    assert "serviceAccountName" not in group["template"]["spec"]
    assert group["template"]["spec"]["automountServiceAccountToken"] is False


def test_the_gpu_workers_of_both_clusters_are_alike() -> None:
    [judge], [batch] = (cluster["workerGroupSpecs"] for cluster in clusters().values())
    same = ("nodeSelector", "tolerations", "volumes", "securityContext")
    assert [judge["template"]["spec"][name] for name in same] == [batch["template"]["spec"][name] for name in same]


def test_kustomize_lists_the_files_and_sets_the_image_that_the_batch_has() -> None:
    listed = yaml.safe_load((FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))
    assert {*listed["resources"], "batch.yaml", "online.yaml", "kustomization.yaml"} == {
        f.name for f in FOLDER.iterdir()
    }
    [image] = listed["images"]
    names = {made["image"] for made in containers()}
    assert names == {image["name"], f"{image['newName']}:{image['newTag']}"}
    [generated] = listed["configMapGenerator"]
    named = {v["configMap"]["name"] for pod in pods() for v in pod["spec"]["volumes"] if "configMap" in v}
    assert generated["name"] in named


def test_there_is_no_secret_in_them() -> None:
    text = "\n".join(
        file.read_text(encoding="utf-8") for file in sorted((ROOT / "deploy").rglob("*")) if file.is_file()
    )
    assert not re.search(r"AKIA[0-9A-Z]{16}|PRIVATE KEY|(?i:secret|password|access_key)\W*[:=]\W*\w{12}", text)
