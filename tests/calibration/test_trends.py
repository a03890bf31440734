"""Windows of a judge's figures: coverage, raw and corrected, alarms, and what a change of judge did."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from calibration.correction import Labelled, corrected_pass_rate
from calibration.judged import COLUMNS, Judged, gather_judged
from calibration.trends import WINDOWS, People, Point, alert, bridge_of, points_of
from judgefleet.score import SCORE_SCHEMA
from judgefleet.statistics import Estimate

START = datetime(2026, 3, 2, tzinfo=UTC)


def frame(values: list[float | None], *, day: int = 0, prefix: str = "t", **more: Any) -> pd.DataFrame:
    """One row a value; None is a failure."""
    n = len(values)
    made = pd.DataFrame(
        {
            "trace_id": [f"{prefix}{day}-{i}" for i in range(n)],
            "conversation_id": pd.Series([None] * n, dtype=object),
            "trace_started_at": pd.Timestamp(START + timedelta(days=day, hours=3)),
            "scored_at": pd.Timestamp(START + timedelta(days=day, hours=4)),
            "scorer": "quality",
            "axis": "accuracy",
            "fingerprint": "f",
            "inclusion_probability": 1.0,
            "status": ["ok" if v is not None else "timeout" for v in values],
            "value": pd.Series(values, dtype=float),
        }
    )
    return made.assign(**more)


def judged(*frames: pd.DataFrame) -> Judged:
    """Rows of one judge and axis."""
    schema = pa.schema([SCORE_SCHEMA.field(name) for name in COLUMNS])
    [found] = gather_judged([pa.Table.from_pandas(pd.concat(frames), schema, preserve_index=False)])
    return found


def rows(values: list[float | None], **more: Any) -> Judged:
    return judged(frame(values, **more))


def test_a_window_has_its_coverage_and_the_hajek_mean_of_what_was_scored() -> None:
    [point] = points_of(rows([1.0, 2.0, 3.0, None], inclusion_probability=[1.0, 0.5, 0.5, 1.0]), window=WINDOWS["day"])
    assert (point.rows, point.ok, point.coverage) == (4, 3, 0.75)
    assert point.raw.value == pytest.approx((1 + 2 * 2 + 3 * 2) / 5)
    assert (point.start, point.end) == (START, START + timedelta(days=1))
    assert point.change is None


def test_a_window_without_a_row_is_left_out_and_weeks_begin_on_monday() -> None:
    both = judged(frame([1.0, 2.0], day=1), frame([1.0, 2.0], day=15))
    found = points_of(both, window=WINDOWS["week"])
    assert [p.start for p in found] == [START, START + timedelta(days=14)]


def test_a_real_drop_is_an_alarm_and_noise_over_a_year_of_windows_is_none() -> None:
    rng = np.random.default_rng(5)
    calm = [frame(rng.normal(3, 1, 80).tolist(), day=d) for d in range(52)]
    steady = points_of(judged(*calm), window=WINDOWS["day"])
    assert not any(p.alarm for p in steady)
    dropped = points_of(judged(*calm[:5], frame(rng.normal(2, 1, 80).tolist(), day=5)), window=WINDOWS["day"])
    assert [p.alarm for p in dropped] == [False] * 5 + [True]


def test_the_corrected_rate_is_of_people_where_the_judge_is_biased() -> None:
    """The judge passes everything that people pass, and half of what they fail: 0.6 looks like 0.8."""
    rng = np.random.default_rng(3)
    human = rng.random(2000) < 0.6
    judge = human | (rng.random(2000) < 0.5)
    scored = rows([5.0 if j else 1.0 for j in judge])
    labelled = range(0, 2000, 10)
    people = People(human={f"t0-{i}": bool(human[i]) for i in labelled}, weights={}, cut=3.0)
    [point] = points_of(scored, window=WINDOWS["day"], people=people)
    assert point.raw.value == pytest.approx(0.8, abs=0.03)
    assert point.corrected is not None
    assert point.corrected.value == pytest.approx(0.6, abs=0.05)
    assert "post-stratified" in point.corrected.method
    assert point.corrected.low is not None
    assert point.corrected.high is not None
    assert point.corrected.high - point.corrected.low < 0.14


def test_the_corrected_mean_is_of_people_where_the_judge_is_biased() -> None:
    """The judge gives half a grade too much and shows half of each difference; people's mean is 3."""
    rng = np.random.default_rng(4)
    human = rng.integers(1, 6, 2000).astype(float)
    scored = rows((2.0 + 0.5 * human + rng.normal(0, 0.2, 2000)).tolist())
    numbers = {f"t0-{i}": float(human[i]) for i in range(0, 2000, 10)}
    people = People(human=numbers, weights={}, cut=None, scale=(1.0, 5.0))
    [point] = points_of(scored, window=WINDOWS["day"], people=people)
    assert point.raw.value == pytest.approx(3.5, abs=0.05)
    assert "Hajek mean" in point.raw.method
    assert point.corrected is not None
    assert point.corrected.value == pytest.approx(human.mean(), abs=0.1)
    assert "post-stratified by grade" in point.corrected.method


