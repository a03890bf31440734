"""The bundled data: strictly valid, consistent with itself, small, and free of code."""

import gzip
import json
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field

from judgefleet.golden import load_golden
from judgefleet.storage import list_objects
from judgefleet.trace import Trace
from judgefleet.traces.reader import read_object

ROOT = Path(__file__).parents[1]
DATASETS = ROOT / "datasets"
SUPPORT = DATASETS / "support"
RUNNING_EXAMPLE = [
    "My package hasn't arrived. It's been 8 days.",
    "I want to return a shoe I bought last month. The box is opened.",
    "Why was I charged twice for order #44129?",
    "Can I change the delivery address for my pending order?",
    "The item I received is damaged. What are my options?",
]

# Figures that follow from question and policy without standing there.
ALLOWED = {"support-013": {"51"}}  # 48 and 3 euros


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Section(Strict):
    id: str = Field(pattern=r"^[A-Z]{3,4}-[1-9]$")
    title: str = Field(min_length=3)
    text: str = Field(min_length=100)


class Policy(Strict):
    sections: list[Section] = Field(min_length=20)


class Item(Strict):
    item_id: str = Field(pattern=r"^support-\d{3}$")
    question: str = Field(min_length=10)
    customer_name: str = Field(min_length=5)
    category: str = Field(min_length=4)
    difficulty: str = Field(pattern="^(easy|medium|hard)$")
    reference: str = Field(min_length=30)
    expected_facts: list[str] = Field(min_length=1)
    policy_ids: list[str] = Field(min_length=1)


def policy() -> dict[str, Section]:
    sections = Policy.model_validate(yaml.safe_load((SUPPORT / "policy.yaml").read_text())).sections
    assert len({section.id for section in sections}) == len(sections)
    return {section.id: section for section in sections}


def items() -> list[Item]:
    lines = (SUPPORT / "golden.jsonl").read_text().splitlines()
    return [Item.model_validate_json(line) for line in lines]


def numbers(text: str) -> set[str]:
    return set(re.findall(r"\d+(?:\.\d+)?", text))


@pytest.fixture(scope="module")
def traces() -> list[Trace]:
    found = [trace for info in list_objects(SUPPORT / "traces") for trace in read_object(info.uri)]
    assert all(isinstance(trace, Trace) for trace in found), found
    return [trace for trace in found if isinstance(trace, Trace)]


def test_sections_are_short_enough_to_stand_in_a_prompt() -> None:
    assert all(40 <= len(section.text.split()) <= 110 for section in policy().values())


def test_the_golden_set_is_as_large_and_varied_as_promised() -> None:
    found = items()
    assert len(found) >= 60
    assert [item.item_id for item in found] == [f"support-{n:03d}" for n in range(1, len(found) + 1)]
    assert [item.question for item in found[:5]] == RUNNING_EXAMPLE
    assert min(Counter(item.category for item in found).values()) >= 4
    assert min(Counter(item.difficulty for item in found).values()) >= 10
    assert sum(len(item.policy_ids) > 1 for item in found) >= 5


def test_no_question_and_no_customer_stands_twice() -> None:
    found = items()
    for values in ([i.question.lower() for i in found], [i.reference for i in found], [i.customer_name for i in found]):
        assert [value for value, count in Counter(values).items() if count > 1] == []


@pytest.mark.parametrize("item", items(), ids=lambda item: item.item_id)
def test_a_reference_cites_exactly_its_sections_names_the_customer_and_invents_no_number(item: Item) -> None:
    sections = policy()
    assert set(item.policy_ids) <= set(sections)
    assert set(re.findall(r"\[([A-Z]+-\d+)\]", item.reference)) == set(item.policy_ids)
    names = item.customer_name.split()
    assert any(name in item.reference for name in names)
    known = " ".join([item.question, *(sections[i].text for i in item.policy_ids)])
    assert numbers(re.sub(r"\[[^]]*\]", "", item.reference)) <= numbers(known) | ALLOWED.get(item.item_id, set())
    assert len(re.findall(r"[.!?](?:\s|$)", item.reference)) <= 6


