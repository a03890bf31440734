"""Labels of several tokens: their probabilities are those of guided decoding, held against enumeration and sampling."""

import json
import math
import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from judgefleet.hashing import unit_interval
from judgefleet.sample import Sample
from judgefleet.score import Status
from judges.choice import Choice
from judges.pointwise import BoundPointwise, PointwiseJudge, PointwiseOptions
from judges.prompt import Prompt, Script
from judges.token_writer import TokenWriter
from judges.verdict import Reply

MakeSample = Callable[..., Sample]
Ids = tuple[int, ...]
SCALES = {
    "1 to 5": [str(n) for n in range(1, 6)],
    "1 to 10": [str(n) for n in range(1, 11)],
    "0 to 100": [str(n) for n in range(101)],
    "-2 to 2": [str(n) for n in range(-2, 3)],
    "one begins with another": ["good", "good enough", "good enough to send", "bad"],
    "words": ["unacceptable", "acceptable", "excellent"],
    "versions": ["1", "1.0", "1.0.1", "11"],
}
START: Ids = (1, 2, 3)


def mass(written: Ids, token: int) -> float:
    """A made-up language model: some probability of ``token`` after ``written``, the same each time."""
    return math.exp(-8 * unit_interval(f"{written}|{token}", "model"))


def replies(prompts: Sequence[Prompt], start: Ids = START) -> list[Reply]:
    """What an engine says: log-probabilities of the allowed tokens, which need not sum to 1."""
    return [
        Reply(logprobs=tuple(math.log(mass(p.token_ids[len(start) :], t)) - 0.7 for t in p.allowed)) for p in prompts
    ]


def sequences(writer: TokenWriter, labels: Sequence[str]) -> dict[str, Ids]:
    """What guided decoding would write for each label; an end where another label goes on."""
    ids = {label: tuple(writer._tokenizer.text.encode(label, add_special_tokens=False).ids) for label in labels}
    end = writer._tokenizer.eos_id
    assert end is not None
    return {
        label: (*mine, end) if any(mine == other[: len(mine)] for other in ids.values() if other != mine) else mine
        for label, mine in ids.items()
    }


def enumerated(written: dict[str, Ids]) -> dict[str, float]:
    """The probability of each label, by walking every sequence of all of them."""
    found = {}
    for label, ids in written.items():
        probability = 1.0
        for k, token in enumerate(ids):
            following = {other[k] for other in written.values() if other[:k] == ids[:k] and len(other) > k}
            probability *= mass(ids[:k], token) / sum(mass(ids[:k], t) for t in sorted(following))
        found[label] = probability
    return found


def sampled(written: dict[str, Ids], times: int) -> dict[str, float]:
    """The share of each label when guided decoding draws one token after another."""
    chance, counts = random.Random(7), Counter[str]()
    label_of = {ids: label for label, ids in written.items()}
    for _ in range(times):
        ids: Ids = ()
        while ids not in label_of:
            following = sorted({o[len(ids)] for o in written.values() if o[: len(ids)] == ids and len(o) > len(ids)})
            ids = (*ids, *chance.choices(following, [mass(ids, t) for t in following]))
        counts[label_of[ids]] += 1
    return {label: counts[label] / times for label in written}


@pytest.mark.parametrize("name", SCALES)
def test_probabilities_are_those_of_guided_decoding(writer: TokenWriter, name: str) -> None:
    labels = SCALES[name]
    choice = writer.choice(labels)
    verdict = choice.read(replies(writer.prompts(Script(token_ids=START), choice)))
    written = sequences(writer, labels)
    assert dict(verdict.probabilities) == pytest.approx(enumerated(written), abs=1e-6)
    assert sum(verdict.probabilities.values()) == pytest.approx(1.0, abs=1e-4)
    assert list(verdict.probabilities) == labels
    drawn = sampled(written, 4000)
    assert max(abs(verdict.probabilities[label] - drawn[label]) for label in labels) < 4 * math.sqrt(0.25 / 4000)


