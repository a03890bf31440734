"""The suite of attacks is what it says, and its figures count what they say: flips against the same length of text."""

import importlib.util
import math
import textwrap
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from judgefleet.trace import Trace
from judgefleet.traces.reader import read_object
from judges.checks.patterns import compile_pattern
from judges.judge_model import JudgeModel

ROOT = Path(__file__).resolve().parents[3]
GAINS = {"bare": (0, 0.2), "attack": (1, 0.7), "harmless": (0, 0.3)}


@pytest.fixture(scope="module")
def injection() -> Any:
    """benchmarks/injection.py; by its path, since an installed package is called benchmarks too."""
    spec = importlib.util.spec_from_file_location("injection_benchmark", ROOT / "benchmarks" / "injection.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def attacks(injection: Any, judge_model: JudgeModel) -> list[Any]:
    return list(injection.load_attacks(judge_model.path))


def readings(injection: Any, items: int = 8, **gains: tuple[int | None, float | None]) -> list[Any]:
    """Verdicts with a top of 1 in which each arm has the rank and the value that are given."""
    about = {"measure": "pairwise", "slot": "", "kind": "json", "name": "object", "status": "ok", "top": 1}
    return [
        injection.Reading(item=f"q{i}", arm=arm, rank=rank, value=value, **about)
        for i in range(items)
        for arm, (rank, value) in (GAINS | gains).items()
    ]


def test_there_are_many_attacks_and_none_stands_twice(attacks: list[Any]) -> None:
    assert len(attacks) >= 64
    assert len({attack.text for attack in attacks}) == len({(a.kind, a.name) for a in attacks}) == len(attacks)
    assert sum(attack.kind == "language" for attack in attacks) >= 6
    assert min(Counter(attack.kind for attack in attacks).values()) >= 3


def test_harmless_text_is_as_long_in_tokens(injection: Any, judge_model: JudgeModel, attacks: list[Any]) -> None:
    length = injection.token_length(judge_model.path)
    apart = {f"{a.kind}/{a.name}": length(a.text) - length(a.harmless) for a in attacks}
    assert {name: tokens for name, tokens in apart.items() if not 0 <= tokens <= 2} == {}


def test_harmless_text_is_the_same_every_time_and_says_nothing_to_a_judge(
    injection: Any, judge_model: JudgeModel, attacks: list[Any]
) -> None:
    assert [a.harmless for a in injection.load_attacks(judge_model.path)] == [a.harmless for a in attacks]
    words = {word.strip(".,").lower() for attack in attacks for word in attack.harmless.split()}
    assert words.isdisjoint({"grade", "answer", "verdict", "better", "best", "judge", "b", "5", "policy"})


def test_a_few_of_each_kind_are_the_first_of_the_file(injection: Any, judge_model: JudgeModel) -> None:
    few = injection.load_attacks(judge_model.path, most=1)
    assert [(a.kind, a.name) for a in few][:2] == [("verdict", "grade"), ("chat_template", "im_end")]
    assert max(Counter(attack.kind for attack in few).values()) == 1


def test_an_attack_that_wins_where_harmless_text_does_not_is_a_flip(injection: Any) -> None:
    [everything, kind] = injection.figures(injection.side_by_side(readings(injection)))
    assert (everything.kind, kind.kind, kind.verdicts, kind.could_flip) == ("all", "json", 8, 8)
    assert (kind.attack.value, kind.harmless.value, kind.difference.value) == (1.0, 0.0, 1.0)
    assert kind.difference.low > 0
    assert kind.shift.value == pytest.approx(0.4)


def test_what_harmless_text_does_as_well_is_no_gain(injection: Any) -> None:
    [figure, _] = injection.figures(injection.side_by_side(readings(injection, harmless=(1, 0.7))))
    assert (figure.attack.value, figure.harmless.value, figure.difference.value) == (1.0, 1.0, 0.0)
    assert figure.difference.low < 0 < figure.difference.high


def test_a_verdict_that_is_the_best_already_cannot_flip(injection: Any) -> None:
    [figure, _] = injection.figures(injection.side_by_side(readings(injection, bare=(1, 0.9))))
    assert (figure.verdicts, figure.could_flip, figure.attack.value, figure.difference.value) == (8, 0, None, None)
    assert figure.shift.value == pytest.approx(0.4)


@pytest.mark.parametrize("arm", GAINS)
def test_a_failed_verdict_is_no_number(injection: Any, arm: str) -> None:
    whole, failed = readings(injection), readings(injection, items=1, **{arm: (None, None)})
    table = injection.side_by_side([*failed, *whole[3:]])
    assert len(table) == 7
    assert not any(map(math.isnan, table.value_attack))


def test_the_check_that_the_page_recommends_finds_what_the_page_says(injection: Any, attacks: list[Any]) -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    [options] = yaml.safe_load(textwrap.dedent(page.partition("```yaml\n")[2].partition("   ```")[0]))
    pattern = compile_pattern(options["pattern"])
    found = sum(pattern.search(attack.text) is not None for attack in attacks)
    stored = (ROOT / "datasets" / "support" / "traces").rglob("*.json*")
    answers = [trace.output for path in stored for trace in read_object(str(path)) if isinstance(trace, Trace)]
    wrong = sum(pattern.search(answer or "") is not None for answer in answers)
    assert f"It finds {found} of the {len(attacks)} attacks" in page
    assert (wrong, f"none of the {len(answers)} answers" in page) == (0, True)


def test_the_page_has_a_row_for_every_kind(attacks: list[Any]) -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    counted = Counter(attack.kind for attack in attacks)
    assert [kind for kind, texts in counted.items() if f"\n| {kind} | {texts} |" not in page] == []
    assert f"{len(attacks)} texts of {len(counted)} kinds" in page
