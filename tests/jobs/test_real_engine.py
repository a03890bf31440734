"""The judge stage for real: Ray Data, vLLM and the embedded model, started by the command a user types."""

import json
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml

from calibration.audit import Label
from calibration.audit_folder import Audit
from jobs.config import load_batch_config
from jobs.judging import samples_of
from jobs.prepare import prepare

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
Rows: TypeAlias = dict[tuple[str, str, str], dict[str, Any]]
JUDGEFLEET = [sys.executable, "-c", "from jobs.cli import main; main()"]
TEN = """
name: ten
version: "1"
instructions: Grade the answer.
axes:
  - {name: overall, question: 'How good is it?', scale: {min: 1, max: 10}}
"""
ANSWERS = [
    ("Your parcel takes three to five working days, see SHIP-1.", "No idea, sorry."),
    ("You can return it within 30 days [RET-1].", "Returns are possible within 30 days."),
    ("Please write to us.", "We refund the second charge within 5 days, see PAY-2. Is there anything else?"),
]


@pytest.fixture(scope="module")
def traces() -> list[dict[str, object]]:
    """Each pair twice: as it is, and with the two answers in each other's place."""
    lines: list[dict[str, object]] = []
    for item, answers in enumerate(ANSWERS):
        for turn, pair in (("as-is", answers), ("swapped", answers[::-1])):
            lines += [
                {
                    "trace_id": f"{turn}-{item}-{variant}",
                    "question": f"Question number {item}: what now?",
                    "contexts": [
                        "SHIP-1: 3 to 5 working days.",
                        "RET-1: returns within 30 days.",
                        "PAY-2: refunds in 5 days.",
                    ],
                    "output": output,
                    "variant": variant,
                    "started_at": "2026-11-20T10:00:00Z",
                    "attributes": {"judgefleet.item_id": f"{turn}-{item}"},
                }
                for variant, output in zip("AB", pair, strict=True)
            ]
    return lines


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, traces: list[dict[str, object]]) -> Path:
    made = tmp_path_factory.mktemp("real")
    (made / "traces").mkdir()
    (made / "traces" / "all.jsonl").write_text("\n".join(map(json.dumps, traces)) + "\n")
    return made


@pytest.fixture(scope="module")
def configure(folder: Path) -> Callable[[str], Path]:
    """Writes the configuration that scores into the store of the given name."""

    (folder / "ten.yaml").write_text(TEN)

    def made(store: str) -> Path:
        config = {
            "name": "real",
            "store": str(folder / store),
            "input": {"uri": str(folder / "traces")},
            # In bfloat16 a value moves by some hundredths with what else is in the batch.
            "engine": {"dtype": "float32"},
            "scorers": [
                {"use": "judge_pointwise", "name": "quality", "rubric": "support_quality"},
                {"use": "judge_pairwise", "name": "preference", "rubric": "support_preference", "variants": ["A", "B"]},
                {"use": "judge_pointwise", "name": "reasoned", "rubric": str(folder / "ten.yaml"), "reason_tokens": 12},
            ],
            "run": {"chunk_traces": 8},
        }
        path = folder / f"{store}.yaml"
        path.write_text(yaml.safe_dump(config))
        return path

    return made


@pytest.fixture(scope="module")
def scores(folder: Path, configure: Callable[[str], Path]) -> Rows:
    """The rows of one run; the engine is started once for all tests here that do not start it again on purpose."""
    call_judgefleet("batch", str(configure("first")))
    return rows_of(folder / "first")


def rows_of(store: Path) -> Rows:
    """Rows by trace, scorer and axis, as pandas reads them."""
    rows = pd.read_parquet(store).to_dict("records")
    found: Rows = {(str(r["trace_id"]), str(r["scorer"]), str(r["axis"])): dict(r) for r in rows}  # type: ignore[arg-type]
    assert len(found) == len(rows)
    return found


