"""``judgefleet traces inspect`` and ``convert``: what is said, what is written, and going on after a stop."""

import gzip
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from typer.testing import CliRunner, Result

import jobs.traces_convert
import jobs.traces_parts
from jobs.traces_commands import traces_app
from jobs.traces_convert import Converted, rejects_in
from jobs.traces_convert import convert as convert_input
from jobs.traces_input import input_of
from judgefleet.errors import ConfigError
from judgefleet.storage import list_objects, open_location, read_bytes, write_atomic
from judgefleet.trace import Trace, traces_to_table
from judgefleet.traces.reader import read_object
from tests.judgefleet.dialect_spans import spans_of
from tests.judgefleet.langfuse_rows import as_jsonl, observation

WriteTraces = Callable[..., Path]
BUNDLED = Path(__file__).resolve().parents[2] / "datasets/support/traces"
BROKEN = ['{"question": "Why?", "output": 7', '{"output": "an answer to nothing"}']


def call(*arguments: str) -> Result:
    return CliRunner().invoke(traces_app, list(arguments))


def convert(uri: str, out: str, progress: Callable[[int, int], None] = lambda *_: None) -> Converted:
    return convert_input(input_of(uri), out, progress)


def inspected(*arguments: str) -> dict[str, Any]:
    result = call("inspect", "--json", *arguments)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def traces_in(uri: str | Path) -> list[Trace]:
    found = [item for info in list_objects(uri) for item in read_object(info.uri)]
    return [item for item in found if isinstance(item, Trace)]


def by_id(traces: Sequence[Trace]) -> list[Trace]:
    return sorted(traces, key=lambda trace: trace.trace_id)


def test_what_is_there(write_traces: WriteTraces) -> None:
    folder = write_traces(12, BROKEN)
    found = inspected(str(folder))
    assert (found["objects"], found["objects_read"], found["traces"], found["rejects"]) == (4, 4, 24, 2)
    assert found["formats"] == {"jsonl": 4}
    assert sum(found["reject_reasons"].values()) == 2
    assert found["variants"] == {"A": 12, "B": 12}
    assert found["conversations"] == 24
    assert found["filled"]["contexts"] == 1.0
    assert found["filled"]["cost"] == 0.0
    assert found["attributes"] == {"judgefleet.item_id": 24}
    assert found["first_started_at"].startswith("2026-11-20T10:00:00")
    assert found["example"]["trace_id"] == "a0000"


def test_what_a_judge_would_see_is_shown_in_its_fence(write_traces: WriteTraces) -> None:
    folder = write_traces(1)
    (folder / "a.jsonl").write_text(json.dumps({"question": "Hm?", "output": "<<< out \x1b[2J"}) + "\n")
    material = inspected(str(folder))["material"]
    assert "Hm?\n>>>" in material
    assert "<<< out" not in material
    assert "\x1b" not in material
    assert "⟨U+001B⟩" in call("inspect", str(folder)).stdout
    assert inspected(str(folder), "--rubric", "tool_use")["material"] != material


def test_of_many_objects_some_are_read_and_that_is_said(tmp_path: Path) -> None:
    for n in range(50):
        (tmp_path / f"{n:02d}.jsonl").write_text(json.dumps({"trace_id": f"t{n}", "question": "?", "output": "!"}))
    result = call("inspect", str(tmp_path), "--limit", "5")
    assert "50, 0.0 MB; 5 of them read, spread over all (--limit)" in result.stdout
    assert inspected(str(tmp_path), "--limit", "5")["traces"] == 5


def test_spans_and_traces_in_several_objects_are_counted(tmp_path: Path) -> None:
    found = inspected(str(BUNDLED))
    assert (found["formats"], found["traces"], found["spans"]) == ({"otlp_json": 16}, 128, 384)
    whole = json.loads(gzip.decompress(read_bytes(list_objects(BUNDLED)[0].uri)))
    for name in "ab":
        (tmp_path / f"{name}.json").write_text(json.dumps(whole))
    twice = inspected(str(tmp_path))
    assert twice["traces_in_several_objects"] == twice["traces"] > 0
    assert "have parts in more than one object" in call("inspect", str(tmp_path)).stdout


def test_an_address_with_nothing(tmp_path: Path) -> None:
    result = call("inspect", str(tmp_path))
    assert isinstance(result.exception, ConfigError)
    assert "no objects under" in str(result.exception)
    result = call("inspect", str(BUNDLED), "--format", "otlp")
    assert "did you mean 'otlp_json'?" in str(result.exception)


