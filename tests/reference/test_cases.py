"""The runner of reference cases can fail, and our own file has a case of every kind."""

import math
import runpy
from pathlib import Path
from typing import Any

import pytest

CASES = runpy.run_path(str(Path(__file__).with_name("cases.py")))
REFERENCE = runpy.run_path(str(Path(__file__).with_name("test_reference.py")))
OWN: list[dict[str, Any]] = CASES["load"](REFERENCE["OWN"])


def case(**changes: Any) -> dict[str, Any]:
    known = {"id": "x", "topic": "ppi", "inputs": {"n": 102}, "expected": {"min_corr": 0.1}}
    return known | {"tolerance": 1e-9, "tolerance_kind": "abs", "source": "closed form"} | changes


def missed(one: dict[str, Any], got: dict[str, Any]) -> list[str]:
    return list(CASES["differences"](one, got))


def test_every_kind_has_a_case_of_our_own() -> None:
    kinds = CASES["kinds"]()
    used = {CASES["answers"](one, kinds)[0].__name__ for one in OWN}
    assert {kind.__name__ for some in kinds.values() for kind in some} - used == set()


def test_our_own_cases_have_distinct_names_and_say_where_they_come_from() -> None:
    assert len({one["id"] for one in OWN}) == len(OWN)
    assert [one["id"] for one in OWN if not one["source"]] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"topic": "astrology"},
        {"inputs": {"n": 102, "moon": 1}},
        {"inputs": {}},
        {"expected": {"min_corr": 0.1, "luck": 7}},
        {
            "topic": "audit_size",
            "inputs": {"p_unacceptable": 0.8, "p_good": 0.9, "alpha": 0.05, "beta": 0.2, "rule": "?"},
        },
        {"topic": "group_sequential", "inputs": {"information": [1], "alpha": 0.05, "sided": 2, "spending": "linear"}},
        {"topic": "group_sequential", "inputs": {"information": [1], "alpha": 0.05, "note": "as usual"}},
    ],
)
def test_what_nobody_computes_is_unmapped(changes: dict[str, Any]) -> None:
    with pytest.raises(LookupError, match="case 'x' maps to no function"):
        CASES["answers"](case(**changes), CASES["kinds"]())


def test_a_note_is_for_readers() -> None:
    assert CASES["answers"](case(inputs={"n": 102, "note": "hello"}), CASES["kinds"]())[1] == {"min_corr": 0.1}


@pytest.mark.parametrize(
    ("expected", "got", "right"),
    [
        (0.1, 0.1 + 9e-10, True),
        (0.1, 0.1 + 2e-9, False),
        (0.1, None, False),
        (0.1, math.nan, False),
        ([1, 2], (1.0, 2.0), True),
        ([1, 2], (1.0,), False),
        ([1, 2], (1.0, 3.0), False),
        ("undefined (nan)", math.nan, True),
        ("undefined (nan)", 0.0, False),
        (None, math.nan, True),
        (True, True, True),
        (True, False, False),
    ],
)
def test_figures_are_compared(expected: Any, got: Any, right: bool) -> None:
    assert (missed(case(expected={"a": expected}), {"a": got}) == []) is right


def test_a_relative_tolerance_is_a_share_of_what_is_expected() -> None:
    one = case(expected={"a": 1000.0}, tolerance=1e-3, tolerance_kind="rel")
    assert missed(one, {"a": 1000.9}) == []
    assert len(missed(one, {"a": 1001.1})) == 1
    with pytest.raises(ValueError, match="tolerance kind"):
        missed(case(tolerance_kind="percent"), {"min_corr": 0.1})


def test_a_published_figure_is_right_to_its_last_digit() -> None:
    assert missed(case(expected={"published_c": 2.087}), {"published_c": 2.08652}) == []
    assert len(missed(case(expected={"published_c": 2.087}), {"published_c": 2.0864})) == 1
    assert missed(case(expected={"published": 168}), {"published": 167.68}) == []


@pytest.mark.parametrize(
    ("topic", "topics", "runs"),
    [
        ("ppi", "", True),
        ("thompson", "", False),
        ("a new topic", "", True),
        ("thompson", "all", True),
        ("thompson", "ppi, thompson", True),
        ("drift", "ppi, thompson", False),
    ],
)
def test_topics_of_later_work_run_when_asked_for(topic: str, topics: str, runs: bool) -> None:
    assert REFERENCE["asked_for"](topic, topics) is runs