@pytest.mark.parametrize(
    ("name", "prompts"), [("1 to 5", 1), ("1 to 10", 2), ("0 to 100", 11), ("one begins with another", 3)]
)
def test_one_prompt_where_labels_part_and_none_more(writer: TokenWriter, name: str, prompts: int) -> None:
    choice = writer.choice(SCALES[name])
    asked = writer.prompts(Script(token_ids=START), choice)
    parting = [prompt for prompt in asked if len(prompt.allowed) > 1]
    assert len(parting) == prompts
    assert all(prompt.token_ids[: len(START)] == START for prompt in asked)
    assert len({prompt.token_ids for prompt in asked}) == len(asked)


def test_a_label_that_is_certain_has_all_the_probability(writer: TokenWriter) -> None:
    labels = SCALES["0 to 100"]
    choice, written = writer.choice(labels), sequences(writer, labels)
    for label in ("0", "1", "10", "100", "99", "7"):
        path = written[label]
        said = [
            Reply(
                logprobs=tuple(
                    0.0 if (*p.token_ids[len(START) :], t) == path[: len(p.token_ids) - len(START) + 1] else -50.0
                    for t in p.allowed
                )
            )
            for p in writer.prompts(Script(token_ids=START), choice)
        ]
        verdict = choice.read(said)
        assert verdict.label == label
        assert verdict.probabilities[label] == pytest.approx(1.0, abs=1e-6)


def judge_of(writer: TokenWriter, folder: Path, scale: str) -> BoundPointwise:
    path = folder / "scale.yaml"
    path.write_text(
        f"name: r\nversion: '1'\ninstructions: Grade.\naxes:\n  - {{name: a, question: 'Good?', scale: {scale}}}\n"
    )
    return PointwiseJudge("r", PointwiseOptions(rubric=str(path))).bind({"default": writer})


@pytest.mark.parametrize(
    ("scale", "values"),
    [
        ("{min: 1, max: 10}", {str(n): float(n) for n in range(1, 11)}),
        ("{min: 0, max: 100}", {str(n): float(n) for n in range(101)}),
        ("{labels: {good: 1, good enough: 0.5, bad: 0}}", {"good": 1.0, "good enough": 0.5, "bad": 0.0}),
    ],
)
def test_a_judge_weighs_every_label_and_says_how(
    writer: TokenWriter, make_sample: MakeSample, tmp_path: Path, scale: str, values: dict[str, float]
) -> None:
    judge = judge_of(writer, tmp_path, scale)
    [unit] = judge.units([make_sample()], lambda row: True)
    start = unit.prompts[0].token_ids
    [outcome] = judge.conclude(unit.after(replies(unit.prompts, start)))
    expected = enumerated(sequences(writer, list(values)))
    assert outcome.value == pytest.approx(sum(p * values[label] for label, p in expected.items()), abs=1e-3)
    assert outcome.label == max(expected, key=lambda label: expected[label])
    config = json.loads(judge.info.config_json)
    assert config["value"] == "mean of the scale by label probability"
    assert config["sampling"] == {"temperature": 0.0, "guided": "one token of the labels at a time"}


@pytest.mark.parametrize("broken", [Reply(error="boom"), Reply(), Reply(text="9"), Reply(logprobs=(-math.inf,) * 2)])
def test_one_place_without_an_answer_leaves_no_number(
    writer: TokenWriter, make_sample: MakeSample, tmp_path: Path, broken: Reply
) -> None:
    judge = judge_of(writer, tmp_path, "{min: 1, max: 10}")
    [unit] = judge.units([make_sample()], lambda row: True)
    root, _ = replies(unit.prompts, unit.prompts[0].token_ids)
    [outcome] = judge.conclude(unit.after([root, broken]))
    assert outcome.status is not Status.OK
    assert (outcome.value, outcome.label, outcome.probabilities) == (None, None, {})


def test_a_choice_survives_labels_in_any_order(writer: TokenWriter) -> None:
    def read(labels: list[str]) -> dict[str, float]:
        choice: Choice = writer.choice(labels)
        return dict(choice.read(replies(writer.prompts(Script(token_ids=START), choice))).probabilities)

    labels = SCALES["0 to 100"]
    assert read(labels) == read(labels[::-1])
