"""`judgefleet batch` as a user runs it: real Ray Data, the scripted engine in the place of the model."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pandas as pd
import pytest

from judgefleet.score import SCORE_SCHEMA

pytestmark = pytest.mark.slow
Run = Callable[..., CompletedProcess[str]]


@pytest.fixture
def hostile() -> list[str]:
    """Lines that have gone wrong somewhere, and some that only look so."""
    base: dict[str, object] = {
        "question": "Why?",
        "contexts": ["RET-1: because."],
        "variant": "A",
        "started_at": "2026-11-20T10:00:00Z",
    }
    odd: list[dict[str, object]] = [
        {"trace_id": "empty", "output": ""},
        {"trace_id": "null-bytes", "output": "a\u0000b RET-1"},
        {"trace_id": "surrogate", "output": "a\ud800b RET-1"},
        {"trace_id": "script", "output": "<script>window.hacked = 1</script> RET-1"},
        {"trace_id": "two-megabytes", "output": "long " * 400_000},
        {"trace_id": "undated", "output": "RET-1", "started_at": None},
        {"trace_id": "wrong-type", "output": {"not": "text"}, "question": 7},
    ]
    return [
        *(json.dumps(base | line) for line in odd),
        '{"trace_id": "cut", "question": "Wh',
        '{"output": "no question"}',
    ]


def test_a_run_with_bad_input_loses_nothing(
    tmp_path: Path, write_traces: Callable[..., Path], make_config: Callable[..., Path], run: Run, hostile: list[str]
) -> None:
    write_traces(6, hostile)
    config = str(make_config())
    done = run("batch", config, "--json")
    assert done.returncode == 4, done.stderr
    assert "traces were rejected" in done.stderr
    assert "Traceback" not in done.stderr
    result = json.loads(done.stdout)
    assert Path(result["report"]).stat().st_size > 10_000

    scores = pd.read_parquet(tmp_path / "store")
    assert set(scores.columns) == {*SCORE_SCHEMA.names, "date"}
    assert not scores.duplicated(["trace_id", "span_id", "scorer", "axis"]).any()
    assert (scores.groupby("trace_id").size() == 5).all()
    assert scores.trace_id.nunique() == 12 + 6
    assert scores[scores.status != "ok"].value.isna().all()
    assert scores[scores.status == "ok"].value.notna().all()
    assert scores[scores.status != "ok"].reason.notna().all()
    status = scores.set_index(["trace_id", "scorer", "axis"]).status
    assert status["two-megabytes", "quality", "clarity"] == "context_overflow"
    assert status["empty", "quality", "clarity"] == "not_applicable"
    assert scores.set_index(["trace_id", "scorer"]).value["empty", "not_empty"] == 0.0
    assert status["script", "quality", "clarity"] == "ok"
    assert set(scores[scores.trace_id == "undated"].date) == {"undated"}
    rejects = pd.read_parquet(next((tmp_path / "store" / "_runs").glob("*/rejects.parquet")))
    assert len(rejects) == 3

    again = run("batch", config)
    assert "90 in the store already" in again.stderr
    assert "\n0 new rows" in again.stderr or " 0 new rows" in again.stderr
    assert pd.read_parquet(tmp_path / "store").score_id.sort_values().tolist() == scores.score_id.sort_values().tolist()
    assert f"store: {tmp_path}/store" in again.stdout
    assert "report: " in again.stdout
    assert "not trusted until an audit" in " ".join(again.stdout.split())


def test_rows_that_are_lost_are_scored_again_and_only_those(
    tmp_path: Path, write_traces: Callable[..., Path], make_config: Callable[..., Path], run: Run
) -> None:
    write_traces(4)
    config = str(make_config())
    assert run("batch", config).returncode == 0
    before = pd.read_parquet(tmp_path / "store").sort_values("score_id").reset_index(drop=True)
    # One of the two partitions that hold a pair: its rows have to come back, those of the other must not double.
    lost = next((tmp_path / "store" / "scores").glob("date=*/scorer=preference"))
    shutil.rmtree(lost)
    assert run("batch", config).returncode == 0
    after = pd.read_parquet(tmp_path / "store").sort_values("score_id").reset_index(drop=True)
    same = ["score_id", "status", "value", "label", "pair_id"]
    pd.testing.assert_frame_equal(before[same], after[same])

    fresh = run("batch", config, "--fresh")
    assert fresh.returncode == 0
    assert "40 rows removed" in fresh.stderr
    renewed = pd.read_parquet(tmp_path / "store").sort_values("score_id").reset_index(drop=True)
    pd.testing.assert_frame_equal(before[same], renewed[same])
    assert (renewed.scored_at > after.scored_at.max()).all()


def test_a_dry_run_counts_and_scores_nothing(
    tmp_path: Path, write_traces: Callable[..., Path], make_config: Callable[..., Path], run: Run
) -> None:
    write_traces(4)
    done = run("batch", str(make_config()), "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    planned = json.loads(done.stdout)
    assert planned["rows"] == 8 * 5
    assert planned["prompts"] == 8 * 2 + 4 * 2
    assert 0 < planned["tokens_computed"] < planned["tokens"] / 2
    assert not (tmp_path / "store" / "scores").exists()


def test_what_an_engine_cannot_start_with_is_said_and_resumed(
    tmp_path: Path, write_traces: Callable[..., Path], make_config: Callable[..., Path], run: Run
) -> None:
    write_traces(2)
    broken = {"kind": "vllm", "engine_kwargs": {"no_such_argument": 1}}
    done = run("batch", str(make_config(engine=broken, run={"attempts": 1, "stall_seconds": 300})))
    assert done.returncode == 4
    assert "rows are missing after 1 attempts" in done.stderr
    assert "no_such_argument" in done.stderr
    assert "Traceback" not in done.stderr
    assert set(pd.read_parquet(tmp_path / "store").scorer) == {"not_empty", "regex"}


def test_a_partner_that_comes_later_overtakes_the_row_that_said_there_was_none(
    tmp_path: Path, write_traces: Callable[..., Path], make_config: Callable[..., Path], run: Run
) -> None:
    folder = write_traces(2)
    config = str(make_config())
    lines = sorted(line for path in folder.glob("*.jsonl") for line in path.read_text().splitlines())
    for path in folder.glob("*.jsonl"):
        path.unlink()
    (folder / "some.jsonl").write_text("\n".join(line for line in lines if '"b0001"' not in line))
    assert run("batch", config).returncode == 0
    (folder / "more.jsonl").write_text("\n".join(line for line in lines if '"b0001"' in line))
    done = run("batch", config)
    assert done.returncode == 0, done.stderr
    assert "1 rows removed" in done.stderr
    scores = pd.read_parquet(tmp_path / "store")
    assert (scores.groupby("trace_id").size() == 5).all()
    assert set(scores[scores.scorer == "preference"].status) == {"ok"}


def test_input_without_a_trace_is_said_and_reported(tmp_path: Path, make_config: Callable[..., Path], run: Run) -> None:
    (tmp_path / "traces").mkdir()
    (tmp_path / "traces" / "only.json").write_text("[]")
    done = run("batch", str(make_config()))
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "store: " in done.stdout
