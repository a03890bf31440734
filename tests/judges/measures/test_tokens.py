from typing import Any

import pytest

from judgefleet.errors import ConfigError
from judgefleet.score import Status
from judgefleet.scorer import Direction
from judgefleet.trace import Usage
from judges.catalogue import create_scorer


@pytest.mark.parametrize(
    ("read", "written", "total"),
    [
        (120, 34, 154),
        (262, 25, 287),
        (0, 0, 0),
        (0, 7, 7),
        (9, 0, 9),
        (1, 1, 2),
        (128_000, 4_096, 132_096),
        (2**40, 1, 2**40 + 1),
        (10**12, 10**12, 2 * 10**12),
        (15, 96, 111),
        (274, 20, 294),
    ],
)
def test_counts(run: Any, read: int, written: int, total: int) -> None:
    found = run("tokens", usage=Usage(input_tokens=read, output_tokens=written))
    assert {axis: outcome.value for axis, outcome in found.items()} == {
        "input_tokens": read,
        "output_tokens": written,
        "total_tokens": total,
    }
    assert found["total_tokens"].reason == f"{read} input tokens + {written} output tokens"
    assert {outcome.label for outcome in found.values()} == {None}


@pytest.mark.parametrize(
    ("read", "written", "known", "reason"),
    [
        (None, None, set(), "the trace has no input_tokens"),
        (5, None, {"input_tokens"}, "the trace has no output_tokens"),
        (None, 5, {"output_tokens"}, "the trace has no input_tokens"),
        (-1, 5, {"output_tokens"}, "input_tokens is -1, and cannot be"),
        (5, -3, {"input_tokens"}, "output_tokens is -3, and cannot be"),
        (float("nan"), 5, {"output_tokens"}, "input_tokens is nan, and cannot be"),
        (float("inf"), 5, {"output_tokens"}, "input_tokens is inf, and cannot be"),
        ("many", 5, {"output_tokens"}, "input_tokens is 'many', and cannot be"),
        (True, 5, {"output_tokens"}, "input_tokens is True, and cannot be"),
        ("\ud800\x00", None, set(), r"input_tokens is '\ud800\x00', and cannot be"),
    ],
)
def test_a_missing_count_is_not_0(run: Any, read: Any, written: Any, known: set[str], reason: str) -> None:
    found = run("tokens", usage=Usage(input_tokens=read, output_tokens=written))
    assert {axis for axis, outcome in found.items() if outcome.status is Status.OK} == known
    assert {o.status for axis, o in found.items() if axis not in known} == {Status.NOT_APPLICABLE}
    assert found["total_tokens"].reason == reason


@pytest.mark.parametrize(
    ("name", "axis"),
    [
        ("gen_ai.usage.input_tokens", "input_tokens"),
        ("gen_ai.usage.prompt_tokens", "input_tokens"),
        ("usage.input_tokens", "input_tokens"),
        ("usage.completion_tokens", "output_tokens"),
    ],
)
@pytest.mark.parametrize("text", ["many", "-5", "1.5"])
def test_what_was_found_in_the_place_of_a_count(run: Any, name: str, axis: str, text: str) -> None:
    found = run("tokens", attributes={name: text})
    assert found[axis].reason == f"{axis} is '{text}', and cannot be"


def test_neither_more_nor_fewer_is_better() -> None:
    assert create_scorer("tokens").info.direction is Direction.NONE


def test_bad_options() -> None:
    with pytest.raises(ConfigError, match="unknown key 'count'"):
        create_scorer("tokens", None, {"count": "all"})
