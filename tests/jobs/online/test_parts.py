"""Budgets, patience with a fleet, and the feed's own clock."""

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from jobs.online.budget import RateControl
from jobs.online.config import BudgetConfig, OnlineConfig, load_online_config
from jobs.online.feed import Feed
from jobs.online.log import Spent
from jobs.online.seen import Seen
from jobs.online.settle import EngineUnwellError, Patience, settle
from jobs.online.waiting import Waiting
from judgefleet.errors import ConfigError, RunError
from judgefleet.sample import Sample
from judgefleet.sampling import SamplingPlan
from judgefleet.score import SCORE_SCHEMA
from judgefleet.trace import Trace

PATIENCE = Patience(tries=2, failed_share=0.1)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def sample(name: str, group: str = "") -> Sample:
    trace = Trace(trace_id=name, conversation_id=group or name)
    return Sample(trace=trace, stratum="all", inclusion_probability=1.0, plan_hash="p")


def rows(samples: Sequence[Sample], status: str = "ok") -> pa.Table:
    found = [
        {"score_id": s.trace.trace_id, "trace_id": s.trace.trace_id, "scorer": "j", "axis": "a", "scorer_kind": "LLM"}
        | {"status": status, "reason": "no engine"}
        for s in samples
    ]
    return pa.Table.from_pylist(found, schema=SCORE_SCHEMA)


class Fragile:
    """Dies of the traces in ``kills``; gives no judgement in the first ``sick`` calls."""

    def __init__(self, kills: Sequence[str] = (), sick: int = 0) -> None:
        self.kills, self.sick, self.calls = set(kills), sick, 0

    def score(self, samples: Sequence[Sample]) -> pa.Table:
        self.calls += 1
        if self.kills & {s.trace.trace_id for s in samples}:
            raise RunError("the worker died")
        return rows(samples, "engine_error" if self.calls <= self.sick else "ok")

    def recover(self) -> None:
        pass


def by_conversation(found: Sample) -> str:
    return str(found.trace.conversation_id)


@pytest.mark.parametrize("poison", [[], ["t0"], ["t7"], ["t3", "t4", "t12"]])
def test_only_what_kills_the_worker_is_put_aside(poison: list[str]) -> None:
    lot = [sample(f"t{i}") for i in range(13)]
    found = settle(Fragile(poison), lot, by_conversation, PATIENCE)
    assert sorted(d.sample.trace.trace_id for d in found.dead) == sorted(poison)
    assert sorted(found.rows["trace_id"].to_pylist()) == sorted({s.trace.trace_id for s in lot} - set(poison))
    assert all(d.reason == "the worker died" and d.tries == 2 for d in found.dead)


def test_a_group_is_never_parted() -> None:
    lot = [sample(f"t{i}", f"c{i // 2}") for i in range(8)]
    found = settle(Fragile(["t2"]), lot, by_conversation, PATIENCE)
    assert sorted(d.sample.trace.trace_id for d in found.dead) == ["t2", "t3"]


def test_failed_judgements_are_tried_again_and_no_judgement_at_all_is_no_result() -> None:
    lot = [sample("t1")]
    assert settle(Fragile(sick=1), lot, by_conversation, PATIENCE).rows["status"].to_pylist() == ["ok"]
    with pytest.raises(EngineUnwellError, match="every judgement failed: no engine"):
        settle(Fragile(sick=9), lot, by_conversation, PATIENCE)


@pytest.mark.parametrize("seed", range(3))
def test_under_a_budget_weighted_estimates_stay_unbiased(seed: int) -> None:
    """1,000 days of 400 traces: rates fall as money runs out, and the Horvitz-Thompson total stays what it is."""
    draws, total = random.Random(seed), 0.0
    values = [draws.random() for _ in range(400)]
    truth, days, factors = sum(values), 300, set()
    for day in range(days):
        plan = SamplingPlan(default_rate=0.5, salt=f"{seed}-{day}", unit="trace")
        control, spent = RateControl(BudgetConfig(tokens_per_day=12_000)), 0
        for batch in range(20):
            at = datetime(2026, 11, 20, tzinfo=UTC) + timedelta(hours=batch)
            factor = control.factor(Spent(prompt_tokens=spent), at)
            factors.add(factor)
            for i in range(batch * 20, batch * 20 + 20):
                decision = plan.decide(Trace(trace_id=f"t{i}"), factor or 1 / 64)
                if decision.sampled:
                    total += values[i] / decision.inclusion_probability / days
                    spent += 150
    assert {1.0, 0.5, 0.25} <= factors
    spread = sum(v * v for v in values) ** 0.5 * 4 / days**0.5
    assert total == pytest.approx(truth, abs=3 * spread)


def test_a_budget_of_nothing_left_waits_and_no_budget_never_does() -> None:
    control = RateControl(BudgetConfig(cost_per_day=1.0, lowest_factor=0.5))
    assert [control.factor(Spent(cost=2.0), NOON) for _ in range(3)] == [0.5, 0.0, 0.0]
    assert control.factor(Spent(cost=0.2), NOON) == 1.0
    assert RateControl(BudgetConfig()).factor(Spent(cost=1e9, prompt_tokens=10**12), NOON) == 1.0


