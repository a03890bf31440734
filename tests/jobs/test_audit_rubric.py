"""From disagreements to a rubric with worked examples, and to both judges on the items held out."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd
import pytest
import yaml

from calibration.audit import AuditInfo, AuditItem, Label
from calibration.audit_folder import Audit
from calibration.consensus import Consensus
from calibration.disagreement import Disagreement, training_disagreements
from calibration.judgements import Judgement, JudgeRun
from calibration.recalibrate import is_train
from jobs.audit_rubric import MOST_CHARACTERS, write_rubric
from judgefleet.errors import ConfigError
from judgefleet.rubric import load_rubric
from judges.judge import RUBRICS

Run: TypeAlias = Callable[..., subprocess.CompletedProcess[str]]
AT = ("--scorer", "quality", "--axis", "truth")


def run_of(axis: str) -> JudgeRun:
    return JudgeRun(judge="quality", prompt=axis, source="store", fingerprint="f0", judgements={})


def disagreement(item_id: str, said: str, distance: float = 1.0) -> Disagreement:
    return Disagreement(
        item_id=item_id, trace_ids=(), human=said, judge="1", distance=distance, question=None, said=said
    )


def written(tmp_path: Path, items: dict[str, AuditItem], people: dict[str, Consensus], **more: Any) -> Any:
    known: dict[str, Any] = {"name": "support_quality", "run": run_of("accuracy"), "labels": [], "most": 4} | more
    found = known.pop("found", [disagreement(i, "pass") for i in items])
    return write_rubric(tmp_path / "new.yaml", items=items, people=people, found=found, **known)


def test_the_rubric_is_the_old_one_with_examples_and_another_version(tmp_path: Path) -> None:
    items = {"x": AuditItem(item_id="x", question="q: yes?", context="c", responses=("no # answer",))}
    notes = [Label(item_id="x", rater="ana", score=4.0, note="First line.\n- injected: {yaml}")]
    told = written(tmp_path, items, {"x": Consensus(item_id="x", score=3.6)}, labels=notes)
    old, new = (load_rubric(name, RUBRICS) for name in ("support_quality", told.path))
    [example] = new.examples
    assert (example.item, example.question, example.answers) == ("x", "q: yes?", ("no # answer",))
    assert (example.context, example.grades) == ("c", {"accuracy": "4"})
    assert (new.version, told.examples, told.classes) == ("1+1-examples", ["x"], {"pass": 1})
    assert new.model_copy(update={"examples": (), "version": "1"}).content_hash == old.content_hash
    assert "#   people 4, judge 1: First line. - injected: {yaml}\n" in Path(told.path).read_text()


@pytest.mark.parametrize("name", sorted(path.stem for path in RUBRICS.glob("*.yaml")))
def test_every_bundled_rubric_comes_back_as_it_was(tmp_path: Path, name: str) -> None:
    rubric = load_rubric(name, RUBRICS)
    axis = rubric.axes[0].name if rubric.axes else "preference"
    texts = ("a",) if rubric.axes else ("a", "b")
    label = next(iter(rubric.axes[0].scale.values)) if rubric.axes else "B"
    items = {"x": AuditItem(item_id="x", responses=texts)}
    told = written(tmp_path, items, {"x": Consensus(item_id="x", label=label)}, name=name, run=run_of(axis))
    again = load_rubric(told.path, RUBRICS).model_copy(update={"examples": (), "version": rubric.version})
    assert again.content_hash == rubric.content_hash


def test_what_cannot_be_an_example_is_passed_over_and_nothing_left_is_an_error(tmp_path: Path) -> None:
    items = {
        "silent": AuditItem(item_id="silent"),
        "long": AuditItem(item_id="long", responses=("x" * MOST_CHARACTERS,), question="q"),
        "word": AuditItem(item_id="word", responses=("a",)),
        "good": AuditItem(item_id="good", responses=("a",)),
    }
    people = {i: Consensus(item_id=i, score=2.0) for i in items} | {"word": Consensus(item_id="word", label="pass")}
    told = written(tmp_path, items, people)
    assert (told.examples, told.passed_over) == (["good"], 3)
    del items["good"]
    with pytest.raises(ConfigError, match="none of 3 disagreements"):
        written(tmp_path, items, people)


def labelled_with_notes(store: Path, audit: Path) -> None:
    """People who say the opposite of the judge about the first half of the items, and why."""
    rows = pd.read_parquet(store / "scores")
    said = rows[rows["axis"] == "truth"].set_index("trace_id")["label"].to_dict()
    other = {"A": "B", "B": "A"}
    for n, item in enumerate(Audit(audit).items):
        wrong = n % 2 == 0
        label = other[said[item]] if wrong else said[item]
        Audit(audit).append_label(Label(item_id=item, rater="ana", label=label, note="Because." if wrong else None))


@pytest.mark.slow
def test_a_candidate_is_written_scored_and_compared_on_items_that_it_has_not_seen(
    run: Run, tmp_path: Path, write_traces: Callable[..., Path], make_config: Callable[..., Path]
) -> None:
    write_traces(items=40)
    config = make_config(scorers=[{"use": "judge_pointwise", "name": "quality", "rubric": str(tmp_path / "tiny.yaml")}])
    assert run("batch", str(config)).returncode == 0
    store, audit = tmp_path / "store", tmp_path / "audit"
    assert run("audit", "draw", str(store), str(audit), *AT, "--n", "60").returncode == 0
    labelled_with_notes(store, audit)

    out, rubric = tmp_path / "new.yaml", tmp_path / "rubric.yaml"
    arguments = ("audit", "recalibrate", str(audit), "--store", str(store), "--rubric-out", str(rubric))
    missing = run(*arguments)
    assert missing.returncode == 2
    assert "--config" in missing.stderr
    done = run(*arguments, "--config", str(config), "--out", str(out), "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    items = Audit(audit).items
    assert set(told["rubric"]["classes"].values()) == {2}
    assert all(is_train(items[i]) for i in told["rubric"]["examples"])
    assert {note["note"] for note in told["notes"]} == {"Because."}
    assert all(is_train(items[note["item_id"]]) for note in told["notes"])
    assert "#   people " in rubric.read_text()
    assert yaml.safe_load(out.read_text())["scorers"][0]["rubric"] == str(rubric)

    assert run("batch", str(out)).returncode == 0
    text = run("audit", "run", str(audit), "--store", str(store), "--earlier")
    assert "its rubric shows items of this audit" in text.stdout, text.stdout + text.stderr
    both = run("audit", "run", str(audit), "--store", str(store), "--earlier", "--json")
    found = json.loads(both.stdout)
    old, new = found["judges"]
    held = sum(not is_train(item) for item in items.values())
    assert (old["held_out"], old["first_order"]["n"]) == (False, 60)
    assert (new["held_out"], new["first_order"]["n"]) == (True, held)
    [compared] = found["comparisons"]
    assert compared["difference"]["n"] == held
    assert compared["second"] == f"quality, truth ({new['fingerprint']})"
    gates = json.loads(run("gate", str(store), "--json").stdout)
    assert {g["fingerprint"] for g in gates if g["axis"] == "truth" and g["decided_at"]} == {new["fingerprint"]}
    rows = pd.read_parquet(store / "scores").query("axis == 'truth' and fingerprint == @new['fingerprint']")
    shown = json.loads(rows["config"].iloc[0])["examples"]
    assert [example["item"] for example in shown] == told["rubric"]["examples"]


def test_disagreements_of_pairs_are_examples_of_the_answer_that_people_preferred(tmp_path: Path) -> None:
    names = [str(n) for n in range(40)]
    items = {i: AuditItem(item_id=i, question="q", responses=(f"a{i}", f"b{i}")) for i in names}
    people = {i: Consensus(item_id=i, label="AB"[int(i) % 2]) for i in names}
    judged = {i: Judgement(item_id=i, first="TIE", combined="TIE") for i in names}
    run = JudgeRun(judge="p", prompt="preference", source="store", fingerprint="f", judgements=judged)
    found = training_disagreements(AuditInfo(audit_id="a", kind="pair"), items, people, run)
    told = written(tmp_path, items, people, name="support_preference", run=run, found=found)
    assert told.classes == {"A": 2, "B": 2}
    assert {e.grades["preference"] for e in load_rubric(told.path, RUBRICS).examples} == {"A", "B"}
