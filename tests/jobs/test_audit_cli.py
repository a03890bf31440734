"""From traces to an open gate and back, by the commands a user types; the scripted engine judges, through Ray Data."""

import http.server
import json
import runpy
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd
import pytest
import yaml

from calibration.audit import Label
from calibration.audit_folder import Audit
from calibration.consensus import consensus_of
from jobs.cli import main
from judgefleet.hashing import unit_interval

Run: TypeAlias = Callable[..., subprocess.CompletedProcess[str]]
ITEMS = 40
ROOT = Path(__file__).parents[2]


@pytest.fixture
def scored(tmp_path: Path, run: Run, write_traces: Callable[..., Path], make_config: Callable[..., Path]) -> Path:
    """A store with 80 traces graded by a scripted judge; the configuration is beside it."""
    write_traces(items=ITEMS)
    rubric = str(tmp_path / "tiny.yaml")
    path = make_config(scorers=[{"use": "judge_pointwise", "name": "quality", "rubric": rubric}])
    done = run("batch", str(path))
    assert done.returncode == 0, done.stderr
    return tmp_path / "store"


def labelled(store: Path, audit: Path, wrong: float) -> None:
    """People who say what the judge says, but for a share of the items."""
    rows = pd.read_parquet(store / "scores")
    said = rows[rows["axis"] == "truth"].set_index("trace_id")["label"].to_dict()
    other = {"A": "B", "B": "A"}
    for item in Audit(audit).items:
        right = unit_interval(item, "people") >= wrong
        Audit(audit).append_label(Label(item_id=item, rater="ana", label=said[item] if right else other[said[item]]))


def policy(path: Path, threshold: float) -> str:
    path.write_text(yaml.safe_dump({"requirements": [{"threshold": threshold}], "audits_per_year": 4}))
    return str(path)


AT = ("--scorer", "quality", "--axis", "truth")


@pytest.mark.slow
def test_a_gate_closes_opens_shows_its_trends_and_goes_stale_when_one_word_of_the_rubric_changes(
    run: Run, scored: Path, tmp_path: Path, make_config: Callable[..., Path], told: tuple[str, list[Any]]
) -> None:
    store = str(scored)
    refused = run("trends", store, *AT)
    assert (refused.returncode, "UNTRUSTED" in refused.stdout) == (3, False)
    assert "no audit" in refused.stdout

    bad = draw(run, store, tmp_path / "first")
    labelled(scored, bad, wrong=0.5)
    rule = policy(tmp_path / "policy.yaml", 0.7)
    closed = run("audit", "run", str(bad), "--store", store, "--policy", rule)
    assert closed.returncode == 1
    assert "recalibrate judge" in closed.stdout
    assert run("trends", store, *AT).returncode == 1
    url, heard = told
    alert = run("trends", store, *AT, "--untrusted", "--below", "2", "--consecutive", "1", "--webhook", url)
    assert alert.returncode == 1
    assert "ALERT" in alert.stdout
    assert "UNTRUSTED" in alert.stdout
    assert heard[0]["alerts"][0]["scorer"] == "quality"
    nothing = run("audit", "recalibrate", str(bad), "--store", store, "--worst", "3")
    assert nothing.returncode == 1
    assert "worst disagreements" in nothing.stdout

    good = draw(run, store, tmp_path / "second")
    assert Audit(good).info.question == "Is it true?"
    labelled(scored, good, wrong=0.02)
    opened = run("audit", "run", str(good), "--store", store, "--policy", rule, "--json")
    assert opened.returncode == 0, opened.stdout + opened.stderr
    [judge] = json.loads(opened.stdout)["judges"]
    assert (judge["gate"]["state"], judge["gate"]["audit_number"]) == ("OPEN", 2)
    assert judge["first_order"]["agreement"]["value"] > 0.9
    gate = run("gate", store, "--json")
    states = {(g["scorer"], g["axis"]): g["state"] for g in json.loads(gate.stdout)}
    assert states == {("quality", "truth"): "OPEN", ("quality", "clarity"): "INSUFFICIENT"}
    assert gate.returncode == 3
    shown = run("trends", store, *AT, "--json")
    assert shown.returncode == 0, shown.stderr
    [trend] = json.loads(shown.stdout)["trends"]
    assert sum(point["rows"] for point in trend["points"]) == 2 * ITEMS
    assert "UNTRUSTED" not in run("trends", store, *AT, "--by", "variant").stdout

    rubric = tmp_path / "tiny.yaml"
    rewritten = rubric.read_text().replace("Grade the answer.", "Grade the reply.")
    path = make_config(scorers=[{"use": "judge_pointwise", "name": "quality", "rubric": str(rubric)}])
    rubric.write_text(rewritten)
    assert run("batch", str(path)).returncode == 0
    assert '<h2 id="trends">' in (tmp_path / "store-report.html").read_text()  # of the judge whose gate is open
    changed = run("trends", store, *AT)
    assert changed.returncode == 3
    assert "OPEN quality/truth" in changed.stdout
    assert "STALE quality/truth" in changed.stdout
    assert "the judge changed" in changed.stdout
    assert "shown when both gates are open" in changed.stdout
    bridge = run("trends", store, *AT, "--untrusted")
    assert "80 traces that both scored the new one gives" in bridge.stdout


