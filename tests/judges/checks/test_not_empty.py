from typing import Any

import pytest

from judgefleet.sample import Sample
from judgefleet.scorer import missing_need
from judgefleet.trace import Trace
from judges.catalogue import create_scorer


@pytest.mark.parametrize(
    ("output", "label", "reason"),
    [
        (None, "fail", "the output is empty"),
        ("", "fail", "the output is empty"),
        (" ", "fail", "the output is 1 invisible characters"),
        ("\n\t\r\n", "fail", "the output is 4 invisible characters"),
        ("\x00\x00", "fail", "invisible"),
        ("\u200b\u200d\ufeff", "fail", "invisible"),
        ("\u202e\u202c", "fail", "invisible"),
        ("\u00a0\u3000", "fail", "invisible"),
        ("\ud800", "fail", "invisible"),
        (".", "pass", "the output has 1 characters"),
        ("\x00a", "pass", "2 characters"),
        ("👩‍👧", "pass", "3 characters"),
        ("שלום", "pass", "4 characters"),
        ("<script></script>", "pass", "17 characters"),
        (" \n" * 1000 + "x", "pass", "2001 characters"),
    ],
)
def test_cases(run: Any, output: str | None, label: str, reason: str) -> None:
    outcome = run("not_empty", output)
    assert (outcome.label, outcome.value) == (label, float(label == "pass"))
    assert reason in outcome.reason


def test_it_is_never_not_applicable() -> None:
    sample = Sample(trace=Trace(trace_id="t"), stratum="all", inclusion_probability=1.0, plan_hash="p")
    assert missing_need(create_scorer("not_empty").info, sample) is None
    assert missing_need(create_scorer("regex", None, {"pattern": "a"}).info, sample) is not None
