"""The example configurations: each does what its comments say, and none is without a test."""

import json
import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from subprocess import CompletedProcess
from typing import TypeVar

import pandas as pd
import pytest

from jobs.config import load_batch_config
from jobs.engines.vllm import engine_kwargs
from judgefleet.storage import open_location, write_atomic
from judges.catalogue import create

ROOT = Path(__file__).parents[1]
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
