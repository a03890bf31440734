"""The example configurations: each does what its comments say, and none is without a test."""

import json
import re
import runpy
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, TypeVar

import pandas as pd
import pytest

from jobs.config import load_batch_config
from jobs.engines.vllm import engine_kwargs
from judgefleet.storage import open_location, write_atomic
from judges.catalogue import create

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "configs"
ELSEWHERE = {"answers.yaml": ROOT / "tests" / "jobs" / "test_answers.py"}
COVERED: set[str] = set()

Run = Callable[..., CompletedProcess[str]]
Test = TypeVar("Test", bound=Callable[..., None])


def covers(name: str) -> Callable[[Test], Test]:
    """Marks a test as the one that executes ``configs/name``."""
    COVERED.add(name)
    return lambda test: test


def test_every_example_is_executed_by_a_test() -> None:
    assert {path.name for path in CONFIGS.iterdir()} == COVERED | set(ELSEWHERE)
    assert all(f'"{name}"' in path.read_text() for name, path in ELSEWHERE.items())


@pytest.fixture
def changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """An example with some words replaced, to be run from the root of the repository as its comments say."""
    monkeypatch.chdir(ROOT)

    def write(name: str, **replaced: str) -> str:
        text = (CONFIGS / name).read_text()
        for key, value in replaced.items():
            text, found = re.subn(rf"(?m)^(\s*){key}: .*$", rf"\g<1>{key}: {value}", text)
            assert found == 1, key
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


@covers("checks.yaml")
@pytest.mark.slow
def test_checks_find_what_the_data_card_says(tmp_path: Path, changed: Callable[..., str], run: Run) -> None:
    done = run("batch", changed("checks.yaml", store=str(tmp_path / "out")))
    assert done.returncode == 0, done.stderr
    scores = pd.read_parquet(tmp_path / "out")
    labels = scores.pivot(index="trace_id", columns="scorer", values="label").replace({"pass": "yes", "fail": "no"})
    card = (ROOT / "datasets" / "extraction" / "README.md").read_text()
    rows = re.findall(r"\| (extraction-\d+) \| (.+) \| (.+) \| (.+) \| (.+) \|", card)
    assert len(rows) == len(labels) == 12
    found = labels[["json_only", "json_found", "follows_schema"]].fillna("not applicable")
    assert [list(row) for row in found.itertuples()] == [[trace, *cells] for trace, _, *cells in rows]
    notes = zip(scores.trace_id, (dict(pairs)["note"] for pairs in scores.attributes), strict=True)
    assert dict(notes) == {trace: note for trace, note, *_ in rows}
    assert labels.index[labels.not_empty == "no"].tolist() == ["extraction-12"]
    assert labels.index[labels.no_chatter == "no"].tolist() == ["extraction-06"]
    assert not (labels.length == "no").any()


@covers("demo.yaml")
@pytest.mark.slow
def test_the_demo_scores_every_trace_on_every_axis(tmp_path: Path, changed: Callable[..., str], run: Run) -> None:
    done = run("batch", changed("demo.yaml", store=str(tmp_path / "out"), kind="scripted"))
    assert done.returncode == 0, done.stderr
    scores = pd.read_parquet(tmp_path / "out")
    assert set(scores.scorer) == {s.name or s.use for s in load_batch_config(CONFIGS / "demo.yaml").scorers}
    assert (scores.groupby(["scorer", "axis"]).trace_id.nunique() == 128).all()
    assert set(scores.status) == {"ok"}


@covers("pairwise-s3.yaml")
@pytest.mark.slow
def test_pairs_from_a_bucket_into_a_bucket(
    tmp_path: Path, changed: Callable[..., str], run: Run, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = f"?region=eu-central-1&endpoint_override={s3_endpoint}&scheme=http"
    traces, store = f"s3://bucket/traces{query}", f"s3://bucket/judgefleet/scores{query}"
    folder = ROOT / "datasets" / "support" / "traces"
    for path in folder.rglob("*.gz"):
        write_atomic(open_location(traces).child(path.relative_to(folder).as_posix()), path.read_bytes())
    config = changed("pairwise-s3.yaml", store=store, uri=traces, kind="scripted")
    monkeypatch.chdir(tmp_path)  # the report of a store that is elsewhere is written where the command is called
    done = run("batch", config, "--json")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / json.loads(done.stdout)["report"]).stat().st_size > 10_000
    scores = pd.read_parquet(store)
    assert (scores.groupby("pair_id").size() == 2).all()
    assert scores.pair_id.nunique() == 64
    assert set(scores.status) == {"ok"}


