"""The pointwise judge: one guided token an axis, a weighted value, every failure a row with its reason."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from judgefleet.errors import ConfigError
from judgefleet.sample import Sample
from judgefleet.score import Status
from judges.judge import Unit
from judges.judge_model import JudgeModel, Thinking
from judges.pointwise import BoundPointwise, PointwiseJudge, PointwiseOptions
from judges.token_writer import TokenWriter
from judges.verdict import Reply

MakeSample = Callable[..., Sample]


@pytest.fixture
def ten(tmp_path: Path) -> Path:
    """A rubric with a scale of which one label begins with another."""
    path = tmp_path / "ten.yaml"
    path.write_text(
        "name: r\nversion: '1'\ninstructions: Grade.\naxes:\n"
        "  - {name: a, question: 'Good?', scale: {min: 1, max: 10}}\n"
    )
    return path


@pytest.fixture
def judge(writer: TokenWriter) -> BoundPointwise:
    return PointwiseJudge("quality", PointwiseOptions(rubric="support_quality")).bind({"default": writer})


def test_one_prompt_an_axis_and_all_share_the_answer(judge: BoundPointwise, make_sample: MakeSample) -> None:
    units = list(judge.units([make_sample()], lambda row: True))
    assert [unit.rows[0].axis for unit in units] == ["clarity", "accuracy", "policy_citation"]
    first, second = (unit.prompts[0].token_ids for unit in units[:2])
    shared = next(i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b)
    assert shared > 0.9 * len(first)


def test_the_value_is_weighted_by_probability(judge: BoundPointwise, make_sample: MakeSample) -> None:
    unit = next(judge.units([make_sample()], lambda row: True))
    logprobs = tuple(math.log(m) if m else -math.inf for m in (0.1, 0.0, 0.2, 0.3, 0.4))
    [outcome] = judge.conclude(unit.after([Reply(logprobs=logprobs)]))
    assert outcome.value == pytest.approx(0.1 + 0.6 + 1.2 + 2.0)
    assert outcome.label == "5"
    assert sum(outcome.probabilities.values()) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (Reply(text="excellent"), Status.OFF_SCALE),
        (Reply(), Status.UNPARSED),
        (Reply(logprobs=(-math.inf,) * 5), Status.UNPARSED),
        (Reply(error="EngineDeadError: gone"), Status.ENGINE_ERROR),
        (Reply(error="Timeout after 3 s"), Status.TIMEOUT),
    ],
)
def test_a_failed_reply_has_a_status_and_no_value(
    judge: BoundPointwise, make_sample: MakeSample, reply: Reply, status: Status
) -> None:
    unit = next(judge.units([make_sample()], lambda row: True))
    [outcome] = judge.conclude(unit.after([reply]))
    assert (outcome.status, outcome.value) == (status, None)
    assert outcome.reason


@pytest.mark.parametrize(
    "fields", [{"output": ""}, {"output": None}, {"output": " \n"}, {"contexts": ()}, {"question": ""}]
)
def test_what_is_missing_is_not_applicable(
    judge: BoundPointwise, make_sample: MakeSample, fields: dict[str, str]
) -> None:
    units = list(judge.units([make_sample(**fields)], lambda row: True))
    assert [[outcome.status for outcome in unit.settled] for unit in units] == [[Status.NOT_APPLICABLE]] * 3


def test_an_answer_too_long_to_be_seen_overflows(judge: BoundPointwise, make_sample: MakeSample) -> None:
    units = list(judge.units([make_sample(output="long " * 400_000)], lambda row: True))
    assert [[outcome.status for outcome in unit.settled] for unit in units] == [[Status.CONTEXT_OVERFLOW]] * 3


def test_rows_that_are_there_are_not_asked_again(judge: BoundPointwise, make_sample: MakeSample) -> None:
    units = list(judge.units([make_sample()], lambda row: row.axis == "accuracy"))
    assert [unit.rows[0].axis for unit in units] == ["accuracy"]


def test_rows_and_units_agree(judge: BoundPointwise, make_sample: MakeSample) -> None:
    samples = [make_sample("t1"), make_sample("t2", output="")]
    rows = [row.score_id(judge.info) for row in judge.rows(samples)]
    asked = [row.score_id(judge.info) for unit in judge.units(samples, lambda row: True) for row in unit.rows]
    assert sorted(rows) == sorted(asked)
    assert len(set(rows)) == 6


def test_any_change_of_model_or_rubric_makes_another_judge(
    judge: BoundPointwise, judge_model: JudgeModel, writer: TokenWriter, tmp_path: Path
) -> None:
    source = Path(__file__).parents[2] / "judges" / "rubrics" / "support_quality.yaml"
    changed = tmp_path / "changed.yaml"
    changed.write_text(source.read_text().replace("Plain, well ordered", "Simple, well ordered"))
    reworded = PointwiseJudge("quality", PointwiseOptions(rubric=str(changed))).bind({"default": writer})
    requantised = PointwiseJudge("quality", PointwiseOptions(rubric="support_quality")).bind(
        {"default": TokenWriter(replace(judge_model, dtype="float32"))}
    )
    assert len({judge.info.fingerprint, reworded.info.fingerprint, requantised.info.fingerprint}) == 3


def test_a_scale_of_several_tokens_is_weighted_exactly(writer: TokenWriter, make_sample: MakeSample, ten: Path) -> None:
    judge = PointwiseJudge("r", PointwiseOptions(rubric=str(ten))).bind({"default": writer})
    [unit] = judge.units([make_sample()], lambda row: True)
    root, after_one = unit.prompts
    first = Reply(logprobs=tuple(math.log(0.5 if i == 0 else 0.0625) for i in range(9)))
    ends = math.log(0.25), math.log(0.75)
    [outcome] = judge.conclude(unit.after([first, Reply(logprobs=ends)]))
    chance_of_one = 0.5 * math.exp(ends[after_one.allowed.index(writer._tokenizer.eos_id)])
    assert outcome.probabilities["1"] == pytest.approx(chance_of_one)
    assert outcome.probabilities["10"] == pytest.approx(0.5 - chance_of_one)
    rest = 0.0625 * sum(range(2, 10))
    assert outcome.value == pytest.approx(chance_of_one + 10 * (0.5 - chance_of_one) + rest)
    assert len(root.allowed) == 9


def test_a_label_without_probabilities_is_its_own_value_and_says_so(
    judge: BoundPointwise, make_sample: MakeSample
) -> None:
    unit = next(judge.units([make_sample()], lambda row: True))
    [outcome] = judge.conclude(unit.after([Reply(text=" 4.\n")]))
    assert (outcome.value, outcome.label, outcome.probabilities) == (4.0, "4", {})
    assert "no probabilities" in (outcome.reason or "")


def test_a_reason_is_written_before_the_verdict_and_kept(writer: TokenWriter, make_sample: MakeSample) -> None:
    options = PointwiseOptions(rubric="support_quality", reason_tokens=40)
    judge = PointwiseJudge("quality", options).bind({"default": writer})
    unit = next(judge.units([make_sample()], lambda row: True))
    [draft] = unit.prompts
    assert draft.draft is not None
    assert draft.draft.max_tokens == 40
    then = unit.after([Reply(text="It is short. <|im_end|>", finished=False)])
    [verdict] = then.prompts
    assert verdict.token_ids[: len(draft.token_ids)] == draft.token_ids
    assert writer._special("<|im_end|>")[0] not in verdict.token_ids[len(draft.token_ids) :]
    done = then.after([Reply(logprobs=(math.log(0.2),) * 5)])
    [outcome] = judge.conclude(done)
    assert outcome.reason == "It is short. <|im_end|> | a draft was ended by its limit"
    assert outcome.value == pytest.approx(3.0)


def test_thoughts_are_left_out_and_the_verdict_is_still_guided(
    judge_model: JudgeModel, make_sample: MakeSample
) -> None:
    thinker = TokenWriter(replace(judge_model, thinking=Thinking(max_tokens=50)))
    judge = PointwiseJudge("quality", PointwiseOptions(rubric="support_quality")).bind({"default": thinker})
    unit: Unit = next(judge.units([make_sample()], lambda row: True))
    [thought] = unit.prompts
    assert thought.draft is not None
    assert (thought.draft.stop, thought.draft.max_tokens) == (("</think>",), 50)
    then = unit.after([Reply(text="Hmm, a 2 perhaps.")])
    assert len(then.prompts[0].allowed) == 5
    [outcome] = judge.conclude(then.after([Reply(logprobs=(math.log(0.2),) * 5)]))
    assert outcome.reason is None


@pytest.mark.parametrize(
    ("scale", "said"),
    [
        ("{min: 1}", "either min and max, or labels"),
        ("{min: 5, max: 1}", "at least two labels"),
        ("{min: 1, max: 5, anchors: {9: x}}", "not on the scale"),
        ("{minimum: 1, max: 5}", "did you mean 'min"),
    ],
)
def test_a_wrong_scale_is_said_with_its_line(tmp_path: Path, scale: str, said: str) -> None:
    rubric = tmp_path / "r.yaml"
    rubric.write_text(
        f"name: r\nversion: '1'\ninstructions: Grade.\naxes:\n  - name: a\n    question: Good?\n    scale: {scale}\n"
    )
    with pytest.raises(ConfigError, match=said) as raised:
        PointwiseJudge("r", PointwiseOptions(rubric=str(rubric)))
    assert f"{rubric}:" in str(raised.value)


def test_an_unknown_rubric_names_those_that_exist() -> None:
    with pytest.raises(ConfigError, match="did you mean 'support_quality'"):
        PointwiseJudge("r", PointwiseOptions(rubric="suport_quality"))
