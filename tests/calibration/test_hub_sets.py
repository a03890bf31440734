"""Sets of the hub: rows with exactly their columns, and the real hub client against a server of ours on loopback."""

import http.server
import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd
import pytest

from calibration.audit_folder import Audit
from calibration.consensus import consensus_of
from calibration.hub_sets import SETS, files_of
from calibration.importing import import_files
from calibration.judgements import recorded_runs
from judgefleet.errors import ConfigError
from judgefleet.hashing import stable_hash

Run: TypeAlias = Callable[..., subprocess.CompletedProcess[str]]
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def talk(*texts: str) -> list[dict[str, str]]:
    return [{"content": text, "role": ("user", "assistant")[n % 2]} for n, text in enumerate(texts)]


def vote(judge: str, model_a: str, model_b: str, winner: str, turn: int = 1) -> dict[str, Any]:
    """A row of lmsys/mt_bench_human_judgments."""
    return {
        "question_id": 81,
        "model_a": model_a,
        "model_b": model_b,
        "winner": winner,
        "judge": judge,
        "conversation_a": talk("q1", f"{model_a} one", "q2", f"{model_a} two"),
        "conversation_b": talk("q1", f"{model_b} one", "q2", f"{model_b} two"),
        "turn": turn,
    }


VOTES = [
    vote("expert_1", "alpaca", "vicuna", "model_b"),
    vote("expert_2", "vicuna", "alpaca", "model_a"),
    vote("author_1", "alpaca", "vicuna", "tie"),
    vote("expert_1", "alpaca", "vicuna", "model_a", turn=2),
]
VERDICTS = [
    vote("gpt4_pair", "vicuna", "alpaca", "model_a"),
    vote("gpt4_pair", "alpaca", "vicuna", "tie (inconsistent)", turn=2),
]
LLMBAR = [
    {"input": "Name a fruit.", "output_1": "Apple.", "output_2": "Chair.", "label": 1},
    {"input": "Name a fruit.", "output_1": "Table.", "output_2": "Pear.", "label": 2},
]
HALUEVAL = [
    {"ID": "7", "user_query": "q", "chatgpt_response": "a", "hallucination": "yes", "hallucination_spans": ["a"]},
    {"ID": "8", "user_query": "q", "chatgpt_response": "b", "hallucination": "no", "hallucination_spans": []},
]


def parquet(path: Path, rows: list[dict[str, Any]]) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_parquet(path)
    return str(path)


def test_votes_of_mt_bench_are_about_one_item_whichever_model_comes_first(tmp_path: Path) -> None:
    audit = Audit(tmp_path / "audit")
    files = [parquet(tmp_path / "human.parquet", VOTES), parquet(tmp_path / "gpt4_pair.parquet", VERDICTS)]
    assert not import_files(audit, files).rejects
    first, second = "mtb-81-alpaca-vicuna-t1", "mtb-81-alpaca-vicuna-t2"
    assert list(audit.items) == [first, second]
    assert audit.items[first].responses == ("alpaca one", "vicuna one")
    assert audit.items[second].question == "[turn 1] q1\n\n[turn 2] q2"
    assert audit.items[second].responses[1] == "[turn 1] vicuna one\n\n[turn 2] vicuna two"
    assert {item.cluster for item in audit.items.values()} == {"mtb-q81"}
    said = {(label.item_id, label.rater): label.label for label in audit.labels}
    assert said == {
        (first, "expert_1"): "B",
        (first, "expert_2"): "B",
        (first, "author_1"): "TIE",
        (second, "expert_1"): "A",
    }
    assert consensus_of(audit.labels, "pair")[first].label == "B"


def test_verdicts_of_mt_bench_keep_that_the_orders_disagreed(tmp_path: Path) -> None:
    audit = Audit(tmp_path / "audit")
    import_files(audit, [parquet(tmp_path / "h.parquet", VOTES), parquet(tmp_path / "g.parquet", VERDICTS)])
    [run] = recorded_runs(audit.verdicts)
    found = {i: (j.combined, j.order_consistent) for i, j in run.judgements.items()}
    assert found == {"mtb-81-alpaca-vicuna-t1": ("B", True), "mtb-81-alpaca-vicuna-t2": ("TIE", False)}


def test_llmbar_has_its_category_from_the_folder_and_the_same_items_each_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        audit = Audit(tmp_path / name)
        import_files(audit, [parquet(tmp_path / "LLMBar" / "Natural" / "0000.parquet", LLMBAR)])
        labels = [label.label for label in audit.labels]
        assert labels == ["A", "B"]
        assert {item.segments["category"] for item in audit.items.values()} == {"Natural"}
        assert len({item.cluster for item in audit.items.values()}) == 1
        assert audit.info.kind == "pair"
    assert list(Audit(tmp_path / "one").items) == list(Audit(tmp_path / "two").items)


