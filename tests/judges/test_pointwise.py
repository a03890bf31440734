"""The pointwise judge: one guided token an axis, a weighted value, every failure a row with its reason."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from judgefleet.errors import ConfigError
from judgefleet.sample import Sample
from judgefleet.score import Status
from judges.judge_model import JudgeModel
from judges.pointwise import BoundPointwise, PointwiseJudge, PointwiseOptions
from judges.prompt import PromptWriter
from judges.verdict import Reply

MakeSample = Callable[..., Sample]


@pytest.fixture
def judge(judge_model: JudgeModel, writer: PromptWriter) -> BoundPointwise:
    return PointwiseJudge("quality", PointwiseOptions(rubric="support_quality")).bind(judge_model, writer)


def test_one_prompt_an_axis_and_all_share_the_answer(judge: BoundPointwise, make_sample: MakeSample) -> None:
    units = list(judge.units([make_sample()], lambda row: True))
    assert [unit.rows[0].axis for unit in units] == ["clarity", "accuracy", "policy_citation"]
    first, second = (unit.prompts[0].token_ids for unit in units[:2])
    shared = next(i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b)
    assert shared > 0.9 * len(first)


def test_the_value_is_weighted_by_probability(judge: BoundPointwise, make_sample: MakeSample) -> None:
    unit = next(judge.units([make_sample()], lambda row: True))
    masses = [0.1, 0.0, 0.2, 0.3, 0.4]
    logprobs = {t: math.log(m) for t, m in zip(unit.prompts[0].allowed, masses, strict=True) if m}
    [outcome] = judge.conclude(unit, [Reply(token_ids=(unit.prompts[0].allowed[4],), logprobs=logprobs)])
    assert outcome.value == pytest.approx(0.1 + 0.6 + 1.2 + 2.0)
    assert outcome.label == "5"
    assert sum(outcome.probabilities.values()) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (Reply(token_ids=(0,)), Status.OFF_SCALE),
        (Reply(), Status.UNPARSED),
        (Reply(error="EngineDeadError: gone"), Status.ENGINE_ERROR),
        (Reply(error="Timeout after 3 s"), Status.TIMEOUT),
    ],
)
def test_a_failed_reply_has_a_status_and_no_value(
    judge: BoundPointwise, make_sample: MakeSample, reply: Reply, status: Status
) -> None:
    unit = next(judge.units([make_sample()], lambda row: True))
    [outcome] = judge.conclude(unit, [reply])
    assert (outcome.status, outcome.value) == (status, None)
    assert outcome.reason


@pytest.mark.parametrize(
    "fields", [{"output": ""}, {"output": None}, {"output": " \n"}, {"contexts": ()}, {"question": ""}]
)
def test_what_is_missing_is_not_applicable(
    judge: BoundPointwise, make_sample: MakeSample, fields: dict[str, str]
) -> None:
    [unit] = judge.units([make_sample(**fields)], lambda row: True)
    assert {outcome.status for outcome in unit.settled} == {Status.NOT_APPLICABLE}
    assert len(unit.rows) == len(unit.settled) == 3


def test_an_answer_too_long_to_be_seen_overflows(judge: BoundPointwise, make_sample: MakeSample) -> None:
    [unit] = judge.units([make_sample(output="long " * 400_000)], lambda row: True)
    assert {outcome.status for outcome in unit.settled} == {Status.CONTEXT_OVERFLOW}


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
    judge: BoundPointwise, judge_model: JudgeModel, writer: PromptWriter, tmp_path: Path
) -> None:
    source = Path(__file__).parents[2] / "judges" / "rubrics" / "support_quality.yaml"
    changed = tmp_path / "changed.yaml"
    changed.write_text(source.read_text().replace("Plain, well ordered", "Simple, well ordered"))
    reworded = PointwiseJudge("quality", PointwiseOptions(rubric=str(changed))).bind(judge_model, writer)
    requantised = PointwiseJudge("quality", PointwiseOptions(rubric="support_quality")).bind(
        replace(judge_model, dtype="float32"), writer
    )
    assert len({judge.info.fingerprint, reworded.info.fingerprint, requantised.info.fingerprint}) == 3


def test_a_scale_that_is_no_single_token_is_refused(
    judge_model: JudgeModel, writer: PromptWriter, tmp_path: Path
) -> None:
    rubric = tmp_path / "r.yaml"
    rubric.write_text(
        "name: r\nversion: '1'\ninstructions: Grade.\naxes:\n"
        "  - {name: a, question: 'Good?', scale: {min: 1, max: 100}}\n"
    )
    with pytest.raises(ConfigError, match="not one token"):
        PointwiseJudge("r", PointwiseOptions(rubric=str(rubric))).bind(judge_model, writer)


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