def call_judgefleet(*arguments: str) -> None:
    done = subprocess.run([*JUDGEFLEET, *arguments], capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr


def test_every_trace_has_one_row_a_judge_and_axis(scores: Rows) -> None:
    assert len(scores) == 12 * 5
    assert {row["status"] for row in scores.values()} == {"ok"}
    grades = [row["value"] for key, row in scores.items() if key[1] == "quality"]
    assert all(1 <= grade <= 5 for grade in grades)
    assert len(set(grades)) > 12
    assert all(json.loads(row["config"])["engine"].startswith("vllm 0.") for row in scores.values())
    assert all(row["prompt_tokens"] > 100 for row in scores.values())
    assert sum(row["cached_tokens"] for row in scores.values()) > 0.5 * sum(r["prompt_tokens"] for r in scores.values())


def test_a_reason_comes_first_and_a_scale_of_several_tokens_is_exact(scores: Rows) -> None:
    for row in (row for key, row in scores.items() if key[1] == "reasoned"):
        probabilities = dict(row["probabilities"])
        assert list(probabilities) == [str(n) for n in range(1, 11)]
        assert sum(probabilities.values()) == pytest.approx(1, abs=1e-5)
        assert row["value"] == pytest.approx(sum(int(k) * p for k, p in probabilities.items()), abs=1e-4)
        assert row["reason"]
        # A reason of at most 12 tokens, then one token at each of the two places where labels part.
        assert 2 < row["completion_tokens"] <= 12 + 2


def test_the_value_is_the_mean_of_the_label_probabilities(scores: Rows) -> None:
    for row in (row for key, row in scores.items() if key[1] == "quality"):
        probabilities = dict(row["probabilities"])
        assert sum(probabilities.values()) == pytest.approx(1, abs=1e-5)
        assert row["value"] == pytest.approx(sum(int(k) * p for k, p in probabilities.items()), abs=1e-4)
        assert row["label"] == max(probabilities, key=lambda k: probabilities[k])


@pytest.mark.parametrize("item", range(len(ANSWERS)))
def test_order_swapped_input_gives_mirrored_verdicts(scores: Rows, item: int) -> None:
    def verdict(turn: str, variant: str) -> dict[str, Any]:
        return scores[f"{turn}-{item}-{variant}", "preference", "preference"]

    for here, there in (("A", "B"), ("B", "A")):
        one, two = verdict("as-is", here), verdict("swapped", there)
        assert one["label"] == two["label"]
        assert one["value"] == pytest.approx(two["value"], abs=1e-3)
        assert one["order_consistent"] == two["order_consistent"]
    assert verdict("as-is", "A")["value"] + verdict("as-is", "B")["value"] == pytest.approx(1, abs=1e-5)


def test_both_orders_are_on_the_row(scores: Rows) -> None:
    for row in (row for key, row in scores.items() if key[1] == "preference"):
        assert {order["first"] for order in row["orders"]} == {row["trace_id"], row["other_trace_id"]}


def test_a_run_whose_engine_is_killed_gives_the_same_rows(
    folder: Path, configure: Callable[[str], Path], scores: Rows
) -> None:
    kill_once = runpy.run_path(str(Path(__file__).with_name("chaos.py")))["kill_once"]
    said = kill_once([*JUDGEFLEET, "batch", str(configure("second"))], "engine", 30.0, folder / "second.log")
    assert said.startswith("killed engine"), said
    assert said.endswith("run ended with 0"), (folder / "second.log").read_text()
    again = rows_of(folder / "second")
    same = ["score_id", "run_id", "fingerprint", "status", "label", "order_consistent", "pair_id"]
    assert {k: [row[c] for c in same] for k, row in again.items()} == {
        k: [row[c] for c in same] for k, row in scores.items()
    }
    assert max(abs(again[k]["value"] - row["value"]) for k, row in scores.items()) < 1e-3


def test_probabilities_agree_with_a_direct_forward_pass(
    folder: Path, configure: Callable[[str], Path], scores: Rows
) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    setup = prepare(load_batch_config(configure("first"))).setup
    assert setup is not None
    judged_by = setup.models["default"]
    model = AutoModelForCausalLM.from_pretrained(judged_by.path, dtype=getattr(torch, judged_by.dtype))
    [path] = (folder / "first" / "_samples").glob("*/chunk-000000.parquet")
    judge = setup.judges()["quality"]
    for unit in judge.units(samples_of(pq.read_table(path, partitioning=None))[:4], lambda row: True):
        with torch.no_grad():
            logits = model(torch.tensor([unit.prompts[0].token_ids])).logits[0, -1].float()
        direct = torch.softmax(logits[list(unit.prompts[0].allowed)], 0).tolist()
        row = scores[unit.rows[0].sample.trace.trace_id, "quality", unit.rows[0].axis]
        assert list(dict(row["probabilities"]).values()) == pytest.approx(direct, abs=1e-3)


def test_the_gate_of_the_real_judge_follows_what_people_say_of_it(folder: Path, scores: Rows, tmp_path: Path) -> None:
    """Twelve answers are few, so the policy looks at the figure alone; the bundled audit has the bound, and 128."""
    (tmp_path / "policy.yaml").write_text("requirements: [{threshold: 0.8, rule: point, min_n: 12}]\n")
    store, at = str(folder / "first"), ["--scorer", "quality", "--axis", "accuracy"]
    for name, agrees, code in (("against", False, 1), ("for", True, 0)):
        audit = tmp_path / name
        call_judgefleet("audit", "draw", store, str(audit), *at, "--n", "12", "--cut", "3")
        for item in Audit(audit).items:
            passed = (scores[item, "quality", "accuracy"]["value"] >= 3) is agrees
            Audit(audit).append_label(Label(item_id=item, rater="ana", label="pass" if passed else "fail"))
        decided = ["audit", "run", str(audit), "--store", store, "--policy", str(tmp_path / "policy.yaml")]
        for command in (decided, ["trends", store, *at]):
            done = subprocess.run([*JUDGEFLEET, *command], capture_output=True, text=True, timeout=300, check=False)
            assert done.returncode == code, done.stdout + done.stderr
        assert ("recalibrate judge" in done.stdout) is not agrees
