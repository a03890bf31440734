"""Which labels of an audit correct a trend: pass and fail, numbers, or none, and then why."""

from pathlib import Path
from typing import Any

import pytest

from calibration.audit import AuditInfo, AuditItem, Label
from calibration.audit_folder import Audit
from calibration.gate import GateDecision, GateState
from calibration.trends import MEAN, PASS_RATE
from jobs.trend_people import people_of
from jobs.trends import Options, trends_of
from judgefleet.errors import ConfigError

GATE = GateDecision(state=GateState.OPEN, fingerprint="f", reason="r", scorer="quality", axis="accuracy")


def audit(folder: Path, *said: Label, **info: Any) -> str:
    """Two items with a trace each, the second drawn with a probability of a quarter."""
    made = Audit(folder)
    made.write_info(AuditInfo(**({"audit_id": "a", "kind": "rating", "scale": (1.0, 5.0)} | info)))
    items = [
        AuditItem(item_id="x", trace_ids=("t1",)),
        AuditItem(item_id="y", trace_ids=("t2",), inclusion_probability=0.25),
    ]
    made.write_items(items)
    made.write_labels("ana", said)
    return str(folder)


def label(item: str, score: float | None = None, word: str | None = None) -> Label:
    return Label(item_id=item, rater="ana", score=score, label=word)


def test_numbers_are_means_with_their_weights_on_peoples_scale(tmp_path: Path) -> None:
    notes: list[str] = []
    found = people_of(audit(tmp_path, label("x", 4.0), label("y", 2.0)), GATE, None, notes)
    assert found is not None
    assert found.human == {"t1": 4.0, "t2": 2.0}
    assert found.weights == {"t1": 1.0, "t2": 4.0}
    assert (found.cut, found.scale, found.measure, notes) == (None, (1.0, 5.0), MEAN, [])


def test_with_a_cut_they_are_pass_and_fail_unless_means_are_asked_for(tmp_path: Path) -> None:
    folder = audit(tmp_path, label("x", 4.0), label("y", 2.0), cut=3.0)
    rates, means = (people_of(folder, GATE, measure, []) for measure in (None, MEAN))
    assert rates is not None
    assert means is not None
    assert (rates.human, rates.measure) == ({"t1": 1.0, "t2": 0.0}, PASS_RATE)
    assert (means.human, means.measure) == ({"t1": 4.0, "t2": 2.0}, MEAN)


@pytest.mark.parametrize(
    ("info", "word", "measure", "why"),
    [
        ({}, "A", None, "has no numbers from people, and no 'cut'"),
        ({"cut": 3.0}, "pass", MEAN, "has no numbers, so"),
        ({}, None, PASS_RATE, "says no 'cut'"),
        ({"scorer": "quality", "axis": "clarity"}, None, None, "is about quality/clarity"),
        ({"kind": "pair", "scale": None}, "A", None, "is about pairs"),
    ],
)
def test_what_corrects_nothing_is_said(
    tmp_path: Path, info: dict[str, Any], word: str | None, measure: str | None, why: str
) -> None:
    notes: list[str] = []
    said = label("x", None, word) if word else label("x", 4.0)
    assert people_of(audit(tmp_path, said, **info), GATE, measure, notes) is None
    assert why in notes[0]
    assert notes[0].startswith("quality/accuracy: the audit 'a' ")


def test_an_audit_that_is_gone_is_said_and_so_is_none(tmp_path: Path) -> None:
    notes: list[str] = []
    assert people_of(str(tmp_path / "gone"), GATE, None, notes) is None
    assert people_of(None, GATE, None, notes) is None
    assert "any more" in notes[0]
    assert "no audit" in notes[1]


def test_an_unknown_measure_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="allowed: mean, pass_rate"):
        trends_of(str(tmp_path), Options(measure="median"))