def test_halueval_is_a_rating_by_yes_and_no(tmp_path: Path) -> None:
    audit = Audit(tmp_path / "audit")
    import_files(audit, [parquet(tmp_path / "general.parquet", HALUEVAL)])
    assert (audit.info.kind, audit.info.labels) == ("rating", ["no", "yes"])
    assert {i: c.label for i, c in consensus_of(audit.labels, "rating").items()} == {
        "halueval-7": "yes",
        "halueval-8": "no",
    }


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (VOTES[0] | {"winner": "both"}, "found the winner 'both'; allowed: model_a"),
        (VOTES[0] | {"turn": 3}, "a conversation of 4 messages; turn 3 needs 6"),
        (LLMBAR[0] | {"label": 0}, "allowed: 1 for the first output"),
        (HALUEVAL[0] | {"hallucination": "maybe"}, "allowed: yes, no"),
    ],
)
def test_a_row_that_the_set_does_not_have_is_listed_with_the_reason(tmp_path: Path, row: Any, why: str) -> None:
    good = next(rows for rows in (VOTES, LLMBAR, HALUEVAL) if rows[0].keys() == row.keys())
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in [*good, row]))
    found = import_files(Audit(tmp_path / "audit"), [str(path)])
    assert len(found.rejects) == 1
    assert why in found.rejects[0]


def test_an_unknown_set_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="no set hub:mtbench; did you mean 'mt_bench'"):
        files_of("mtbench")


def test_without_a_hub_it_is_said_what_was_tried_and_how_to_do_it_by_hand(run: Run, tmp_path: Path) -> None:
    env = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_OFFLINE": "0", "HF_HOME": str(tmp_path / "home")}
    done = run("audit", "import", str(tmp_path / "audit"), "hub:mt_bench", env=env)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    told = " ".join(done.stderr.split())
    for part in (
        "hub:mt_bench could not be had from the hub, at http://127.0.0.1:9 (HF_ENDPOINT)",
        "(HF_HOME)",
        "lmsys/mt_bench_human_judgments: data/*.parquet at main (",
        "default/*/*.parquet at refs/convert/parquet (",
        "judgefleet audit import AUDIT FILE...",
    ):
        assert part in told
    offline = run("audit", "import", str(tmp_path / "audit"), "hub:llmbar", env=env | {"HF_HUB_OFFLINE": "1"})
    assert "switched off by HF_HUB_OFFLINE" in " ".join(offline.stderr.split())
    assert not (tmp_path / "audit").exists()


# What our hub has: files by repository and revision, as the client names them.
CONTENT: dict[str, dict[str, list[dict[str, Any]]]] = {
    f"{SETS['mt_bench'].repo}/main": {"data/human-0.parquet": VOTES, "data/gpt4_pair-0.parquet": VERDICTS},
    f"{SETS['llmbar'].repo}/refs%2Fconvert%2Fparquet": {"LLMBar/Natural/0000.parquet": LLMBAR},
    f"{SETS['halueval'].repo}/main": {"general/data-0.parquet": HALUEVAL, "qa/data-0.parquet": [{"x": 1}]},
}


class Hub(http.server.BaseHTTPRequestHandler):
    """A hub, as far as the client asks one: what a revision is, which files it has, and the files."""

    files: dict[tuple[str, str], bytes]

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def _answer(self, *, body: bool) -> None:
        data = self._data(self.path.partition("?")[0])
        self.send_response(404 if data is None else 200)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{stable_hash(str(data))}"')
        self.send_header("Content-Length", str(len(data or b"")))
        self.end_headers()
        if body and data:
            self.wfile.write(data)

    def _data(self, path: str) -> bytes | None:
        repo, _, file = path.removeprefix("/datasets/").partition(f"/resolve/{COMMIT}/")
        if file:
            return self.files.get((repo, file))
        if path.removeprefix("/api/datasets/").replace("/revision/", "/") in CONTENT:
            return json.dumps({"id": "x", "sha": COMMIT, "siblings": []}).encode()
        repo, _, tree = path.removeprefix("/api/datasets/").partition("/tree/")
        listed = [
            {"type": "file", "path": name, "size": len(data), "oid": "0"}
            for (served, name), data in self.files.items()
            if served == repo
        ]
        return json.dumps(listed).encode() if tree == COMMIT else None

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[str]:
    """The address of a hub on loopback that has the sets."""
    Hub.files = {
        ("/".join(place.split("/")[:2]), name): Path(parquet(tmp_path / "served" / place / name, rows)).read_bytes()
        for place, named in CONTENT.items()
        for name, rows in named.items()
    }
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize(("name", "items", "labels"), [("mt_bench", 2, 4), ("llmbar", 2, 2), ("halueval", 2, 2)])
def test_a_set_is_downloaded_by_its_name(
    run: Run, hub: str, tmp_path: Path, name: str, items: int, labels: int
) -> None:
    env = {"HF_ENDPOINT": hub, "HF_HUB_OFFLINE": "0", "HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_XET": "1"}
    done = run("audit", "import", str(tmp_path / "audit"), f"hub:{name}", "--json", env={**os.environ, **env})
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert (told["items"], told["labels"], told["rejects"]) == (items, labels, [])
    again = run("audit", "import", str(tmp_path / "other"), f"hub:{name}", "--json", env=env | {"HF_HUB_OFFLINE": "1"})
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["items"] == items
