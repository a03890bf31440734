from typing import Any

import pytest

from judgefleet.errors import ConfigError
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
        ("\u3164\u115f\u1160\uffa0", "fail", "4 invisible characters"),
        ("\u2800", "fail", "invisible"),
        ("\ufe0f\u034f\U000e0100", "fail", "3 invisible characters"),
        ("\u17b4\u17b5\u180e", "fail", "3 invisible characters"),
        ("\u2801", "pass", "1 characters"),
        ("#\ufe0f", "pass", "2 characters"),
        (".", "pass", "the output has 1 characters"),
        ("\x00a", "pass", "2 characters"),
        ("👩‍👧", "pass", "3 characters"),
        ("שלום", "pass", "4 characters"),
        ("<script></script>", "pass", "17 characters"),
        (" \n" * 1000 + "x", "pass", "2001 characters"),
        ("0", "pass", "1 characters"),
        ("null", "pass", "4 characters"),
        ("\u0301", "pass", "1 characters"),
        ("\u00ad\u2060", "fail", "2 invisible characters"),
        ("\u2028\u2029", "fail", "2 invisible characters"),
        ("\u200b退\u200b", "pass", "3 characters"),
        ("\ud800x", "pass", "2 characters"),
        (" " * 2_000_000, "fail", "2000000 invisible characters"),
        ("\x1b[0m", "pass", "4 characters"),
    ],
)
def test_cases(run: Any, output: str | None, label: str, reason: str) -> None:
    outcome = run("not_empty", output)
    assert (outcome.label, outcome.value) == (label, float(label == "pass"))
    assert reason in outcome.reason


@pytest.mark.parametrize("options", [{"strict": True}, {"min": 1}])
def test_bad_options(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="unknown key"):
        create_scorer("not_empty", None, options)


def test_it_is_never_not_applicable() -> None:
    sample = Sample(trace=Trace(trace_id="t"), stratum="all", inclusion_probability=1.0, plan_hash="p")
    assert missing_need(create_scorer("not_empty").info, sample) is None
    assert missing_need(create_scorer("regex", None, {"pattern": "a"}).info, sample) is not None
