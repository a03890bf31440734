"""The simulation runs the real loop: what saturates is what was made slow."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml

from jobs.cli import app
from jobs.online.config import OnlineConfig
from jobs.online.simulate import simulate
from jobs.online.simulated_time import SimulatedClock


def _config(world: Any, rate: float, **online: Any) -> OnlineConfig:
    settings = {"poll_seconds": 1, "batch_traces": 50, "settle_seconds": 2} | online
    config: OnlineConfig = world.configure(sampling={"default_rate": rate}, online=settings)
    return config


def test_keeps_up_where_the_judge_has_time(world: Any) -> None:
    found = simulate(_config(world, 0.5), traces_per_second=20, seconds_per_trace=0.01, seconds=60)
    assert found.keeps_up
    assert found.limit is None
    assert found.decided_per_second == pytest.approx(20, rel=0.1)
    assert found.sampled_per_second == pytest.approx(10, rel=0.25)
    assert found.engine_share == pytest.approx(found.sampled_per_second * 0.01, abs=0.03)
    # Traces of the last two seconds and those not listed yet.
    assert 20 <= found.pending <= 80


def test_a_judge_that_is_too_slow_is_named(world: Any) -> None:
    # A batch of 50 more or less in the minute that is looked at is 0.8 a second.
    found = simulate(_config(world, 1.0), traces_per_second=20, seconds_per_trace=0.1, seconds=120)
    assert found.limit == "engine"
    assert found.engine_share > 0.9
    assert found.sampled_per_second == pytest.approx(10, rel=0.1)
    assert found.lags[1] > found.lags[0] + 10


def test_a_budget_that_is_spent_lowers_the_rates(world: Any) -> None:
    budget = {"judge_seconds_per_day": 1}
    found = simulate(_config(world, 1.0, budget=budget), traces_per_second=20, seconds_per_trace=0.1, seconds=60)
    assert found.factor < 1
    assert found.engine_share < 0.9


def test_a_traffic_that_no_core_can_read_saturates_the_loop(world: Any) -> None:
    config = _config(world, 0.001, poll_seconds=0.5)
    found = simulate(config, traces_per_second=1e6, seconds_per_trace=0.001, seconds=16)
    assert found.limit == "loop"
    assert found.loop_share > 0.9
    assert found.loop_limit is not None
    assert found.loop_limit < 1e6


def test_the_input_and_the_store_of_the_configuration_are_left_alone(world: Any) -> None:
    config = _config(world, 1.0)
    simulate(config, traces_per_second=5, seconds_per_trace=0.01, seconds=10)
    assert not Path(config.store).exists()
    assert not list(Path(config.input.uri).iterdir())


def test_two_batches_share_one_engine() -> None:
    clock = SimulatedClock()
    first, second = (clock.submit(lambda: clock.engine(5.0)) for _ in range(2))
    assert not clock.done(second, 6.0)
    assert clock.done(first, 0.0)
    assert clock.engine_busy == pytest.approx(6, abs=0.1)
    assert clock.done(second, 5.0)
    assert clock.monotonic() == pytest.approx(10, abs=0.1)


def test_work_that_takes_no_time_is_done_at_once() -> None:
    clock = SimulatedClock()
    assert all(clock.done(clock.submit(lambda: None), 0.0) for _ in range(20_000))


def test_what_failed_is_raised_where_the_result_is_asked_for() -> None:
    clock = SimulatedClock()
    work = clock.submit(lambda: 1 / 0)
    assert clock.done(work, 0.0)
    with pytest.raises(ZeroDivisionError):
        work.result()
    clock.pause(threading.Event(), 3.0)
    assert clock.monotonic() == pytest.approx(3, abs=0.1)


@pytest.mark.parametrize(("tokens", "code"), [("100000", 0), ("900", 1)])
def test_on_the_command_line(
    world: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], tokens: str, code: int
) -> None:
    _config(world, 1.0)
    (tmp_path / "loop.yaml").write_text(yaml.safe_dump(world.content))
    given = ["plan", "--traffic", "20/second", "--tokens-per-second", tokens, "--simulate", str(tmp_path / "loop.yaml")]
    with pytest.raises(SystemExit) as ended:
        app([*given, "--simulated-seconds", "60", "--json"])
    assert ended.value.code == code
    assert json.loads(capsys.readouterr().out)["limit"] == (None, "engine")[code]