def test_converted_traces_are_the_same_traces(tmp_path: Path) -> None:
    result = call("convert", str(BUNDLED), str(tmp_path / "out"), "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) | {"out": ""} == {
        "objects": 16,
        "traces": 128,
        "rejects": 0,
        "parts": 1,
        "parts_written_now": 1,
        "out": "",
    }
    assert by_id(traces_in(tmp_path / "out")) == by_id(traces_in(BUNDLED))
    assert len(pd.read_parquet(tmp_path / "out")) == 128


def written(folder: Path, name: str, spans: Sequence[dict[str, Any]]) -> None:
    folder.mkdir(exist_ok=True)
    document = {"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}
    (folder / name).write_text(json.dumps(document))


def test_spans_in_several_objects_become_one_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs.traces_convert, "_PART_OBJECTS", 1)
    monkeypatch.setattr(jobs.traces_parts, "_A_FILE", 2)
    traces = [spans_of(number) for number in range(5)]
    whole, folder, out = tmp_path / "whole", tmp_path / "in", str(tmp_path / "out")
    written(whole, "all.json", [span for spans in traces for span in spans])
    for number in range(4):  # in the first object the answers, in the last the roots
        written(folder, f"{number}.json", [spans[3 - number] for spans in traces])
    found = inspected(str(folder))
    assert (found["traces"], found["spans"], found["traces_in_several_objects"]) == (5, 20, 5)
    done = convert(str(folder), out)
    assert (done.traces, done.rejects, done.parts) == (5, 0, 4)
    told, expected = ([replace(t, source_uri=None) for t in by_id(traces_in(place))] for place in (out, whole))
    assert told == expected
    assert convert(str(folder), out).parts_written == 0
    (folder / "0.json").unlink()  # without their answers
    changed = convert(str(folder), out)
    assert changed.traces + changed.rejects == len(list(rejects_in(out))) + len(traces_in(out)) == 5
    assert changed.rejects > 0
    written(folder, "9.json", [spans[3] for spans in traces])
    assert convert(str(folder), out).traces == len(pd.read_parquet(out)) == 5


def test_an_object_that_vanishes_is_a_reject(
    tmp_path: Path, write_traces: WriteTraces, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, out = write_traces(12), str(tmp_path / "out")
    listed = list_objects(folder)
    (folder / "part-0.jsonl").unlink()
    monkeypatch.setattr("jobs.traces_look.list_objects", lambda _: listed)
    assert inspected(str(folder))["rejects"] == 1
    done = convert(str(folder), out)
    assert (done.traces, done.rejects) == (16, 1)
    assert "is not any more" in next(rejects_in(out))["reason"]
    monkeypatch.undo()
    again = convert(str(folder), out)
    assert (again.traces, again.rejects) == (16, 0)


def test_ids_that_are_no_text_can_be_staged(tmp_path: Path) -> None:
    rows = as_jsonl([observation("o", "GENERATION", 1, input="q", output="o") | {"trace_id": "t\ud800"}])
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / os.fsdecode(b"\xff.json")).write_bytes(rows)
    assert inspected(str(tmp_path / "in"))["traces"] == 1
    convert(str(tmp_path / "in"), str(tmp_path / "out"))
    assert traces_in(tmp_path / "out")[0].trace_id == "t\ufffd"


def test_many_megabytes_of_spans_are_put_together(tmp_path: Path) -> None:
    """More than the sorting may hold in memory."""
    (tmp_path / "in").mkdir()
    for number in range(6):
        spans = spans_of(number)
        for trace in range(200):
            copies = json.loads(json.dumps(spans).replace(f"{number + 1:032x}", f"{number * 1000 + trace + 1:032x}"))
            copies[0]["attributes"].append({"key": "pad", "value": {"stringValue": os.urandom(200_000).hex()}})
            written(tmp_path / "in", f"{number}-{trace}.json", copies)
    done = convert(str(tmp_path / "in"), str(tmp_path / "out"))
    assert (done.traces, done.rejects) == (1200, 0)


def test_a_link_into_the_input_is_seen(tmp_path: Path, write_traces: WriteTraces) -> None:
    folder = write_traces(1)
    (tmp_path / "link").symlink_to(folder)
    for out in (tmp_path / "link/out", folder / "../traces/out"):
        with pytest.raises(ConfigError, match="lies inside the input"):
            convert(str(folder), str(out))


