"""The answers of the demo set: configuration, retrieval, OTLP, and the command itself on the real engine."""

import gzip
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jobs import answers
from jobs.answers_config import AnswersConfig
from jobs.answers_model import Answer, Document, Request, Retriever, build_request
from jobs.answers_otlp import object_key, spans_of, trace_objects
from judgefleet.errors import ConfigError
from judgefleet.golden import load_golden
from judgefleet.trace import Trace
from judgefleet.traces.reader import read_object
from judgefleet.yaml_model import load_yaml_model
from judges.checks.policy_citation import Policy
from judges.models import resolve_model

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "configs" / "answers.yaml"
START = datetime(2026, 11, 19, 9, tzinfo=UTC)


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch) -> AnswersConfig:
    monkeypatch.chdir(ROOT)
    return load_yaml_model(CONFIG, AnswersConfig)


def answer(item: str = "support-001", variant: str = "A", **changed: Any) -> Answer:
    request = Request(
        item_id=item,
        variant=variant,
        question='Où est "it"?\n',
        system="Be helpful.",
        turns=("Policy: …", 'Où est "it"?\n'),
        documents=(Document(id="SHIP-1", content="[SHIP-1] Delivery. Free.", score=0.25),),
        retrieval_seconds=0.010,
        seed=7,
    )
    values: dict[str, Any] = {
        "text": "Here.\u2028<b>",
        "finish_reason": "stop",
        "input_tokens": 100,
        "output_tokens": 5,
        "ttft_seconds": 0.25,
        "total_seconds": 1.5,
    }
    return Answer(request=request, **(values | changed))


def read_back(folder: Path, config: AnswersConfig, *given: Answer) -> list[Trace]:
    traces = []
    for key, data in trace_objects(config, given):
        path = folder / key
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        traces += [trace for trace in read_object(str(path)) if isinstance(trace, Trace)]
    return traces


def test_a_written_answer_is_read_back_as_it_was(config: AnswersConfig, tmp_path: Path) -> None:
    (trace,) = read_back(tmp_path, config, answer())
    assert trace.output == "Here.\u2028<b>"
    assert [(m.role, m.content) for m in trace.messages] == [
        ("system", "Be helpful."),
        ("user", "Policy: …"),
        ("user", 'Où est "it"?\n'),
    ]
    assert trace.contexts == ("[SHIP-1] Delivery. Free.",)
    assert (trace.experiment, trace.variant, trace.service) == ("support-prompt", "A", "support-bot")
    assert (trace.usage.input_tokens, trace.usage.output_tokens) == (100, 5)
    assert trace.latency.ttft_ms == pytest.approx(250)
    assert trace.latency.total_ms == pytest.approx(1500)
    assert trace.started_at == config.layout.first
    assert trace.attributes["judgefleet.item_id"] == "support-001"


def test_the_three_spans_follow_each_other_within_the_root(config: AnswersConfig) -> None:
    root, retrieval, chat = spans_of(config, answer(), START)
    assert "parentSpanId" not in root
    assert retrieval["parentSpanId"] == chat["parentSpanId"] == root["spanId"]
    begin, end = (int(root[f"{edge}TimeUnixNano"]) for edge in ("start", "end"))
    assert begin == int(retrieval["startTimeUnixNano"]) == int(START.timestamp()) * 10**9
    assert int(retrieval["endTimeUnixNano"]) == int(chat["startTimeUnixNano"]) == begin + 10_000_000
    assert end == int(chat["endTimeUnixNano"]) == begin + 1_510_000_000
    assert [span["traceId"] for span in (retrieval, chat)] == [root["traceId"]] * 2
    assert [len(root["traceId"]), len(root["spanId"])] == [32, 16]


def test_attributes_follow_the_rules_of_otlp_json(config: AnswersConfig) -> None:
    _, retrieval, chat = spans_of(config, answer(), START)
    values = {pair["key"]: pair["value"] for pair in chat["attributes"]}
    assert values["gen_ai.usage.input_tokens"] == {"intValue": "100"}
    assert values["gen_ai.request.temperature"] == {"doubleValue": config.sampling.temperature}
    assert values["gen_ai.response.finish_reasons"] == {"arrayValue": {"values": [{"stringValue": "stop"}]}}
    assert values["gen_ai.response.time_to_first_chunk"] == {"doubleValue": 0.25}
    documents = {pair["key"]: pair["value"] for pair in retrieval["attributes"]}["gen_ai.retrieval.documents"]
    assert json.loads(documents["stringValue"]) == [
        {"id": "SHIP-1", "content": "[SHIP-1] Delivery. Free.", "score": 0.25}
    ]
    assert chat["status"] == {"code": 1}


