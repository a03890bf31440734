"""Verdicts without probabilities, and numbers that are no scale: what a row may say of them, and what it may not."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from pydantic import ValidationError

from judgefleet.errors import ConfigError
from judgefleet.rubric import Scale
from judgefleet.sample import Sample
from judgefleet.score import Status
from judgefleet.trace import Message
from judges.choice import Choice
from judges.judge_model import JudgeModel
from judges.message_writer import MessageWriter
from judges.pairwise import PairwiseJudge, PairwiseOptions
from judges.pointwise import PointwiseJudge, PointwiseOptions
from judges.token_writer import TokenWriter
from judges.transcript import whole
from judges.verdict import Reply

MakeSample = Callable[..., Sample]
LABELS = ("not", "not supported", "***")


@pytest.mark.parametrize(
    ("second", "remark", "shown"),
    [
        (Reply(text="B"), "the engine gave no probabilities: the value is that of the label", 0),
        (Reply(logprobs=(math.log(0.4), math.log(0.6))), "no probabilities for 1 of 2 verdicts: each is worth the", 3),
    ],
)
def test_a_label_that_was_written_is_no_probability_of_a_preference(
    writer: TokenWriter, make_sample: MakeSample, second: Reply, remark: str, shown: int
) -> None:
    judge = PairwiseJudge("p", PairwiseOptions(rubric="pairwise_preference", variants=("A", "B"))).bind(
        {"default": writer}
    )
    [unit] = judge.units([make_sample("ta"), make_sample("tb", variant="B", output="No.")], lambda row: True)
    mine, its = judge.conclude(unit.after([Reply(text="A"), second]))
    assert (mine.label, its.label) == ("win", "loss")
    assert mine.probabilities == its.probabilities == {}
    assert [len(order.probabilities) for order in mine.orders] == [0, shown]
    assert remark in (mine.reason or "")


@pytest.mark.parametrize(
    ("reply", "status", "said"),
    [
        (Reply(text="***", ended="stop"), Status.OK, ""),
        (Reply(text="**not**", ended="stop"), Status.OK, ""),
        (Reply(text="**"), Status.OFF_SCALE, "found '**'"),
        (Reply(text="", ended="content_filter"), Status.UNPARSED, "(it ended with 'content_filter')"),
        (Reply(text="not", ended="length"), Status.UNPARSED, "may be the beginning of ['not supported']"),
        (Reply(text="not", ended="stop"), Status.OK, ""),
    ],
)
def test_what_was_written_is_read_as_it_stands(reply: Reply, status: Status, said: str) -> None:
    found = Choice(labels=LABELS).read([reply])
    assert (found.failure.status if found.failure else Status.OK) == status
    assert said in ((found.failure.reason if found.failure else "") or "")


def test_a_mean_over_hundreds_of_labels_has_what_each_of_them_adds(
    writer: TokenWriter, make_sample: MakeSample, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("rubric") / "r.yaml"
    path.write_text(
        "name: r\nversion: '1'\ninstructions: Grade.\n"
        "axes: [{name: x, question: 'How?', scale: {labels: {a: 1, b: 400000}}}]\n"
    )
    judge = PointwiseJudge("q", PointwiseOptions(rubric=str(path))).bind({"default": writer})
    [unit] = judge.units([make_sample()], lambda row: True)
    [outcome] = judge.conclude(unit.after([Reply(logprobs=(math.log(1 - 4e-7), math.log(4e-7)))]))
    assert outcome.value == pytest.approx(1.16, abs=1e-4)
    assert outcome.probabilities == {"a": 1.0, "b": 0.0}


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_label_stands_for_a_number(value: float) -> None:
    with pytest.raises(ValidationError, match="finite number"):
        Scale(labels={"a": value, "b": 1})


@pytest.mark.parametrize("label", ["", " yes", "yes "])
def test_a_label_that_no_endpoint_can_be_read_to_write_is_refused(judge_model: JudgeModel, label: str) -> None:
    writer = MessageWriter(replace(judge_model, prompts="messages", logprobs=False))
    with pytest.raises(ConfigError, match="read without spaces"):
        writer.choice([label, "no"])


def test_how_a_verdict_in_messages_comes_about_is_told_as_it_is(judge_model: JudgeModel) -> None:
    asked = {"served_by": "h", "extra_body": {"temperature": 1.0}}
    model = replace(judge_model, prompts="messages", logprobs=False, engine_options=asked)
    info = PointwiseJudge("q", PointwiseOptions(rubric="support_quality")).bind({"default": MessageWriter(model)}).info
    assert info.config["sampling"] == {"temperature": 1.0, "guided": "no: a label is read from what was written"}
    assert info.config["value"] == "that of the label that is written"


def turns(*said: tuple[str, str]) -> Sequence[Message]:
    return tuple(Message(role=role, content=content) for role, content in said)


def test_a_history_that_leaves_out_tools_is_not_said_twice(make_sample: MakeSample) -> None:
    first = turns(("user", "q1"), ("assistant", ""), ("tool", "r"))
    then = turns(("user", "q1"), ("assistant", "a1"), ("user", "q2"))
    group = [
        make_sample("t1", conversation_id="c", messages=first, output="a1"),
        make_sample("t2", conversation_id="c", messages=then, output="a2"),
    ]
    said = [(m.role, m.content) for m in whole(group).trace.messages if m.content]
    assert said == [("user", "q1"), ("tool", "r"), ("assistant", "a1"), ("user", "q2"), ("assistant", "a2")]