def draw(run: Run, store: str, audit: Path) -> Path:
    drawn = run("audit", "draw", store, str(audit), *AT, "--n", "60", "--by", "variant", "--salt", audit.name, "--json")
    assert drawn.returncode == 0, drawn.stderr
    assert json.loads(drawn.stdout)["drawn"] == 60
    return audit


@pytest.mark.slow
def test_a_judge_that_agrees_with_the_bundled_labels_opens_their_gate_and_one_that_fails_all_does_not(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An endpoint stands for two judges: one knows the labels, one gives the lowest grade to everything,
    and agrees to 0.92. The policy is that of the bundled audit."""
    server = runpy.run_path(str(ROOT / "tests" / "jobs" / "engines" / "openai_server.py"))
    audit = ROOT / "datasets" / "support" / "audit"
    people = consensus_of(Audit(audit).labels, "rating")
    items = list(Audit(audit).items.values())
    config = {
        "name": "judge",
        "input": {"uri": str(ROOT / "datasets" / "support" / "traces")},
        "scorers": [{"use": "judge_pointwise", "name": "quality", "rubric": "support_quality"}],
    }
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0")

    def knowing(body: dict[str, Any]) -> Any:
        told = json.dumps(body["messages"])
        known = [i for i in items if all(json.dumps(t)[1:-1] in told for t in (i.question, i.responses[0]))]
        score = people[known[0].item_id].score if known else None
        label = str(round(score or 1))
        return server["chat"](label, {label: 1.0})

    def harsh(_: dict[str, Any]) -> Any:
        return server["chat"]("1", {"1": 1.0})

    for answer, code, state in ((harsh, 1, "CLOSED"), (knowing, 0, "OPEN")):
        with server["serve"](answer) as made:
            engine = {"kind": "openai", "base_url": made.url, "model": answer.__name__}
            store = tmp_path / answer.__name__
            path = tmp_path / f"{answer.__name__}.yaml"
            path.write_text(yaml.safe_dump({**config, "engine": engine, "store": str(store)}))
            assert run("batch", str(path)).returncode == 0
        rule = tmp_path / "policy.yaml"
        rule.write_text((audit / "policy.yaml").read_text().replace("audits_per_year: 12", "audits_per_year: 1"))
        decided = run("audit", "run", str(audit), "--store", str(store), "--policy", str(rule))
        assert decided.returncode == code, decided.stdout + decided.stderr
        assert f"{state} quality, accuracy" in decided.stdout
        shown = run("trends", str(store), "--scorer", "quality", "--axis", "accuracy")
        assert shown.returncode == code, shown.stdout + shown.stderr
        assert ("recalibrate judge" in shown.stdout) == (state == "CLOSED")


@pytest.fixture
def told() -> Iterator[tuple[str, list[Any]]]:
    """A server on loopback, and what was posted to it."""
    heard: list[Any] = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/", heard
        server.shutdown()


PAIRS = [
    {"pair_id": f"p{n}", "question": "q", "response_a": "x", "response_b": "y", "human_label": "AB"[n % 2]}
    for n in range(40)
]
VERDICTS = [
    {
        "pair_id": f"p{n}",
        "judge": "j",
        "prompt": "v1",
        "verdict_ab": "AB"[n % 2 if n % 10 else 1],
        "verdict_ba": "AB"[n % 2],
    }
    for n in range(40)
]


def write(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


@dataclass(frozen=True)
class Done:
    """What a command printed, and its exit code."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """The command in this process: starting one costs seconds, and these need no cluster."""

    def call(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["judgefleet", *arguments])
        monkeypatch.setenv("COLUMNS", "100")
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return Done(int(ended.value.code or 0), out, err)

    return call


def test_recorded_verdicts_are_measured_without_a_model(here: Callable[..., Done], tmp_path: Path) -> None:
    audit = str(tmp_path / "audit")
    done = here(
        "audit", "import", audit, write(tmp_path / "labels.jsonl", PAIRS), write(tmp_path / "said.jsonl", VERDICTS)
    )
    assert done.returncode == 0, done.stderr
    assert "40 items, 40 labels, 40 recorded verdicts" in done.stdout
    measured = here("audit", "run", audit, "--json")
    assert measured.returncode == 0, measured.stderr
    [judge] = json.loads(measured.stdout)["judges"]
    assert judge["first_order"]["agreement"]["value"] == 0.9
    assert judge["first_order"]["kappa"]["value"] == pytest.approx(0.8)
    flips = next(b for b in judge["bias"] if b["name"] == "position_flips")
    assert (flips["estimate"]["value"], flips["estimate"]["n"]) == (0.1, 40)
    assert judge["gate"]["state"] == "INSUFFICIENT"
    said = here("audit", "run", audit)
    assert "0.9000" in said.stdout
    assert "INSUFFICIENT" in said.stdout


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("audit", "run", "{tmp}/nothing"), "no audit in"),
        (("audit", "run", "{tmp}/audit", "--judge", "k"), "there are: j, v1"),
        (("audit", "run", "{tmp}/audit", "--policy", "{tmp}/none.yaml"), "no such file"),
        (("audit", "run", "{tmp}/audit", "--store", "{tmp}/store"), "no"),
        (("audit", "draw", "{tmp}/store", "{tmp}/new", "--scorer", "q", "--axis", "x"), "no"),
        (("trends", "{tmp}/store"), "no"),
        (("audit", "import", "{tmp}/audit", "{tmp}/none.jsonl"), "none.jsonl"),
    ],
)
def test_a_mistake_is_one_message_and_exit_code_two(
    here: Callable[..., Done], tmp_path: Path, arguments: tuple[str, ...], why: str
) -> None:
    here(
        "audit",
        "import",
        str(tmp_path / "audit"),
        write(tmp_path / "l.jsonl", PAIRS),
        write(tmp_path / "v.jsonl", VERDICTS),
    )
    failed = here(*(a.replace("{tmp}", str(tmp_path)) for a in arguments))
    assert failed.returncode == 2, failed.stdout + failed.stderr
    assert why in failed.stderr
    assert "Traceback" not in failed.stderr


def test_rows_that_cannot_be_used_end_with_exit_code_four_and_the_rest_is_there(
    here: Callable[..., Done], tmp_path: Path
) -> None:
    bad = write(tmp_path / "labels.jsonl", [*PAIRS, {"pair_id": "x", "human_label": "left", "response_a": "u"}])
    done = here("audit", "import", str(tmp_path / "audit"), bad)
    assert done.returncode == 4
    assert "a pair is labelled A, B or TIE" in done.stdout
    assert len(Audit(tmp_path / "audit").items) == 40


def test_the_bundled_audit_is_whole_and_says_how_it_was_labelled() -> None:
    audit = Audit(ROOT / "datasets" / "support" / "audit")
    assert len(audit.items) >= 120
    assert {label.rater for label in audit.labels} == {"assistant-1", "assistant-2"}
    assert len(audit.labels) == 2 * len(audit.items)
    card = (ROOT / "datasets" / "support" / "README.md").read_text()
    assert "## Audit" in card
    assert "language model" in card
