"""A window's mean by people's standard: two estimators against figures worked out by hand, and when neither is used."""

from typing import Any

import numpy as np
import pytest

from calibration.correction import Labelled
from calibration.mean_correction import by_line, by_strata, corrected_mean

SCALE = (1.0, 5.0)


def labels(human: Any, judge: Any, clusters: Any = None, weights: Any = None) -> Labelled:
    n = len(human)
    return Labelled(
        human=np.array(human, float),
        judge=np.array(judge, float),
        weights=np.ones(n) if weights is None else np.array(weights, float),
        clusters=np.arange(n) if clusters is None else np.array(clusters),
    )


def window(grades: list[float], here: Labelled, elsewhere: Labelled | None = None) -> Any:
    n = len(grades)
    judged = np.array(grades, float)
    return corrected_mean(judged, np.ones(n), np.arange(n), here, here if elsewhere is None else elsewhere, SCALE)


# Ten labels of mean 1.5 where the judge says 1, ten of mean 4 where it says 2.
TWO = labels([1, 2] * 5 + [3, 5] * 5, [1] * 10 + [2] * 10)


def test_strata_of_the_grade_take_the_mean_label_of_each_by_its_share_of_the_window() -> None:
    """Variance of the labels (10 (0.3 / 10 * 0.5)^2 + 10 (0.7 / 10)^2) (10 / 9)^2 * 20 / 19 = 0.0666017, of the shares
    0.3 * 0.7 * 2.5^2 / 99 = 0.0132576; t with 18 degrees of freedom is 2.100922."""
    found = window([1.0] * 30 + [2.0] * 70, TWO)
    assert found.value == pytest.approx(0.3 * 1.5 + 0.7 * 4)
    assert (found.low, found.high) == pytest.approx((3.25 - 0.593708, 3.25 + 0.593708), abs=1e-5)
    assert found.method == "post-stratified by grade, 2 strata of 10, 10 labels, t with 18 degrees of freedom"


def test_weights_of_labels_and_of_traces_are_both_used() -> None:
    """The labels of 1 weigh three times those of 2 in the first stratum, and the traces graded 1 twice the others."""
    here = labels(TWO.human, TWO.judge, weights=[3, 1] * 5 + [1] * 10)
    found = by_strata(np.array([1.0, 2.0]), np.array([2.0, 1.0]), np.arange(2), here)
    assert found.value == pytest.approx(2 / 3 * (3 * 1 + 2) / 4 + 1 / 3 * 4)


def test_the_labels_of_a_conversation_count_together() -> None:
    """Each label five times over is as much as it was once, and the interval stays as wide."""
    five = labels(np.repeat(TWO.human, 5), np.repeat(TWO.judge, 5), clusters=np.repeat(np.arange(20), 5))
    once, alike = (window([1.0] * 30 + [2.0] * 70, here) for here in (TWO, five))
    assert alike.value == pytest.approx(once.value)
    assert (alike.low, alike.high) == pytest.approx((once.low, once.high))


def test_strata_hold_ten_labels_or_more_and_equal_grades_stay_together() -> None:
    rng = np.random.default_rng(1)
    human = rng.integers(1, 6, 200).astype(float)
    found = window([3.0] * 50, labels(human, human + rng.normal(0, 0.2, 200)))
    assert "5 strata of 40, 40, 40, 40, 40 labels" in found.method
    grades = np.repeat([1.0, 2.0, 3.0], [95, 5, 100])
    tied = window([3.0] * 50, labels(grades + rng.normal(0, 0.5, 200), grades))
    assert "2 strata of 95, 105 labels" in tied.method


def test_a_judge_that_says_nothing_about_people_leaves_the_labels_alone() -> None:
    here = labels([1, 5] * 10, [1, 1, 2, 2] * 5)
    found = window([1.0] * 10 + [2.0] * 90, here)
    assert found.value == 3
    assert found.method.startswith("labels alone, the judge tells nothing about them; Hajek mean")


# People say 1 or 3; the judge gives 2 and 3 on average, half a grade to either side.
LINE = labels([1] * 30 + [3] * 30, [1.5, 2.5] * 15 + [2.5, 3.5] * 15)
FEW = labels([1.0], [2.0])


def test_with_few_labels_here_the_judges_line_over_the_audit_is_read_backwards() -> None:
    """Slope 0.5 through (2, 2.5): a mean grade of 2.9 means 2.8. Fieller: both variances are 60 / 58 * 0.25 / 60 times
    (30 / 29)^2 and do not go together, t^2 is 4.006872: (0.25 - 0.018483) d^2 - 0.4 d + 0.16 - 0.018483 <= 0."""
    found = window([2.9] * 100, FEW, LINE)
    assert found.value == pytest.approx(2.8)
    assert (found.low, found.high) == pytest.approx((2.49644, 3.23130), abs=1e-4)
    assert "slope 0.50 over 60 labels" in found.method


def test_the_line_follows_a_judge_that_shows_half_of_a_change() -> None:
    low, high = (by_line(np.full(50, grade), np.ones(50), np.arange(50), LINE) for grade in (2.0, 3.0))
    assert low.value is not None
    assert high.value is not None
    assert high.value - low.value == pytest.approx(2.0)


def test_nothing_leaves_the_scale() -> None:
    found = window([3.95] * 100, FEW, LINE)
    assert (found.value, found.high) == (pytest.approx(4.9), 5.0)


def test_too_few_labels_give_no_number_and_say_how_many_are_needed() -> None:
    found = window([2.9] * 100, FEW, labels(LINE.human[10:50], LINE.judge[10:50]))
    assert (found.value, found.low) == (None, None)
    assert found.method == ("not corrected; labels from 1 conversations here and 40 in the audit, 20 or 50 are needed")


def test_labels_of_few_conversations_are_few() -> None:
    here = labels(TWO.human, TWO.judge, clusters=np.arange(20) // 2)
    assert window([1.0, 2.0], here).value is None


def test_a_judge_whose_grades_hardly_follow_people_has_no_line_to_read() -> None:
    rng = np.random.default_rng(2)
    audit = labels(rng.integers(1, 6, 60), rng.uniform(1, 5, 60))
    found = window([3.0] * 100, FEW, audit)
    assert found.value is None
    assert "grades hardly follow labels" in found.method
    backwards = window([3.0] * 100, FEW, labels(LINE.human, -LINE.judge))
    assert backwards.value is None


def test_labels_that_do_not_vary_have_no_interval_and_no_line() -> None:
    alike = labels([4.0] * 10 + [2.0] * 10, [5.0] * 10 + [1.0] * 10)
    found = window([5.0] * 3 + [1.0], alike)
    assert found.value == 3.5
    assert not found.has_interval
    assert window([3.0] * 9, FEW, labels([3.0] * 60, [1.0, 2.0] * 30)).value is None


def test_a_window_without_a_grade_has_no_mean() -> None:
    assert window([], TWO).value is None