@covers("gpu.yaml")
@covers("gpu-32b-fp8.yaml")
@pytest.mark.parametrize(("name", "gpus"), [("gpu.yaml", 1), ("gpu-32b-fp8.yaml", 4)])
def test_the_settings_for_gpus_are_allowed(changed: Callable[..., str], name: str, gpus: int) -> None:
    from vllm.engine.arg_utils import AsyncEngineArgs

    config = load_batch_config(Path(changed(name)))
    assert [create(s.use, s.name, s.options) for s in config.scorers]
    assert config.engine.gpus_per_replica == engine_kwargs(config.engine)["tensor_parallel_size"] == gpus
    assert set(engine_kwargs(config.engine)) <= {field.name for field in fields(AsyncEngineArgs)}


@covers("openai.yaml")
@pytest.mark.slow
def test_an_endpoint_judges_until_its_budget_is_spent_and_then_goes_on(
    tmp_path: Path, changed: Callable[..., str], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = runpy.run_path(str(ROOT / "tests" / "jobs" / "engines" / "openai_server.py"))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-0123456789")

    def answer(body: dict[str, Any]) -> Any:
        label = "A" if "Which answer" in body["messages"][-1]["content"] else "4"
        return server["chat"](label, {label: 0.8, "B": 0.1, "5": 0.1})

    with server["serve"](answer) as made:
        written = {"store": str(tmp_path / "out"), "base_url": made.url}
        done = run("batch", changed("openai.yaml", **written, max_requests="100", chunk_traces="128"))
        assert done.returncode == 4, done.stderr
        scores = pd.read_parquet(tmp_path / "out")
        assert len(made.bodies) == 100
        failed = scores[scores.status != "ok"]
        assert set(failed.status) == {"engine_error"}
        assert failed.value.isna().all()
        assert failed.reason.str.contains(r"engine\.max_requests \(100\) is spent").all()
        done = run("batch", changed("openai.yaml", **written), "--retry-failed")
        assert done.returncode == 0, done.stderr
    scores = pd.read_parquet(tmp_path / "out")
    assert set(scores.status) == {"ok"}
    assert not scores.score_id.duplicated().any()
    grades = scores[scores.scorer == "quality"].value
    assert grades.min() == grades.max() == pytest.approx((4 * 0.8 + 5 * 0.1) / 0.9, abs=1e-5)
    # Whoever stands first is preferred: the two orders disagree, which is a tie.
    assert set(scores[scores.scorer == "preference"].label) == {"tie"}
    # Three grades an answer, and each of 64 pairs in both orders.
    assert len(made.bodies) == 128 * 3 + 64 * 2
    assert {headers["Authorization"] for headers in made.headers} == {"Bearer sk-secret-0123456789"}
    everything = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    assert b"sk-secret" not in everything
    assert not scores.config.str.contains("sk-secret").any()


@covers("serve.yaml")
@pytest.mark.slow
def test_a_deployment_that_the_run_starts_judges(tmp_path: Path, changed: Callable[..., str], run: Run) -> None:
    few = sorted((ROOT / "datasets" / "support" / "traces").rglob("*.gz"))[0]
    config = changed("serve.yaml", store=str(tmp_path / "out"), uri=str(few))
    done = run("batch", config)
    assert done.returncode == 0, done.stderr
    scores = pd.read_parquet(tmp_path / "out")
    judged = scores[scores.scorer == "preference"]
    assert len(judged) > 0
    assert set(judged.status) <= {"ok", "not_applicable"}
    assert judged[judged.status == "ok"].cached_tokens.sum() > 0
    assert {json.loads(text)["engine"].split(".")[0] for text in judged.config} == {"serve 0"}


@covers("online.yaml")
@pytest.mark.slow
def test_the_online_example_follows_the_bundled_traces(tmp_path: Path, changed: Callable[..., str], run: Run) -> None:
    config = changed("online.yaml", store=str(tmp_path / "out"), kind="scripted")
    done = run("online", config, "--once", "--json")
    assert done.returncode == 0, done.stderr
    rows = pd.read_parquet(tmp_path / "out")
    assert json.loads(done.stdout)["rows_committed"] == len(rows) == rows.score_id.nunique()
    assert set(rows.scorer) == {"not_empty", "pii", "quality"}
    assert rows.groupby("stratum", observed=True).inclusion_probability.unique().map(list).to_dict() == {
        "variant-b": [1.0],
        "default": [0.25],
    }
    told = json.loads(run("online", config, "--status", "--json").stdout)
    assert (told["objects_waiting"], told["objects_open"], told["loop"]["state"]) == (0, 0, "stopped")
    assert sum(told["traces"].values()) == 128
    assert run("report", str(tmp_path / "out"), "--out", str(tmp_path / "page.html")).returncode == 0