def test_identities_follow_from_experiment_item_and_variant_alone(config: AnswersConfig) -> None:
    def ids(given: Answer, of: AnswersConfig = config) -> set[str]:
        spans = spans_of(of, given, START)
        return {spans[0]["traceId"], *(span["spanId"] for span in spans)}

    assert ids(answer()) == ids(answer(text="other", total_seconds=9.0))
    assert not ids(answer()) & ids(answer(variant="B"))
    assert not ids(answer()) & ids(answer(item="support-002"))
    assert not ids(answer()) & ids(answer(), config.model_copy(update={"experiment": "other"}))


def test_objects_are_the_same_bytes_for_the_same_answers_and_hold_as_many_traces_as_asked(
    config: AnswersConfig,
) -> None:
    given = [answer(item=f"support-{n:03d}") for n in range(10)]
    objects = list(trace_objects(config, given))
    assert objects == list(trace_objects(config, given))
    sizes = [
        len(json.loads(gzip.decompress(data))["resourceSpans"][0]["scopeSpans"][0]["spans"]) for _, data in objects
    ]
    assert sizes == [24, 6]
    assert len({key for key, _ in objects}) == 2


def test_the_key_is_in_utc_whatever_the_zone_of_the_start() -> None:
    from zoneinfo import ZoneInfo

    there = (START + timedelta(minutes=5)).astimezone(ZoneInfo("Asia/Tokyo"))
    assert object_key("x", there).startswith("year=2026/month=11/day=19/hour=09/minute=05/traces_")


@pytest.mark.parametrize(
    ("line", "instead", "said"),
    [
        ("{question}", "{questoin}", "unknown placeholder {questoin}"),
        ("top_p: 0.9", "top_p: 9", "top_p"),
        ("experiment:", "experimnt:", "experimnt"),
        ("block_size: 32", "block_size: 33", "block_size"),
        ("09:00:00Z", "09:00:00", "first"),
    ],
)
def test_a_mistake_in_the_configuration_is_named(tmp_path: Path, line: str, instead: str, said: str) -> None:
    text = CONFIG.read_text()
    assert line in text
    path = tmp_path / "answers.yaml"
    path.write_text(text.replace(line, instead))
    with pytest.raises(ConfigError, match=said):
        load_yaml_model(path, AnswersConfig)


def test_old_traces_are_never_mixed_with_new_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "traces").mkdir()
    (tmp_path / "traces" / "traces_000000001.json").write_text("{}")
    assert answers.main([str(CONFIG), "--out", str(tmp_path)]) == 2
    assert "holds 1 objects already" in capsys.readouterr().err


def test_retrieval_finds_the_section_and_both_variants_get_the_same_request(config: AnswersConfig) -> None:
    sections = load_yaml_model(config.policy, Policy).sections
    retriever = Retriever(resolve_model(config.retrieval.model), sections, 2)
    late = load_golden(config.golden)["support-001"]
    a, b = (build_request(config, late, variant, retriever) for variant in "AB")
    assert "SHIP-2" in [document.id for document in a.documents]
    assert a.documents[0].score >= a.documents[1].score
    assert (a.turns, a.seed, a.documents) == (b.turns, b.seed, b.documents)
    assert late.question in a.turns[-1]
    assert a.documents[0].content in a.turns[0]
    assert a.system != b.system
    other = load_golden(config.golden)["support-002"]
    assert build_request(config, other, "A", retriever).seed != a.seed
    assert a.retrieval_seconds > 0


@pytest.mark.slow
def test_the_command_answers_on_the_real_engine(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "jobs.answers", str(CONFIG), "--out", str(tmp_path), "--limit", "2"]
    done = subprocess.run(command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, timeout=800)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.strip().splitlines()[-1] == f"traces: {tmp_path / 'traces'}"
    files = sorted((tmp_path / "traces").rglob("*.gz"))
    traces = [trace for file in files for trace in read_object(str(file)) if isinstance(trace, Trace)]
    assert [(t.attributes["judgefleet.item_id"], t.variant) for t in traces] == [
        (item, variant) for item in ("support-001", "support-002") for variant in "AB"
    ]
    for trace in traces:
        assert trace.output
        assert 0 < (trace.latency.ttft_ms or 0) < (trace.latency.total_ms or 0)
        assert (trace.usage.input_tokens or 0) > (trace.usage.output_tokens or 0) > 0
    record = json.loads((tmp_path / "generation.json").read_text())
    assert record["traces"] == 4
    assert (
        record["models"]["embedded/smollm2-135m-instruct"]["weights_sha256"]
        == resolve_model("embedded/smollm2-135m-instruct").digest
    )