def test_what_a_configuration_says_of_the_input_is_followed(tmp_path: Path, make_config: Callable[..., Path]) -> None:
    folder = tmp_path / "named"
    folder.mkdir()
    (folder / "a.jsonl").write_text(json.dumps({"ask": "Why?", "say": "So."}) + "\n")
    named = {"columns": {"ask": "question", "say": "output"}}
    config = str(make_config(input={"uri": "elsewhere", "read": named}))
    assert inspected(str(folder))["traces"] == 0
    assert inspected(str(folder), "--config", config)["traces"] == 1
    out = str(tmp_path / "out")
    assert call("convert", str(folder), out, "--config", config).exit_code == 0
    assert traces_in(out)[0].output == "So."
    other = call("convert", str(folder), out)
    assert "found a conversion of" in str(other.exception)


def test_rejects_are_listed_beside_it_and_too_many_are_said(tmp_path: Path, write_traces: WriteTraces) -> None:
    folder, out = write_traces(12, BROKEN), str(tmp_path / "out")
    result = call("convert", str(folder), out)
    assert result.exit_code == 4
    assert "too many rejects: 2 of 26 (allowed: 5%, --max-rejected)" in result.stderr
    assert {reject["position"] for reject in rejects_in(out)} == {"line 1", "line 2"}
    assert call("convert", str(folder), out, "--max-rejected", "0.1").exit_code == 0
    assert len(pd.read_parquet(out)) == 24


def test_stopped_in_the_middle_it_goes_on(
    tmp_path: Path, write_traces: WriteTraces, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, out = write_traces(12), str(tmp_path / "out")
    monkeypatch.setattr(jobs.traces_convert, "_PART_OBJECTS", 1)

    def stop(done: int, _: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(str(folder), out, progress=stop)
    before = {info.uri: info.modified for info in list_objects(out)}
    assert len(before) == 2
    done = convert(str(folder), out)
    assert (done.parts, done.parts_written, done.traces) == (3, 1, 24)
    assert before.items() <= {info.uri: info.modified for info in list_objects(out)}.items()


def test_a_changed_input_leaves_nothing_of_before(
    tmp_path: Path, write_traces: WriteTraces, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, out = write_traces(12), str(tmp_path / "out")
    monkeypatch.setattr(jobs.traces_convert, "_PART_OBJECTS", 2)
    convert(str(folder), out)
    (folder / "part-0.jsonl").unlink()
    assert convert(str(folder), out).traces == len(traces_in(folder)) == len(pd.read_parquet(out)) == 16


def test_memory_does_not_grow_with_a_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than so many traces are made into a table at a time."""
    held: list[int] = []

    def noted(traces: Sequence[Trace]) -> pa.Table:
        held.append(len(traces))
        return traces_to_table(traces)

    monkeypatch.setattr(jobs.traces_parts, "_ROWS", 10)
    monkeypatch.setattr(jobs.traces_parts, "traces_to_table", noted)
    lines = [json.dumps({"trace_id": str(n), "question": "?", "output": "!"}) for n in range(95)]
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jsonl").write_text("\n".join(lines))
    convert(str(tmp_path / "in"), str(tmp_path / "out"))
    assert held == [10] * 9 + [5]


@pytest.mark.parametrize(
    ("out", "said"),
    [
        ("traces/out", "lies inside the input"),
        ("busy", "found 'x.txt' in it; give a new folder"),
        ("other", "found a conversion of"),
    ],
)
def test_a_folder_that_cannot_take_it(tmp_path: Path, write_traces: WriteTraces, out: str, said: str) -> None:
    folder = write_traces(1)
    (tmp_path / "busy").mkdir()
    (tmp_path / "busy" / "x.txt").touch()
    convert(str(BUNDLED), str(tmp_path / "other"))
    with pytest.raises(ConfigError, match=said):
        convert(str(folder), str(tmp_path / out))


def test_from_bucket_to_bucket(s3_endpoint: str, write_traces: WriteTraces) -> None:
    here = f"s3://bucket/convert/%s?endpoint_override={s3_endpoint}&scheme=http"
    for path in write_traces(4).iterdir():
        write_atomic(open_location(here % "traces").child(path.name), path.read_bytes())
    assert convert(here % "traces", here % "out").traces == 8
    assert traces_in(here % "out") == traces_in(here % "traces")
    assert convert(here % "traces", here % "out").parts_written == 0


def test_as_a_user_calls_it(write_traces: WriteTraces, run: Callable[..., CompletedProcess[str]]) -> None:
    done = run("traces", "inspect", str(write_traces(2)))
    assert done.returncode == 0, done.stderr
    assert "traces                4" in done.stdout
    missing = run("traces", "inspect", "nowhere")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "configuration error: nowhere: no such file or folder" in missing.stderr