@pytest.fixture
def feed(tmp_path: Path) -> Callable[..., Feed]:
    def make(clock: Callable[[], float] = lambda: 0.0, **online: Any) -> Feed:
        content = {"name": "s", "store": str(tmp_path / "store"), "input": {"uri": str(tmp_path / "in")}}
        config = OnlineConfig.model_validate({**content, "scorers": [{"use": "not_empty"}], "online": online})
        return Feed(config, Seen(), clock)

    return make


def put(folder: Path, name: str, at: float) -> None:
    import os

    path = folder / "in" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    os.utime(path, (at, at))


def test_order_and_what_comes_in_between(tmp_path: Path, feed: Callable[..., Feed]) -> None:
    for name, at in (("b", 2.0), ("a", 1.0), ("c", 3.0)):
        put(tmp_path, name, at)
    for order, wanted in (("oldest_first", ["a", "b", "0", "c"]), ("newest_first", ["c", "b", "a", "0"])):
        found = feed(order=order)
        assert found.refresh() == len(list((tmp_path / "in").iterdir()))
        taken = [found.take() for _ in range(2)]
        put(tmp_path, "0", 0.5)
        found.refresh()
        taken += [found.take() for _ in range(found.waiting)]
        names = [t.info.uri.rsplit("/", 1)[-1] for t in taken if t]
        assert names == wanted if order == "newest_first" else set(names) == {"a", "b", "c", "0"}
        assert found.take() is None
        (tmp_path / "in" / "0").unlink()


def test_no_clock_of_this_machine_decides(tmp_path: Path, feed: Callable[..., Feed]) -> None:
    now = [1000.0]
    found = feed(lambda: now[0])
    put(tmp_path, "a", 50.0)
    found.refresh()
    assert found.take() is not None
    assert not found.quiet(50.0, 50.0, 10)
    now[0] += 10
    assert not found.quiet(50.0, 50.0, 10), "what came since the last listing is not known"
    found.refresh()
    assert (found.watermark(), found.quiet(50.0, 50.0, 10)) == (60.0, True)
    put(tmp_path, "b", 58.0)
    found.refresh()
    assert not found.quiet(50.0, 50.0, 10)
    assert found.watermark() < 58.0


def test_partitions_are_listed_by_time(tmp_path: Path, feed: Callable[..., Feed]) -> None:
    now = datetime.now(UTC)
    for hours, name in ((0, "now"), (3, "earlier"), (40, "long ago")):
        put(tmp_path, f"{now - timedelta(hours=hours):year=%Y/month=%m/day=%d/hour=%H}/{name}", 1.0)
    found = feed(partition="year=%Y/month=%m/day=%d/hour=%H", lookback_hours=6)
    assert found.refresh() == 2


@pytest.mark.parametrize("pattern", ["%Y/%-m/%-d/%-H", "%Y-%m-%d/%I%p", "%F/%T", "%Y%m%d"])
def test_no_hour_is_passed_over(tmp_path: Path, feed: Callable[..., Feed], pattern: str) -> None:
    now = datetime.now(UTC)
    for hours in range(7):
        put(tmp_path, f"{(now - timedelta(hours=hours)).strftime(pattern.replace('%T', '%H:%M:00'))}/{hours}", 1.0)
    given = pattern.replace("%T", "%R:00")
    assert feed(partition=given, lookback_hours=6.5).refresh() == 7


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/St_Johns", "Pacific/Kiritimati"])
def test_partitions_may_be_named_in_a_zone_of_their_own(tmp_path: Path, feed: Callable[..., Feed], zone: str) -> None:
    now = datetime.now(UTC)
    for hours in (0, 1, 2, 3, 40):
        local = (now - timedelta(hours=hours)).astimezone(ZoneInfo(zone))
        put(tmp_path, f"{local:%Y/%m/%d/%H}/{hours}", 1.0)
    assert feed(partition="%Y/%m/%d/%H", lookback_hours=3, partition_zone=zone).refresh() == 4
    assert feed(partition="%Y/%m/%d/%H", lookback_hours=3).refresh() < 4


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("online: {partition_zone: Berlin}", "found 'Berlin'; a name of the IANA time zones"),
        ("online: {poll_seconds: 0}", "greater than 0"),
        ("online: {ordr: newest_first}", "unknown key 'ordr'"),
        ("online: {budget: {tokens_per_day: -1}}", "greater than or equal to 1"),
        ("online: {order: random}", "allowed: newest_first, oldest_first"),
        ("sampling: {default_floor: {traces: 3}}", "a stream has no end"),
        ("sampling: {cap: {max_traces: 3}}", "limit the cost with online.budget"),
    ],
)
def test_mistakes_are_named_with_their_line(tmp_path: Path, wrong: str, said: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(f"name: s\nstore: out\ninput: {{uri: in}}\nscorers: [{{use: not_empty}}]\n{wrong}\n")
    with pytest.raises(ConfigError, match=said) as error:
        load_online_config(path)
    assert "c.yaml:5" in str(error.value)


def test_waiting_gives_out_what_waits_longest_first() -> None:
    waiting: Waiting[str] = Waiting()
    for key, due in (("a", 5.0), ("b", 1.0), ("c", 3.0), ("b", 4.0)):
        waiting.put(key, key.upper(), due)
    assert list(waiting.soonest(2)) == ["C", "B"]
    assert waiting.pop("a") == "A"
    assert list(waiting.due(99.0)) == []