def test_a_window_without_labels_is_corrected_by_those_of_the_others() -> None:
    rng = np.random.default_rng(6)
    human = rng.integers(1, 6, 400).astype(float)
    before = frame((2.0 + 0.5 * human + rng.normal(0, 0.2, 400)).tolist())
    after = frame((2.0 + 0.5 * np.repeat(2.0, 100) + rng.normal(0, 0.2, 100)).tolist(), day=1)
    people = People(human={f"t0-{i}": float(human[i]) for i in range(100)}, weights={}, cut=None, scale=(1.0, 5.0))
    first, second = points_of(judged(before, after), window=WINDOWS["day"], people=people)
    assert second.corrected is not None
    assert second.corrected.value == pytest.approx(2.0, abs=0.15)
    assert "inverse regression" in second.corrected.method
    assert first.raw.value is not None
    assert second.raw.value is not None
    assert second.change is not None
    assert second.change.value == pytest.approx(second.raw.value - first.raw.value)


def labels(human: list[int], judge: list[int]) -> Labelled:
    n = len(human)
    return Labelled(human=np.array(human, bool), judge=np.array(judge, bool), weights=np.ones(n), clusters=np.arange(n))


def test_with_few_labels_in_the_window_the_audits_error_rates_are_used_and_the_method_says_so() -> None:
    audit = labels([1] * 50 + [0] * 50, [1] * 45 + [0] * 5 + [1] * 10 + [0] * 40)
    judged = np.array([True] * 65 + [False] * 35)
    found = corrected_pass_rate(judged, np.ones(100), np.arange(100), labels([1], [1]), audit)
    assert found.value == pytest.approx((0.65 + 0.8 - 1) / (0.9 + 0.8 - 1))
    assert "Rogan-Gladen" in found.method


def test_a_judge_that_says_nothing_about_people_is_left_out_of_the_estimate() -> None:
    here = labels([1, 0] * 20, [1, 1, 0, 0] * 10)
    found = corrected_pass_rate(np.array([True] * 90 + [False] * 10), np.ones(100), np.arange(100), here, here)
    assert found.value == 0.5
    assert "labels alone" in found.method


def test_without_labels_of_both_classes_there_is_no_correction_and_no_number() -> None:
    found = corrected_pass_rate(
        np.array([True] * 10), np.ones(10), np.arange(10), labels([], []), labels([1, 1], [1, 1])
    )
    assert found.value is None


def test_a_bridge_says_how_much_of_a_jump_is_the_judges() -> None:
    old = rows([3.0, 4.0, 2.0, 3.0, 4.0])
    new = rows([2.5, 3.6, 1.4, 2.4, 3.5], fingerprint="g")
    bridge = bridge_of(old, new)
    assert bridge.difference.value == pytest.approx(-0.52)
    assert bridge.difference.high is not None
    assert bridge.difference.high < 0
    apart = bridge_of(old, rows([2.0], prefix="u"))
    assert apart.difference.value is None


def test_an_alert_needs_windows_in_a_row_that_lie_below_for_certain() -> None:
    def point(high: float | None) -> Point:
        raw = Estimate(value=0.5, low=0.4, high=high, n=9, n_clusters=9, method="m")
        return Point(start=START, end=START, rows=9, ok=9, raw=raw, corrected=None, change=None, alarm=False)

    assert alert([point(0.9), point(0.6), point(0.6)], 0.7, 2)
    assert not alert([point(0.6), point(0.9), point(0.6)], 0.7, 2)
    assert not alert([point(0.6)], 0.7, 2)
    assert not alert([point(None), point(0.6)], 0.7, 2)


def test_rows_without_a_time_are_in_no_window() -> None:
    assert points_of(rows([1.0, 2.0], trace_started_at=pd.NaT), window=WINDOWS["day"]) == []


def test_a_first_window_where_everything_passed_does_not_make_every_later_one_an_alarm() -> None:
    """Welch's interval has no width on the side that does not vary; exact ones do."""
    rng = np.random.default_rng(11)
    alarms = 0
    for _ in range(60):
        first = frame((rng.random(20) < 0.95).astype(float).tolist(), day=0)
        later = frame((rng.random(200) < 0.95).astype(float).tolist(), day=1)
        everybody = People(human={}, weights={}, cut=0.5)
        *_, point = points_of(judged(first, later), window=WINDOWS["day"], people=everybody)
        alarms += point.alarm
    assert alarms == 0


def test_labels_of_one_conversation_count_together() -> None:
    """Forty conversations of five alike: the interval is about as wide as that of forty labels, not of two hundred."""
    rng = np.random.default_rng(12)
    own = rng.random(40) < 0.7
    human = np.repeat(own, 5)
    judge = np.where(rng.random(200) < 0.9, human, ~human)
    alike = Labelled(human=human, judge=judge, weights=np.ones(200), clusters=np.repeat(np.arange(40), 5))
    apart = Labelled(human=human, judge=judge, weights=np.ones(200), clusters=np.arange(200))
    wide, narrow = (corrected_pass_rate(judge, np.ones(200), np.arange(200), part, part) for part in (alike, apart))
    assert wide.high is not None
    assert wide.low is not None
    assert narrow.high is not None
    assert narrow.low is not None
    assert wide.high - wide.low > 1.3 * (narrow.high - narrow.low)
