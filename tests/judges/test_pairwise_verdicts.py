"""What two orders say becomes a verdict: cases by hand, the tie band, and answers compared with a reference."""

import math
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
from pydantic import ValidationError

from judgefleet.errors import ConfigError
from judgefleet.sample import Sample
from judgefleet.score import Status
from judges.pairwise import BoundPairwise, PairwiseJudge, PairwiseOptions
from judges.reconcile import reconcile
from judges.token_writer import TokenWriter
from judges.verdict import Reply

MakeSample = Callable[..., Sample]
VARIANTS = ("A", "B")


def bound(writer: TokenWriter, **options: object) -> BoundPairwise:
    given = {"rubric": "pairwise_preference", "variants": VARIANTS} | options
    return PairwiseJudge("preference", PairwiseOptions.model_validate(given)).bind({"default": writer})


@pytest.fixture
def pair(make_sample: MakeSample) -> list[Sample]:
    return [make_sample("ta", variant="A"), make_sample("tb", variant="B", output="Sorry, no idea.")]


def says(order: tuple[float, ...]) -> Reply:
    return Reply(logprobs=tuple(math.log(p) if p else -math.inf for p in order))


# What was said about A then B shown first; the probability that A is preferred, A's label, and whether both agreed.
FORCED = [
    ((1.0, 0.0), (0.0, 1.0), 0.0, 1.0, "win", True),
    ((0.0, 1.0), (1.0, 0.0), 0.0, 0.0, "loss", True),
    ((0.9, 0.1), (0.3, 0.7), 0.0, 0.8, "win", True),
    ((0.4, 0.6), (0.8, 0.2), 0.0, 0.3, "loss", True),
    ((0.9, 0.1), (0.9, 0.1), 0.0, 0.5, "tie", False),
    ((0.1, 0.9), (0.1, 0.9), 0.0, 0.5, "tie", False),
    ((0.9, 0.1), (0.6, 0.4), 0.0, 0.65, "tie", False),
    ((0.5, 0.5), (0.5, 0.5), 0.0, 0.5, "tie", True),
    ((0.5, 0.5), (0.2, 0.8), 0.0, 0.65, "tie", False),
    ((0.52, 0.48), (0.48, 0.52), 0.0, 0.52, "win", True),
    ((0.52, 0.48), (0.48, 0.52), 0.02, 0.52, "tie", True),
    ((0.52, 0.48), (0.48, 0.52), 0.019, 0.52, "win", True),
    ((0.45, 0.55), (0.6, 0.4), 0.1, 0.425, "tie", True),
    ((0.45, 0.55), (0.6, 0.4), 0.05, 0.425, "loss", True),
    ((0.9, 0.1), (0.3, 0.7), 0.3, 0.8, "tie", True),
    ((0.9, 0.1), (0.3, 0.7), 0.299, 0.8, "win", True),
]
WITH_TIE = [
    ((0.7, 0.2, 0.1), (0.3, 0.6, 0.1), 0.0, 0.7, "win", True),
    ((0.1, 0.1, 0.8), (0.1, 0.1, 0.8), 0.0, 0.5, "tie", True),
    ((0.3, 0.1, 0.6), (0.1, 0.4, 0.5), 0.0, 0.625, "tie", True),
    ((0.4, 0.4, 0.2), (0.1, 0.8, 0.1), 0.0, 0.675, "tie", False),
    ((0.8, 0.1, 0.1), (0.1, 0.1, 0.8), 0.0, 0.675, "tie", False),
    ((0.4, 0.35, 0.25), (0.3, 0.4, 0.3), 0.0, 0.5375, "win", True),
    ((0.4, 0.35, 0.25), (0.3, 0.4, 0.3), 0.0375, 0.5375, "tie", True),
    ((0.0, 0.0, 1.0), (0.0, 0.0, 1.0), 0.2, 0.5, "tie", True),
]


@pytest.mark.parametrize(("one", "two", "band", "value", "label", "agreed"), [*FORCED, *WITH_TIE])
def test_both_orders_become_one_verdict(
    writer: TokenWriter,
    pair: list[Sample],
    one: tuple[float, ...],
    two: tuple[float, ...],
    band: float,
    value: float,
    label: str,
    agreed: bool,
) -> None:
    judge = bound(writer, allow_tie=len(one) == 3, tie_band=band)
    [unit] = judge.units(pair, lambda row: True)
    a, b = judge.conclude(unit.after([says(one), says(two)]))
    assert [a.value, b.value] == pytest.approx([value, 1 - value], abs=2e-6)
    assert (a.label, b.label) == (label, {"win": "loss", "loss": "win", "tie": "tie"}[label])
    assert (a.order_consistent, b.order_consistent) == (agreed, agreed)
    assert a.probabilities["win"] == pytest.approx(b.probabilities["loss"], abs=2e-6)
    assert sum(a.probabilities.values()) == pytest.approx(1.0, abs=3e-6)


