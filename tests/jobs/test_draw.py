"""Floors and caps: what is promised of every window, the same everywhere, with the chance that was really had."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from scipy.stats import binom

from jobs import database
from jobs.config import BatchConfig
from jobs.intake import INTAKE_SCHEMA, Intake
from jobs.plan import Plan, make_plan
from judgefleet.errors import ConfigError
from judgefleet.hashing import unit_interval
from judgefleet.inclusion import floored_probability
from judgefleet.sampling import SamplingPlan
from judgefleet.storage import open_location
from judgefleet.trace import Message, Trace

MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)


def traces(count: int = 402) -> list[Trace]:
    """Over four days, the first busier; conversations of three turns, half an hour apart, some across midnight."""
    return [
        Trace(
            trace_id=f"t{n}",
            conversation_id=f"c{n // 3}",
            started_at=MIDNIGHT + timedelta(minutes=30 * (n % 3)) + timedelta(hours=(n // 3) ** 2 / 190),
            variant="AB"[n // 3 % 2],
            messages=(Message(role="user", content=f"Question {n}?"),),
            output=f"Answer {n}.",
        )
        for n in range(count)
    ]


def draw(folder: Path, sampling: dict[str, Any], given: list[Trace], *, weigh: bool = True) -> tuple[Plan, pa.Table]:
    """The plan, and the chunks that it wrote."""
    config = BatchConfig.model_validate(
        {"name": "t", "store": "s", "input": {"uri": "i"}, "sampling": sampling, "scorers": [{"use": "not_empty"}]}
    )
    intake = Intake(config=config, group_by=None, weigh=weigh)
    rows = [intake._decided(trace, {}) | {"place": f"{n:06d}"} for n, trace in enumerate(given)]
    staged = ds.dataset(pa.Table.from_pylist(rows, schema=INTAKE_SCHEMA))
    store = open_location(folder / "store")
    made = make_plan(staged, store, "run", 1000, config.sampling if intake.weigh else None)
    tables = [pq.read_table(folder / "store" / chunk.path, partitioning=None) for chunk in made.chunks]
    return made, pa.concat_tables(tables) if tables else pa.table({"trace_id": [], "inclusion_probability": []})


def drawn(folder: Path, sampling: dict[str, Any], given: list[Trace], *, weigh: bool = True) -> dict[str, float]:
    """The probability of each sample."""
    _, table = draw(folder, sampling, given, weigh=weigh)
    return dict(zip(table["trace_id"].to_pylist(), table["inclusion_probability"].to_pylist(), strict=True))


def began(given: list[Trace]) -> dict[str | None, datetime]:
    first: dict[str | None, datetime] = {}
    for trace in given:
        assert trace.started_at is not None
        first[trace.conversation_id] = min(first.get(trace.conversation_id, trace.started_at), trace.started_at)
    return first


STRATA = [{"name": "b", "where": {"variant": "B"}, "rate": 0.5}]
FLOOR = {"salt": "x", "default_rate": 0.02, "default_floor": {"traces": 4, "per": "day"}}


def test_a_plan_that_needs_no_whole_input_draws_the_same_from_one(tmp_path: Path) -> None:
    plan = {"salt": "x", "strata": STRATA, "default_rate": 0.2}
    found = drawn(tmp_path, plan, traces())
    assert found == drawn(tmp_path, plan, traces(), weigh=False)
    assert 100 < len(found) < 200


@pytest.mark.parametrize("rows", [1, 10_000])
def test_every_window_has_its_floor_and_a_small_one_is_drawn_whole(
    tmp_path: Path, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_ROWS", rows)
    given = traces()
    first, found = began(given), drawn(tmp_path, FLOOR, given)
    units: dict[str, set[str | None]] = defaultdict(set)
    taken: dict[str, set[str | None]] = defaultdict(set)
    for trace in given:
        day = f"{first[trace.conversation_id]:%F}"
        units[day].add(trace.conversation_id)
        if trace.trace_id in found:
            taken[day].add(trace.conversation_id)
    assert len(units) == 4
    assert all(len(taken[day]) >= min(4, len(units[day])) for day in units)
    for trace in given:
        if trace.trace_id in found:
            expected = float(floored_probability(len(units[f"{first[trace.conversation_id]:%F}"]), 0.02, 4))
            assert found[trace.trace_id] == pytest.approx(expected, rel=1e-12)


def test_the_lowest_hashes_of_a_window_are_its_floor(tmp_path: Path) -> None:
    """Told by hand, without DuckDB."""
    given = [trace for trace in traces() if trace.variant == "A"]
    plan = {"salt": "x", "default_rate": 0.0, "default_floor": {"traces": 3, "per": "hour"}}
    first, by_hour = began(given), defaultdict(set)
    for trace in given:
        by_hour[f"{first[trace.conversation_id]:%F %H}"].add(trace.conversation_id)
    lowest = {c for cs in by_hour.values() for c in sorted(cs, key=lambda c: unit_interval(str(c), "x"))[:3]}
    assert set(drawn(tmp_path, plan, given)) == {t.trace_id for t in given if t.conversation_id in lowest}


@pytest.mark.parametrize("rows", [1, 10_000])
def test_a_conversation_across_midnight_is_in_or_out_as_one(
    tmp_path: Path, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_ROWS", rows)
    given, found = traces(), drawn(tmp_path, FLOOR, traces())
    across = {c for c, start in began(given).items() if start.hour == 23}
    assert across
    for conversation in {trace.conversation_id for trace in given}:
        assert len({t.trace_id in found for t in given if t.conversation_id == conversation}) == 1


def test_order_reruns_and_copies_change_nothing(tmp_path: Path) -> None:
    found = drawn(tmp_path, FLOOR, traces())
    assert drawn(tmp_path, FLOOR, traces()[::-1]) == found
    assert drawn(tmp_path, FLOOR, traces() + traces()[:50]) == found


def test_a_floor_of_a_stratum_is_its_own(tmp_path: Path) -> None:
    strata = [{"name": "b", "where": {"variant": "B"}, "rate": 0, "floor": {"traces": 2, "per": "week"}}]
    made, table = draw(tmp_path, {"strata": strata, "default_rate": 0}, traces())
    assert set(table["variant"].to_pylist()) == {"B"}
    assert [(cell.stratum, cell.floor, cell.window, cell.sampled) for cell in made.cells] == [
        ("b", 2, "2026-11-16T00:00Z", 6),
        ("b", 2, "2026-11-23T00:00Z", 6),
        ("default", 0, None, 0),
    ]


def test_a_cap_lowers_all_rates_and_says_so(tmp_path: Path) -> None:
    plan = {"salt": "x", "unit": "trace", "strata": STRATA, "default_rate": 0.25, "cap": {"max_traces": 60}}
    made, table = draw(tmp_path, plan, traces())
    assert 0.2 < made.factor < 0.6
    assert 30 <= table.num_rows == made.counts["sampled"] <= 60
    probabilities = set(zip(table["variant"].to_pylist(), table["inclusion_probability"].to_pylist(), strict=True))
    assert probabilities == {("A", 0.25 * made.factor), ("B", 0.5 * made.factor)}
    wide, _ = draw(tmp_path, plan | {"cap": {"max_traces": 402}}, traces())
    assert wide.factor == 1.0


def test_what_a_cap_draws_is_drawn_without_it_too(tmp_path: Path) -> None:
    plan = {"salt": "x", "default_rate": 0.5}
    assert set(drawn(tmp_path, plan | {"cap": {"max_tokens": 500}}, traces())) < set(drawn(tmp_path, plan, traces()))


def test_a_cap_keeps_floors(tmp_path: Path) -> None:
    made, _ = draw(tmp_path, FLOOR | {"default_rate": 0.9, "cap": {"max_traces": 150}}, traces())
    assert made.factor < 1
    assert all(cell.sampled >= min(cell.units, 4) for cell in made.cells)


@pytest.mark.parametrize(("conversations", "turns"), [(100, 2), (100, 4), (200, 8)])
def test_conversations_that_lie_in_several_strata_do_not_break_a_cap(
    tmp_path: Path, conversations: int, turns: int
) -> None:
    """All their turns come in by one hash, so what is drawn varies more than traces by themselves would."""
    given = [
        Trace(trace_id=f"{c}-{t}", conversation_id=f"c{c}", variant=f"v{t}", started_at=MIDNIGHT, output="x")
        for c in range(conversations)
        for t in range(turns)
    ]
    strata = [{"name": f"s{t}", "where": {"variant": f"v{t}"}, "rate": 0.9} for t in range(turns)]
    most = conversations * turns // 2
    made, table = draw(tmp_path, {"strata": strata, "cap": {"max_traces": most}}, given)
    assert table.num_rows <= most
    assert binom.sf(most // turns, conversations, 0.9 * made.factor) < 0.003
    assert 0.9 * made.factor > 0.3


@pytest.mark.parametrize("most", [5, 8])
def test_floors_that_fit_under_a_cap(tmp_path: Path, most: int) -> None:
    given = [Trace(trace_id=f"t{n}", started_at=MIDNIGHT, output="x") for n in range(100)]
    floor = {"default_floor": {"traces": 5, "per": "week"}}
    made, table = draw(tmp_path, floor | {"default_rate": 0.0, "cap": {"max_traces": most}}, given)
    assert (made.factor, table.num_rows) == (1.0, 5)
    assert set(table["inclusion_probability"].to_pylist()) == {0.05}
    with pytest.raises(ConfigError, match="the floors alone take up to 5"):
        draw(tmp_path, floor | {"default_rate": 0.0, "cap": {"max_traces": 4}}, given)


@pytest.mark.parametrize(
    ("sampling", "said"),
    [
        (FLOOR | {"cap": {"max_traces": 10}}, "sampling.cap.max_traces: found 10; the floors alone take up to"),
        ({"unit": "trace", "default_rate": 1e-3, "cap": {"max_tokens": 1}}, "less than a millionth of the"),
    ],
)
def test_a_cap_that_cannot_hold(tmp_path: Path, sampling: dict[str, Any], said: str) -> None:
    many = [trace for n in range(8) for trace in copies(n)] if "unit" in sampling else traces()
    with pytest.raises(ConfigError, match=said):
        draw(tmp_path, sampling, many)


def copies(n: int) -> Iterator[Trace]:
    yield from (Trace(trace_id=f"{n}-{m}", output="word " * 1_000_000) for m in range(2))


def test_every_trace_is_counted_under_what_became_of_it(tmp_path: Path) -> None:
    given = [*traces(), *traces()[:7], Trace(trace_id="broken", started_at=MIDNIGHT, variant="A")]
    filters = {"exclude": [{"variant": "B"}], "until": "2026-11-22T00:00:00Z", "require": ["output"]}
    made, _ = draw(tmp_path, FLOOR | {"filters": filters}, given)
    assert sum(made.counts.values()) == len(given)
    assert set(made.counts) == {"sampled", "not_sampled", "filtered", "incomplete", "duplicate"}
    assert made.counts["incomplete"] == 1
    assert sum(cell.traces for cell in made.cells) == made.counts["sampled"] + made.counts["not_sampled"]


def test_a_plan_that_needs_its_whole_input_draws_from_nothing_else() -> None:
    with pytest.raises(ConfigError, match="whole input"):
        list(SamplingPlan.model_validate(FLOOR).draw(traces()))
