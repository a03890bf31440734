"""Every case of a reference file against our functions: one test a case, named ``topic-id``.

The file is ``tests/data/statistics.json``; JUDGEFLEET_REFERENCE names another of the same schema. Its cases have a
topic, inputs, expected figures, a tolerance (absolute or relative) and a source. A case that maps to no function fails.

The topics of ``LATER`` come with functions that are not written yet, so their cases are left out. To ask for them set
JUDGEFLEET_REFERENCE_TOPICS to ``all``, or to the topics to run, separated by commas; they then fail as unmapped.

    JUDGEFLEET_REFERENCE=other.json JUDGEFLEET_REFERENCE_TOPICS=agreement,thompson python -m pytest tests/reference
"""

import os
import runpy
from pathlib import Path
from typing import Any

import pytest

CASES = runpy.run_path(str(Path(__file__).with_name("cases.py")))
OWN = Path(__file__).parents[1] / "data" / "statistics.json"
KINDS = CASES["kinds"]()
LATER = frozenset({"sample_size", "pairwise", "srm", "thompson", "simpson", "interleaving", "ratio_metrics", "novelty"})


def asked_for(topic: str, topics: str) -> bool:
    """Whether a case of the topic runs, by what JUDGEFLEET_REFERENCE_TOPICS says."""
    named = {name.strip() for name in topics.split(",")} - {""}
    return topic not in LATER if not named else bool({"all", topic} & named)


def parameters() -> list[Any]:
    path = Path(os.environ.get("JUDGEFLEET_REFERENCE") or OWN)
    topics = os.environ.get("JUDGEFLEET_REFERENCE_TOPICS", "")
    chosen = [case for case in CASES["load"](path) if asked_for(case["topic"], topics)]
    return [pytest.param(case, id=f"{case['topic']}-{case['id']}") for case in chosen]


@pytest.mark.parametrize("case", parameters())
def test_case(case: dict[str, Any]) -> None:
    try:
        got = CASES["answers"](case, KINDS)[1]
    except LookupError as error:
        unmapped = str(error.args[0])
    else:
        missed = list(CASES["differences"](case, got))
        assert missed == [], f"source: {case['source']}"
        return
    pytest.fail(unmapped, pytrace=False)
