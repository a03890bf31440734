"""Alerts and dashboard: every metric in them is one that the loop exports, every alert has an entry in the runbook."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from jobs.online.config import OnlineConfig
from jobs.online.metrics import Metrics

ROOT = Path(__file__).resolve().parents[1]
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yaml"
DASHBOARD = ROOT / "deploy" / "grafana" / "judgefleet.json"
ENDS = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}


@pytest.fixture(scope="module")
def exported() -> dict[str, set[str]]:
    """Names of the series that a loop exports, and the labels of each."""
    config = {"name": "x", "store": "s", "input": {"uri": "u"}, "scorers": [{"use": "not_empty"}]}
    metrics = Metrics(OnlineConfig.model_validate(config))
    labels = {made._name: set(made._labelnames) for made in vars(metrics).values() if hasattr(made, "_labelnames")}
    found: dict[str, set[str]] = {}
    for family in metrics.registry.collect():
        for end in ENDS[family.type]:
            found[family.name + end] = labels[family.name] | ({"le"} if end == "_bucket" else set())
    return found


def rules() -> list[dict[str, Any]]:
    [group] = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def panels() -> list[dict[str, Any]]:
    found = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return [panel for panel in found if panel["type"] != "row"]


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in rules())
    yield from (target["expr"] for panel in panels() for target in panel["targets"])


def test_every_metric_that_is_asked_for_is_exported(exported: dict[str, set[str]]) -> None:
    asked = {name for expression in expressions() for name in re.findall(r"judgefleet_\w+", expression)}
    assert asked
    assert asked <= set(exported)


def test_every_label_that_is_asked_for_is_one_of_the_metric(exported: dict[str, set[str]]) -> None:
    for expression in expressions():
        names = re.findall(r"judgefleet_\w+", expression)
        known = set.union(*(exported[name] for name in names))
        matched = {
            label for inner in re.findall(r"\{([^}]*)\}", expression) for label in re.findall(r"(\w+)[!=]", inner)
        }
        grouped = {label for inner in re.findall(r"by \(([^)]*)\)", expression) for label in re.split(r",\s*", inner)}
        assert matched | grouped <= known, expression


def test_what_a_text_shows_is_in_what_its_expression_gives() -> None:
    shown = [(rule["expr"], json.dumps(rule["annotations"]), r"\$labels\.(\w+)") for rule in rules()]
    targets = [target for panel in panels() for target in panel["targets"]]
    shown += [(target["expr"], target["legendFormat"], r"\{\{(\w+)\}\}") for target in targets]
    for expression, text, pattern in shown:
        kept = {label for inner in re.findall(r"by \(([^)]*)\)", expression) for label in re.split(r",\s*", inner)}
        assert set(re.findall(pattern, text)) <= kept, expression


def test_every_alert_has_an_entry_in_the_runbook() -> None:
    page = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    names = [rule["alert"] for rule in rules()]
    assert sorted(names) == sorted(re.findall(r"(?m)^### (Judgefleet\w+)$", page))
    for rule in rules():
        assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{rule['alert'].lower()}"


def test_the_dashboard_asks_the_data_source_that_its_reader_chose() -> None:
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    [variable] = dashboard["templating"]["list"]
    assert (variable["type"], variable["query"]) == ("datasource", "prometheus")
    for panel in panels():
        asked = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
        assert {source["uid"] for source in asked} == {f"${{{variable['name']}}}"}


def test_panels_have_ids_and_places_of_their_own() -> None:
    found = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    assert len({panel["id"] for panel in found}) == len(found)
    taken: set[tuple[int, int]] = set()
    for panel in found:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken
        taken |= cells


PROMTOOL = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (Debian: apt-get install prometheus)"
)


def promtool(*arguments: str) -> str:
    ran = subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@PROMTOOL
def test_prometheus_accepts_the_rules() -> None:
    assert f"{len(rules())} rules found" in promtool("check", "rules", str(ALERTS))


WELL = {
    "judgefleet_lease_held": "1x200",
    "judgefleet_lag_objects": "0x200",
    "judgefleet_lag_seconds": "10x200",
    "judgefleet_last_commit_timestamp_seconds": "0x200",  # nothing waits, so nothing need be committed
    "judgefleet_budget_share{kind='cost_per_day'}": "0.5x200",
    "judgefleet_sampling_factor": "1x200",
    "judgefleet_dead_letters_total": "2x200",  # of yesterday
    "judgefleet_gate_state{scorer='q',axis='a',state='INSUFFICIENT'}": "1x200",
    "judgefleet_gate_state{scorer='q',axis='a',state='STALE'}": "0x200",
    "judgefleet_scores_total{scorer='q',status='ok'}": "0+96x200",
    "judgefleet_scores_total{scorer='q',status='engine_error'}": "0+4x200",
    "judgefleet_scores_total{scorer='q',status='not_applicable'}": "0+900x200",
}


@PROMTOOL
@pytest.mark.parametrize(
    ("changed", "fires"),
    [
        ({}, None),
        ({"judgefleet_lease_held": "1x60 0x140"}, "JudgefleetDown"),
        ({"judgefleet_lease_held": None}, "JudgefleetDown"),
        ({"judgefleet_lag_objects": "3x200"}, "JudgefleetNoProgress"),
        ({"judgefleet_lag_seconds": "901x200"}, "JudgefleetLagHigh"),
        ({"judgefleet_scores_total{scorer='q',status='engine_error'}": "0+6x200"}, "JudgefleetFailuresHigh"),
        ({"judgefleet_budget_share{kind='cost_per_day'}": "0.96x200"}, "JudgefleetBudgetExhausted"),
        ({"judgefleet_sampling_factor": "0x200"}, "JudgefleetBudgetExhausted"),
        ({"judgefleet_dead_letters_total": "2x170 3x30"}, "JudgefleetDeadLetters"),
        ({"judgefleet_gate_state{scorer='q',axis='a',state='STALE'}": "1x200"}, "JudgefleetGateNotOpen"),
    ],
)
def test_an_alert_is_raised_by_what_it_is_for_and_by_nothing_else(
    tmp_path: Path, changed: dict[str, str | None], fires: str | None
) -> None:
    series = [{"series": name, "values": values} for name, values in (WELL | changed).items() if values]
    # Texts are compared to the letter; they are left out, and so are the labels that name whom an alert is about.
    plain = [rule | {"annotations": {}, "expr": f"count({rule['expr']})", "labels": {}} for rule in rules()]
    cases = [
        {"eval_time": "195m", "alertname": rule["alert"], "exp_alerts": [{}] if rule["alert"] == fires else []}
        for rule in plain
    ]
    whole = {
        "rule_files": ["rules.yaml"],
        "tests": [{"interval": "1m", "input_series": series, "alert_rule_test": cases}],
    }
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": plain}]}))
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(whole))
    assert "SUCCESS" in promtool("test", "rules", str(tmp_path / "test.yaml"))