def test_both_sides_of_a_pair_fall_on_the_same_side_of_the_band() -> None:
    grid = [n / 40 for n in range(41)]
    for one, two, band in product(grid, grid, [0.0, 0.0125, 0.025, 0.1, 0.25]):
        orders = [{"first": one, "second": 1 - one, "tie": 0.0}, {"first": two, "second": 1 - two, "tie": 0.0}]
        mine, theirs = (side.label for side in reconcile(orders, band))
        assert theirs == {"win": "loss", "loss": "win", "tie": "tie"}[mine], (one, two, band)


def test_the_band_changes_no_value_and_makes_another_judge(writer: TokenWriter, pair: list[Sample]) -> None:
    plain, banded = (bound(writer, tie_band=band) for band in (0.0, 0.2))
    values = []
    for judge in (plain, banded):
        [unit] = judge.units(pair, lambda row: True)
        values.append([o.value for o in judge.conclude(unit.after([says((0.6, 0.4)), says((0.45, 0.55))]))])
    assert values[0] == values[1]
    assert plain.info.fingerprint != banded.info.fingerprint
    assert '"tie_band":0.2' in banded.info.config_json


@pytest.mark.parametrize("band", [-0.1, 0.5, 1.0, "wide"])
def test_a_band_that_holds_everything_or_nothing_is_refused(band: object) -> None:
    with pytest.raises(ValidationError):
        PairwiseOptions.model_validate({"rubric": "x", "variants": VARIANTS, "tie_band": band})


def test_a_reference_is_shown_once_before_both_answers(writer: TokenWriter, make_sample: MakeSample) -> None:
    judge = bound(writer, rubric="pairwise_reference")
    known = {"reference": "It arrives within 7 days."}
    samples = [make_sample("ta", **known), make_sample("tb", variant="B", output="No idea.", **known)]
    [unit] = judge.units(samples, lambda row: True)
    shown = [writer._tokenizer.words.decode(list(prompt.token_ids)) for prompt in unit.prompts]
    for text in shown:
        assert text.count("It arrives within 7 days.") == 1
        assert text.index("Reference answer:") < text.index("Answer A:") < text.index("Answer B:")
    assert shown[0].split("Answer A:")[0] == shown[1].split("Answer A:")[0]
    a, _ = judge.conclude(unit.after([says((0.9, 0.1)), says((0.2, 0.8))]))
    assert (a.value, a.label) == (0.85, "win")


@pytest.mark.parametrize(
    ("references", "said"),
    [
        ((None, None), "no reference"),
        (("Yes.", None), "different references"),
        (("Yes.", "No."), "different references"),
        (("  ", "  "), "reference is blank"),
    ],
)
def test_without_one_reference_there_is_nothing_to_compare_with(
    writer: TokenWriter, make_sample: MakeSample, references: tuple[str | None, str | None], said: str
) -> None:
    samples = [make_sample(f"t{v}", variant=v, reference=r) for v, r in zip(VARIANTS, references, strict=True)]
    [unit] = bound(writer, rubric="pairwise_reference").units(samples, lambda row: True)
    assert {(o.status, o.value) for o in unit.settled} == {(Status.NOT_APPLICABLE, None)}
    assert said in (unit.settled[0].reason or "")


def test_references_do_not_matter_to_a_rubric_that_needs_none(writer: TokenWriter, make_sample: MakeSample) -> None:
    samples = [make_sample("ta", reference="Yes."), make_sample("tb", variant="B", reference="No.")]
    [unit] = bound(writer).units(samples, lambda row: True)
    assert len(unit.prompts) == 2
    assert "Reference" not in writer._tokenizer.words.decode(list(unit.prompts[0].token_ids))


@pytest.mark.parametrize(
    ("replies", "status"),
    [
        ((Reply(error="boom"), says((0.5, 0.5))), Status.ENGINE_ERROR),
        ((says((0.5, 0.5)), Reply(error="timeout")), Status.TIMEOUT),
        ((Reply(text="neither"), says((0.5, 0.5))), Status.OFF_SCALE),
        ((Reply(), says((0.5, 0.5))), Status.UNPARSED),
        ((says((0.0, 0.0)), says((0.5, 0.5))), Status.UNPARSED),
    ],
)
def test_one_order_without_a_verdict_leaves_both_rows_without_a_value(
    writer: TokenWriter, pair: list[Sample], replies: tuple[Reply, Reply], status: Status
) -> None:
    judge = bound(writer)
    [unit] = judge.units(pair, lambda row: True)
    outcomes = judge.conclude(unit.after(replies))
    assert [(o.status, o.value, o.label) for o in outcomes] == [(status, None, None)] * 2
    assert all(o.reason and o.pair_id for o in outcomes)


def test_words_without_probabilities_count_and_are_marked(writer: TokenWriter, pair: list[Sample]) -> None:
    judge = bound(writer)
    [unit] = judge.units(pair, lambda row: True)
    a, b = judge.conclude(unit.after([Reply(text="A"), Reply(text="B.")]))
    assert (a.value, a.label, b.value, b.label) == (1.0, "win", 0.0, "loss")
    assert "no probabilities" in (a.reason or "")


def test_an_unknown_rubric_or_engine_is_said(writer: TokenWriter, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'pairwise_reference'"):
        bound(writer, rubric="pairwise_refrence")
    with pytest.raises(ConfigError, match="asks the engine 'b'"):
        bound(writer, engine="b")
