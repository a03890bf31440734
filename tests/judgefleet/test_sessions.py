"""The cost of a successful session, by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from judgefleet.errors import ConfigError
from judgefleet.score import SCORE_SCHEMA
from judgefleet.sessions import SessionCost, cost_per_successful_session

START = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
SUCCESS = ("judge", "solved")


def scores(*turns: tuple[str | None, float | None, float | None], **more: Any) -> pa.Table:
    """Rows for turns ``(conversation, cost, verdict)``, a minute apart; None as a value is a failed row."""
    rows = []
    for n, (conversation, cost, verdict) in enumerate(turns):
        for (scorer, axis), value in ((("cost", "cost"), cost), (SUCCESS, verdict)):
            rows.append(
                {
                    "score_id": f"{scorer}{n}",
                    "trace_id": f"t{n}",
                    "conversation_id": conversation,
                    "trace_started_at": START + timedelta(minutes=n),
                    "inclusion_probability": 1.0,
                    "scorer": scorer,
                    "axis": axis,
                    "direction": "lower_is_better" if scorer == "cost" else "higher_is_better",
                    "status": "not_applicable" if value is None else "ok",
                    "value": value,
                }
                | more
            )
    return pa.Table.from_pylist(rows, schema=SCORE_SCHEMA)


def figure(rows: pa.Table, threshold: float = 1.0, **options: Any) -> SessionCost:
    return cost_per_successful_session(rows, success=SUCCESS, threshold=threshold, **options)


def test_by_hand() -> None:
    # a: 0.01 + 0.02, its last turn succeeds; b: 0.05, fails; c: 0.04, succeeds; d: 0.03, its last turn fails.
    rows = scores(("a", 0.01, 0), ("b", 0.05, 0), ("a", 0.02, 1), ("c", 0.04, 1), ("d", 0.01, 1), ("d", 0.02, 0))
    found = figure(rows)
    assert (found.sessions, found.counted, found.successful) == (4, 4, 2)
    assert found.total_cost == pytest.approx(0.15)
    assert found.estimate.value == pytest.approx(0.15 / 2)
    assert (found.coverage, found.without_cost, found.without_verdict) == (1.0, 0, 0)
    assert found.estimate.n_clusters == 4


def test_every_trace_must_succeed_where_the_rule_says_so() -> None:
    rows = scores(("a", 0.01, 0), ("a", 0.02, 1), ("b", 0.04, 1), ("b", 0.05, 1))
    assert figure(rows).estimate.value == pytest.approx(0.12 / 2)
    assert figure(rows, rule="every").estimate.value == pytest.approx(0.12 / 1)


@pytest.mark.parametrize(
    ("threshold", "successful"), [(0.0, 4), (2.0, 3), (3.0, 3), (3.5, 2), (4.0, 2), (5.0, 1), (5.1, 0)]
)
def test_a_value_at_the_threshold_is_a_success(threshold: float, successful: int) -> None:
    rows = scores(("a", 1, 1.0), ("b", 1, 3.0), ("c", 1, 4.0), ("d", 1, 5.0))
    assert figure(rows, threshold).successful == successful


def test_where_lower_is_better_success_is_at_most_the_threshold() -> None:
    rows = scores(("a", 1, 0.0), ("b", 3, 1.0), direction="lower_is_better")
    found = figure(rows, threshold=0.0)
    assert (found.successful, found.estimate.value) == (1, 4.0)


def test_a_trace_without_a_conversation_is_a_session() -> None:
    found = figure(scores((None, 0.1, 1), (None, 0.3, 0), ("t0", 0.2, 1)))
    assert (found.sessions, found.successful) == (3, 2)
    assert found.estimate.value == pytest.approx(0.3)


def test_sessions_without_cost_or_verdict_are_counted_and_left_out() -> None:
    rows = scores(
        ("a", 0.01, 1),
        ("a", 0.02, 1),
        ("b", None, 1),
        ("b", 0.5, 1),
        ("c", 0.7, None),
        ("d", None, None),
        ("e", 0.03, 0),
    )
    found = figure(rows)
    assert (found.sessions, found.counted, found.without_cost, found.without_verdict) == (5, 2, 2, 2)
    assert found.coverage == pytest.approx(0.4)
    assert found.estimate.value == pytest.approx(0.06)


@pytest.mark.parametrize("when", [None, START])
@pytest.mark.parametrize(
    ("verdicts", "rule", "successful", "unknown"),
    [
        ((0, 1), "last", 0, 1),
        ((1, 0), "last", 0, 1),
        ((1, None), "last", 0, 1),
        ((1, 1), "last", 1, 0),
        ((0, 0), "last", 0, 0),
        ((0, 1), "every", 0, 0),
        ((1, 1), "every", 1, 0),
        ((1,), "last", 1, 0),
    ],
)
def test_no_trace_is_the_last_where_times_are_one_or_none(
    when: datetime | None, verdicts: tuple[float | None, ...], rule: str, successful: int, unknown: int
) -> None:
    found = figure(scores(*(("a", 0.1, verdict) for verdict in verdicts), trace_started_at=when), rule=rule)
    assert (found.successful, found.without_verdict) == (successful, unknown)


def test_a_trace_without_a_time_may_be_the_last() -> None:
    timed, timeless = scores(("a", 0.1, 1)), scores(("a", 0.1, 0), trace_id="u", trace_started_at=None)
    assert figure(pa.concat_tables([timed, timeless])).without_verdict == 1
    assert figure(pa.concat_tables([timed, timeless]), threshold=0.0).successful == 1


@pytest.mark.parametrize(
    ("verdicts", "rule", "successful", "unknown"),
    [
        ((None, 1), "last", 1, 0),
        ((1, None), "last", 0, 1),
        ((None, 1), "every", 0, 1),
        ((None, 0), "every", 0, 0),
        ((0, None), "every", 0, 0),
        ((1, 1), "every", 1, 0),
    ],
)
def test_what_a_missing_verdict_leaves_unknown(
    verdicts: tuple[float | None, float | None], rule: str, successful: int, unknown: int
) -> None:
    found = figure(scores(*(("a", 0.1, verdict) for verdict in verdicts)), rule=rule)
    assert (found.successful, found.without_verdict) == (successful, unknown)


def test_a_trace_that_only_one_scorer_has_seen_leaves_its_session_out() -> None:
    rows = scores(("a", 0.1, 1), ("a", 0.2, 1))
    unjudged = rows.filter(pa.compute.not_equal(rows["score_id"], "judge1"))
    unpaid = rows.filter(pa.compute.not_equal(rows["score_id"], "cost0"))
    assert (figure(unjudged).without_verdict, figure(unpaid).without_cost) == (1, 1)


def test_the_last_trace_is_the_latest_not_the_last_row() -> None:
    rows = scores(("a", 0.1, 0), ("a", 0.2, 1))
    assert figure(rows.take([3, 2, 1, 0])).successful == 1


def test_weights_are_inverse_inclusion_probabilities() -> None:
    often, seldom = scores(("a", 1.0, 1)), scores(("b", 5.0, 0), inclusion_probability=0.25, trace_id="u")
    assert figure(pa.concat_tables([often, seldom])).estimate.value == pytest.approx((1 + 4 * 5) / 1)


@pytest.mark.parametrize(
    ("turns", "method", "value"),
    [
        ((), "nothing to divide by", None),
        ((("a", 0.1, 0), ("b", 0.2, 0)), "nothing to divide by", None),
        ((("a", 0.1, None),), "nothing to divide by", None),
        ((("a", 0.1, 1),), "no interval: one unit", 0.1),
        ((("a", 0.1, 1), ("b", 0.1, 1), ("c", 0.1, 1)), "no interval: all equal", 0.1),
        ((("a", 0.1, 1), ("b", 0.2, 0), ("c", 0.3, 0)), "no interval: the bottom may be 0", 0.6),
    ],
)
def test_too_little_data_is_an_answer(turns: Any, method: str, value: float | None) -> None:
    found = figure(scores(*turns)).estimate
    assert method in found.method
    assert found.value == (None if value is None else pytest.approx(value))
    assert not found.has_interval


def test_mistakes_are_named() -> None:
    rows = scores(("a", 0.1, 1), ("a", 0.2, 1))
    with pytest.raises(ConfigError, match="found the rule 'any'; allowed: last, every"):
        figure(rows, rule="any")
    with pytest.raises(ConfigError, match="scorer 'cost' has several rows on axis 'cost' for one trace"):
        figure(pa.concat_tables([rows, rows]))
    with pytest.raises(
        ConfigError, match=r"scorer and axis 'kost/cost'; did you mean 'cost/cost'\? allowed: cost/cost"
    ):
        figure(rows, cost=("kost", "cost"))
    with pytest.raises(ConfigError, match=r"scorer and axis 'judge/solvd'; did you mean 'judge/solved'\?"):
        cost_per_successful_session(rows, success=("judge", "solvd"), threshold=1.0)
    mixed = pa.concat_tables([rows.slice(0, 2), scores(("a", 1, 1), inclusion_probability=0.5, trace_id="u")])
    with pytest.raises(ConfigError, match=r"conversation a.*\[0\.5, 1\.0\].*sample whole conversations"):
        figure(mixed)
