"""What ``input`` says of formats, columns and limits is checked at once, and reaches the readers."""

from pathlib import Path
from typing import Any

import pytest

from jobs.config import BatchConfig
from jobs.intake import Intake
from jobs.online.joining import Item
from judgefleet.errors import ConfigError
from judgefleet.traces import ReadOptions, Reject
from judgefleet.traces.span import Span
from judgefleet.validation import validate_mapping


def config(**given: Any) -> BatchConfig:
    made = {"name": "n", "store": "s", "input": {"uri": "u"} | given, "scorers": [{"use": "not_empty"}]}
    return validate_mapping(made, BatchConfig, "c.yaml", lambda _: None)


def test_columns_reach_the_reader(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Frage;Antwort\nWas?;Das.\n")
    read = {"columns": {"Frage": "question", "Antwort": "output"}}
    (row,) = Intake(config=config(read=read), group_by=None).rows(str(tmp_path / "a.csv"), "0", {})
    assert (row["output"], row["messages"]) == ("Das.", [{"role": "user", "content": "Was?"}])
    (row,) = Intake(config=config(), group_by=None).rows(str(tmp_path / "a.csv"), "0", {})
    assert "found the columns Frage, Antwort" in row["reason"]


def test_limits_hold_for_traces_that_are_put_together() -> None:
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.input.messages": [{"role": "user", "content": "q"}],
        "gen_ai.output.messages": "long",
    }
    span = Span(trace_id="t", span_id="s", attributes=attributes)
    item = Item(identity="t", first=0.0, last=0.0, spans=[span], objects={"k": "u"})
    found = item.read(ReadOptions(max_text=3))
    assert isinstance(found, Reject)
    assert found.reason == "output: found 4 characters; max_text is 3"
    assert not isinstance(item.read(ReadOptions()), Reject)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"format": "jsnl"}, "input.format: found 'jsnl'; did you mean 'jsonl'"),
        ({"read": {"max_byte": 5}}, "input.read.max_byte: unknown key 'max_byte'; did you mean 'max_bytes'"),
        ({"read": {"max_bytes": "x"}}, "input.read.max_bytes: found 'x'"),
        ({"read": {"max_bytes": 0}}, "found max_bytes 0; a whole number of at least 1 belongs here"),
        (
            {"read": {"columns": {"Frage": "questoin"}}},
            "found the field 'questoin' for the column 'Frage'; did you mean",
        ),
    ],
)
def test_mistakes(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config(**given)
    assert said in str(caught.value)
