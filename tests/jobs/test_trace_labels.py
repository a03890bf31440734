"""``judgefleet traces label-import``: what people said in an export, into an audit that can be run."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from calibration.audit_folder import Audit
from jobs.traces_commands import traces_app
from judgefleet.errors import ConfigError


def score(number: int, **more: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": f"s{number}",
        "project_id": "p1",
        "trace_id": f"t{number}",
        "name": "helpful",
        "source": "ANNOTATION",
    }
    row |= {"value": float(number % 2), "data_type": "BOOLEAN", "author_user_id": "anna", "comment": "as seen"}
    return row | {"timestamp": "2026-11-22 06:41:00.000000", "updated_at": "2026-11-22 06:41:00.000000"} | more


def lines(*rows: Any) -> bytes:
    return "".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows).encode()


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Two windows that share a label, scores of a judge, another name, and observations."""
    project = tmp_path / "exports/p1"
    newer = score(1, value=0.0, updated_at="2026-11-22 07:41:00.000000")
    judged = score(3, source="EVAL")
    files = {
        "scores/2026-11-22T06-00-00.jsonl.gz": gzip.compress(lines(score(1), score(2), judged)),
        "scores/2026-11-22T07-00-00.jsonl": lines(newer, score(4, author_user_id="ben"), score(5, name="tone")),
        "observations_v2/2026-11-22T06-00-00.jsonl": lines({"id": "o", "trace_id": "t1"}),
    }
    for name, data in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_bytes(data)
    return project


def call(*arguments: str) -> Result:
    return CliRunner().invoke(traces_app, ["label-import", *arguments])


def test_labels_of_all_windows_each_once_and_the_newest(export: Path, tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    result = call(str(export), str(audit), "--name", "helpful", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["names"] == {"helpful": {"labels": 3, "raters": 2, "not_human": 1, "rejects": []}}
    assert (told["objects"], told["objects_without_labels"], told["older_versions"]) == (3, 1, 1)
    found = {(label.item_id, label.rater): label.label for label in Audit(audit).labels}
    assert found == {("t1", "anna"): "no", ("t2", "anna"): "no", ("t4", "ben"): "no"}
    assert Audit(audit).items["t1"].trace_ids == ("t1",)
    assert Audit(audit).labels[0].note == "as seen"
    again = call(str(export), str(audit), "--name", "helpful")
    assert again.exit_code == 0
    assert len(Audit(audit).label_log) == 3


def test_by_manifest_only_what_is_listed_is_read(export: Path, tmp_path: Path) -> None:
    manifests = export / "manifests"
    manifests.mkdir()
    listed = [{"key": "exports/p1/scores/2026-11-22T06-00-00.jsonl.gz"}, {"key": "exports/p1/observations_v2/none"}]
    manifest = {"projectId": "p1", "exportSource": "OBSERVATIONS_V2", "files": listed}
    (manifests / "2026-11-22T06-00-00.json").write_text(json.dumps(manifest))
    assert call(str(manifests), str(tmp_path / "audit")).exit_code == 0
    assert {label.item_id: label.label for label in Audit(tmp_path / "audit").labels} == {"t1": "yes", "t2": "no"}


def test_a_dry_run_says_what_is_there_and_writes_nothing(export: Path, tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    (export / "scores/z.jsonl").write_bytes(lines(score(8, trace_id=None, session_id=None), "{"))
    result = call(str(export), str(audit), "--dry-run")
    assert result.exit_code == 4
    assert [line.split() for line in result.stdout.splitlines()[1:3]] == [
        ["helpful", "3", "2", "1", "1"],
        ["tone", "1", "1", "0", "0"],
    ]
    assert "1 older versions of a label left out" in result.stdout
    assert "a human label needs a trace_id" in result.stdout
    assert "z.jsonl, line 2: not JSON" in result.stdout
    assert "nothing was written" in result.stdout
    assert not audit.exists()


def test_phoenix_and_mlflow(tmp_path: Path) -> None:
    phoenix = {"span_id": "ab" * 8, "name": "helpful", "annotator_kind": "HUMAN", "result": {"label": "good"}}
    source = {"source_type": "HUMAN", "source_id": "cleo"}
    mlflow = {"trace_id": "tr-1", "assessment_name": "helpful", "source": source, "feedback": {"value": True}}
    (tmp_path / "in").mkdir()
    (tmp_path / "in/phoenix.json").write_text(json.dumps([phoenix | {"identifier": "ben"}]))
    (tmp_path / "in/mlflow.jsonl").write_bytes(lines(mlflow))
    assert call(str(tmp_path / "in"), str(tmp_path / "audit")).exit_code == 0
    assert {label.rater: label.label for label in Audit(tmp_path / "audit").labels} == {"ben": "good", "cleo": "yes"}


def test_what_is_wrong_is_said(export: Path, tmp_path: Path) -> None:
    audit = str(tmp_path / "audit")
    with pytest.raises(ConfigError, match="labels of several names: helpful, tone; an audit is about one"):
        raise call(str(export), audit).exception or AssertionError
    with pytest.raises(ConfigError, match="no labels called 'x'; there are helpful, tone"):
        raise call(str(export), audit, "--name", "x").exception or AssertionError
    with pytest.raises(ConfigError, match="no labels in 1 objects; give the scores/ or manifests/"):
        raise call(str(export / "observations_v2"), audit).exception or AssertionError
    assert not (tmp_path / "audit").exists()