def test_every_section_is_needed_by_some_question() -> None:
    assert {section for item in items() for section in item.policy_ids} == set(policy())


def test_the_loader_of_golden_sets_reads_it() -> None:
    assert [item.question for item in load_golden(SUPPORT / "golden.jsonl").values()] == [i.question for i in items()]


def test_every_item_was_answered_once_under_each_prompt(traces: list[Trace]) -> None:
    answered = Counter((t.attributes["judgefleet.item_id"], t.variant) for t in traces)
    assert answered == Counter({(item.item_id, variant): 1 for item in items() for variant in "AB"})
    assert len({t.trace_id for t in traces}) == len({t.span_id for t in traces}) == len(traces)
    assert len({t.conversation_id for t in traces}) == len(traces)


def test_traces_carry_all_that_a_judge_and_a_trend_need(traces: list[Trace]) -> None:
    for trace in traces:
        assert (trace.service, trace.environment, trace.experiment) == ("support-bot", "demo", "support-prompt")
        assert trace.output
        assert trace.started_at is not None
        assert len(trace.contexts) == 2
        assert trace.usage.input_tokens
        assert trace.usage.output_tokens
        assert trace.latency.ttft_ms is not None
        assert trace.latency.total_ms is not None
        assert 0 < trace.latency.ttft_ms <= trace.latency.total_ms + 1e-3


def test_both_variants_of_an_item_differ_in_the_prompt_only(traces: list[Trace]) -> None:
    settings = json.loads((SUPPORT / "generation.json").read_text())["settings"]
    pairs: dict[str, dict[str, Trace]] = defaultdict(dict)
    for trace in traces:
        pairs[trace.attributes["judgefleet.item_id"]][str(trace.variant)] = trace
    questions = {item.item_id: item for item in items()}
    for item_id, pair in pairs.items():
        a, b = pair["A"], pair["B"]
        assert a.messages[1:] == b.messages[1:]
        assert a.contexts == b.contexts
        for name, trace in pair.items():
            assert trace.messages[0].content == settings["system"].format(prompt=settings["variants"][name])
            assert questions[item_id].question in (trace.question or "")
        for key in ("seed", "temperature", "top_p", "max_tokens", "model"):
            assert a.attributes[f"gen_ai.request.{key}"] == b.attributes[f"gen_ai.request.{key}"]


def test_latencies_are_measurements_and_not_a_pattern(traces: list[Trace]) -> None:
    assert len({trace.latency.total_ms for trace in traces}) > len(traces) * 0.9


def test_objects_are_named_and_packed_as_the_collector_does() -> None:
    files = sorted((SUPPORT / "traces").rglob("*.gz"))
    assert 10 <= len(files) <= 20
    name = re.compile(r"year=\d{4}/month=\d\d/day=\d\d/hour=\d\d/minute=\d\d/traces_\d{9}\.json\.gz")
    for file in files:
        assert name.fullmatch(file.relative_to(SUPPORT / "traces").as_posix())
        assert list(json.loads(gzip.decompress(file.read_bytes()))) == ["resourceSpans"]


def test_generation_record_agrees_with_the_traces(traces: list[Trace]) -> None:
    record = json.loads((SUPPORT / "generation.json").read_text())
    assert record["traces"] == len(traces)
    for name, figures in record["variants"].items():
        tokens = [t.usage.output_tokens or 0 for t in traces if t.variant == name]
        assert figures["output_tokens_mean"] == pytest.approx(sum(tokens) / len(tokens), abs=0.05)


def test_there_is_data_only_and_little_of_it() -> None:
    files = [path for path in DATASETS.rglob("*") if path.is_file()]
    assert not [path for path in files if path.suffix in {".py", ".pyc", ".ipynb"}]
    assert sum(path.stat().st_size for path in files) < 2_000_000
    folders = [path for path in DATASETS.iterdir() if path.is_dir()]
    assert all((folder / "README.md").is_file() for folder in (DATASETS, *folders))
