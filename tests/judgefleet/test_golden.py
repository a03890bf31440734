"""Golden sets: read strictly, and joined to traces by an attribute."""

import json
from pathlib import Path
from typing import Any

import pytest

from judgefleet.errors import ConfigError
from judgefleet.golden import GoldenItem, enrich, load_golden
from judgefleet.trace import Trace

ITEM = {
    "item_id": "late-1",
    "question": "Where is my parcel?",
    "customer_name": "Ada",
    "category": "shipping",
    "difficulty": "easy",
    "reference": "It is sent again.",
    "expected_facts": ["sent again"],
    "policy_ids": ["SHP-2"],
}


def write(path: Path, *lines: Any) -> Path:
    file = path / "golden.jsonl"
    file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return file


def test_items_by_id_in_the_order_of_the_file(tmp_path: Path) -> None:
    short = {"item_id": "a", "question": "q", "reference": "r"}
    golden = load_golden(write(tmp_path, ITEM, "", short, ""))
    assert list(golden) == ["late-1", "a"]
    assert golden["late-1"].model_dump(exclude={"contexts"}) == ITEM
    assert golden["a"] == GoldenItem(item_id="a", question="q", reference="r")


def test_all_mistakes_at_once_each_with_its_line(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        ITEM,
        "{broken",
        ITEM | {"item_id": "b", "dificulty": "easy"},
        {"item_id": "c", "question": 7},
        ITEM | {"item_id": "d", "difficulty": "hrd"},
        ITEM,
        [1],
    )
    with pytest.raises(ConfigError) as caught:
        load_golden(str(path))
    lines = str(caught.value).replace(str(path), "golden").splitlines()
    assert [line[:60] for line in lines] == [
        line[:60]
        for line in (
            "golden:2: not JSON: Expecting property name enclosed in double quotes",
            "golden:3: dificulty: unknown key 'dificulty'; did you mean 'difficulty'?",
            "golden:4: question: found 7; text belongs here (text in quotes)",
            "golden:4: reference: is missing",
            "golden:5: difficulty: found 'hrd'; did you mean 'hard'? allowed: easy, hard, medium",
            "golden:6: the item_id 'late-1' stands twice, first in line 1",
            "golden:7: found [1]; a mapping (key: value) belongs here",
        )
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "found no items"),
        (b"\n\n", "found no items"),
        (b"{}\n\xff", ":2: found byte 0xff; save the file as UTF-8"),
    ],
)
def test_files_that_are_no_golden_set(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "golden.jsonl"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=said):
        load_golden(path)
    with pytest.raises(ConfigError, match="no such file"):
        load_golden(tmp_path / "none.jsonl")


def test_a_trace_gets_what_its_item_knows() -> None:
    golden = {"late-1": GoldenItem.model_validate(ITEM | {"contexts": ["from the set"]})}
    attributes = {"judgefleet.item_id": "late-1", "tier": "gold"}
    trace = Trace(trace_id="t", attributes=attributes, reference="older")
    known = {"golden.category": "shipping", "golden.difficulty": "easy"}
    assert enrich(trace, golden) == Trace(
        trace_id="t", reference="It is sent again.", contexts=("from the set",), attributes=attributes | known
    )
    assert trace.attributes == attributes
    own = Trace(trace_id="t", attributes=attributes, contexts=("own",))
    assert enrich(own, golden).contexts == ("own",)


def test_a_trace_without_an_item_is_left_as_it_is() -> None:
    golden = {"a": GoldenItem(item_id="a", question="q", reference="r")}
    for trace in (Trace(trace_id="t"), Trace(trace_id="t", attributes={"judgefleet.item_id": "zzz"})):
        assert enrich(trace, golden) is trace
    by_other_key = Trace(trace_id="t", attributes={"item": "a"})
    assert enrich(by_other_key, golden, key="item").reference == "r"
    assert "golden.category" not in enrich(by_other_key, golden, key="item").attributes
