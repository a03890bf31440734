"""``judgefleet traces sample``: what is said is what 'judgefleet batch' draws, and nothing is scored or written."""

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pytest
import yaml
from typer.testing import CliRunner, Result

from jobs.config import load_batch_config
from jobs.intake import Intake, listed
from jobs.plan import Plan, make_plan
from jobs.traces_commands import traces_app
from judgefleet.errors import ConfigError
from judgefleet.hashing import unit_interval
from judgefleet.sampling import SamplingPlan
from judgefleet.storage import list_objects, open_location

WriteTraces = Callable[..., Path]
MakeConfig = Callable[..., Path]
BROKEN = ['{"question": "Why?", "output": 7', '{"output": "an answer to nothing"}']
STRATA = [{"name": "b", "where": {"variant": "B"}, "rate": 0.5}, {"name": "c", "where": {"variant": "C"}, "rate": 1}]
FLOOR = {"salt": "x", "strata": STRATA, "default_rate": 0.1, "default_floor": {"traces": 4, "per": "day"}}


def call(*arguments: str) -> Result:
    return CliRunner().invoke(traces_app, ["sample", *arguments])


def drawn(*arguments: str) -> dict[str, Any]:
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.exception or result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.fixture
def plan_file(tmp_path: Path) -> Callable[..., str]:
    def write(**plan: Any) -> str:
        (tmp_path / "plan.yaml").write_text(yaml.safe_dump(plan))
        return str(tmp_path / "plan.yaml")

    return write


def batch_plan(path: Path, store: Path) -> Plan:
    """What a batch run of the configuration makes of its input."""
    config = load_batch_config(path)
    objects = pa.Table.from_pylist(listed(list_objects(config.input.uri)))
    intake = Intake(config=config, group_by="judgefleet.item_id")
    staged = ds.dataset(pa.concat_tables(intake(objects)))
    return make_plan(staged, open_location(store), "run", 16, config.sampling if intake.weigh else None)


def test_a_stratum_has_what_a_look_at_each_hash_says(write_traces: WriteTraces, plan_file: Callable[..., str]) -> None:
    found = drawn(str(write_traces(40)), "--plan", plan_file(salt="x", strata=STRATA, default_rate=0.1))
    lines = [(v, unit_interval(f"c-{i}-{v}", "x")) for i in range(40) for v in "AB"]
    by_hand = Counter(variant for variant, number in lines if number < {"A": 0.1, "B": 0.5}[variant])
    b, c, default = found["strata"]
    assert (b["stratum"], b["traces"], b["units"], b["sampled"]) == ("b", 40, 40, by_hand["B"])
    assert (default["traces"], default["sampled"], default["rate"]) == (40, by_hand["A"], 0.1)
    assert default["probability_min"] == default["probability_mean"] == 0.1
    assert (b["expected"], default["expected"]) == (20.0, pytest.approx(4.0))
    # A stratum that nothing is in is a mistake to be seen.
    assert (c["traces"], c["sampled"], c["probability_min"]) == (0, 0, None)
    assert found["estimate"] is None
    assert b["tokens"] is b["cost"] is None


@pytest.mark.parametrize("cap", [{}, {"cap": {"max_traces": 40}}])
def test_it_draws_what_a_batch_run_draws(
    tmp_path: Path, write_traces: WriteTraces, make_config: MakeConfig, cap: dict[str, Any]
) -> None:
    write_traces(40)
    config = make_config(sampling=FLOOR | cap)
    found, made = drawn("--config", str(config)), batch_plan(config, tmp_path / "other")
    assert found["factor"] == made.factor
    assert (found["factor"] < 1) == bool(cap)
    assert {k: v for k, v in found["decisions"].items() if v} == dict(made.counts)
    assert {s["stratum"]: s["sampled"] for s in found["strata"]} == {
        name: sum(cell.sampled for cell in made.cells if cell.stratum == name) for name in ("b", "c", "default")
    }
    default = found["strata"][-1]
    assert (default["floor"], default["windows"]) == (4, 3)
    assert default["probability_mean"] >= default["probability_min"] > default["rate"]


def test_conversations_are_counted_beside_their_traces(tmp_path: Path, plan_file: Callable[..., str]) -> None:
    (tmp_path / "traces").mkdir()
    turns = [{"trace_id": f"t{n}", "conversation_id": f"c{n // 3}", "question": "?", "output": "!"} for n in range(30)]
    (tmp_path / "traces/a.jsonl").write_text("\n".join(map(json.dumps, turns)))
    whole = drawn(str(tmp_path / "traces"), "--plan", plan_file(default_rate=0.5))
    assert (whole["unit"], whole["strata"][0]["traces"], whole["strata"][0]["units"]) == ("conversation", 30, 10)
    assert whole["strata"][0]["sampled"] % 3 == 0
    single = drawn(str(tmp_path / "traces"), "--plan", plan_file(default_rate=0.5, unit="trace"))
    assert single["strata"][0]["units"] == 30


def test_everything_that_was_read_is_counted(write_traces: WriteTraces, plan_file: Callable[..., str]) -> None:
    bare = {"question": "?", "output": "!", "variant": "B"}
    copy, less = bare | {"trace_id": "b0001", "contexts": ["A policy."]}, bare | {"trace_id": "x"}
    folder = write_traces(12, [*BROKEN, json.dumps(copy), json.dumps(less)])
    filters = {"exclude": [{"variant": "A"}], "require": ["contexts"]}
    path = plan_file(default_rate=0.5, filters=filters)
    found = drawn(str(folder), "--plan", path)
    decisions = found["decisions"]
    assert decisions["sampled"] + decisions["not_sampled"] == found["strata"][-1]["traces"] == 12
    assert (decisions["filtered"], decisions["incomplete"], decisions["rejected"]) == (12, 1, 2)
    assert decisions["duplicate"] == 1
    assert sum(decisions.values()) == 28
    assert sum(found["reasons"].values()) == 3
    text = call(str(folder), "--plan", path).stdout
    assert "12 filtered, 1 incomplete, 2 rejected, 1 duplicate" in text
    assert "1 x the same trace and span id as another trace, with other content" in text


def test_tokens_and_cost_are_those_of_the_dry_run(write_traces: WriteTraces, make_config: MakeConfig) -> None:
    write_traces(8)
    engine = {"kind": "scripted", "price_per_million_input": 1000.0, "price_per_million_output": 5000.0}
    config = make_config(engine=engine, sampling={"salt": "x", "strata": STRATA[:1], "default_rate": 1.0})
    found = drawn("--config", str(config))
    estimate, strata = found["estimate"], found["strata"]
    assert estimate["prompts"] > 0
    assert sum(s["tokens"] for s in strata) == estimate["tokens"] + estimate["prompts"]  # one is written for each
    assert estimate["cost"] == pytest.approx(estimate["tokens"] * 1e-3 + estimate["prompts"] * 5e-3)
    assert sum(s["cost"] for s in strata) == pytest.approx(estimate["cost"])
    assert all(s["cost"] > 0 for s in strata)
    text = call("--config", str(config)).stdout
    assert f"{estimate['tokens']:,} tokens read" in text
    assert f"{estimate['cost']:,.4f}" in text


def test_the_time_of_an_engine_is_shared_out(write_traces: WriteTraces, make_config: MakeConfig) -> None:
    write_traces(4)
    engine = {"kind": "scripted", "tokens_per_second": 10, "cost_per_hour": 3600}
    found = drawn("--config", str(make_config(engine=engine, sampling={"strata": STRATA})))
    assert found["estimate"]["cost"] == pytest.approx(found["estimate"]["tokens_computed"] / 10)
    assert sum(s["cost"] for s in found["strata"]) == pytest.approx(found["estimate"]["cost"])


def test_other_traces_may_be_given_and_nothing_is_written(
    tmp_path: Path, write_traces: WriteTraces, make_config: MakeConfig
) -> None:
    config = make_config()
    shutil.move(write_traces(4), tmp_path / "elsewhere")
    before = sorted(tmp_path.rglob("*"))
    assert drawn(str(tmp_path / "elsewhere"), "--config", str(config))["decisions"]["sampled"] == 8
    assert sorted(tmp_path.rglob("*")) == before


def test_the_hash_is_that_of_the_plan(write_traces: WriteTraces, plan_file: Callable[..., str]) -> None:
    found = drawn(str(write_traces(1)), "--plan", plan_file(**FLOOR))
    assert found["plan_hash"] == SamplingPlan.model_validate(FLOOR).hash
    assert found["plan_hash"] in call(str(found["uri"]), "--plan", plan_file(**FLOOR)).stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["TRACES"], r"give URI --plan FILE, or \[URI\] --config FILE"),
        (["--plan", "PLAN"], "found URI None, --plan "),
        (["TRACES", "--plan", "PLAN", "--config", "CONFIG"], "give URI --plan FILE, or"),
        (["TRACES", "--plan", "CONFIG"], "unknown key 'name'(.|\n)*for a whole configuration, use --config"),
        (["TRACES", "--config", "PLAN"], "name: is missing"),
        (["TRACES", "--plan", "nowhere.yaml"], "nowhere.yaml: no such file"),
        (["EMPTY", "--plan", "PLAN"], "no objects under"),
        (["TRACES", "--plan", "PLAN", "--format", "otlp"], "input.format: .*did you mean 'otlp_json'"),
        (["TRACES", "--config", "CONFIG", "--format", "otlp"], "format: .*did you mean 'otlp_json'"),
        (["TRACES", "--plan", "LOW"], "sampling.cap.max_traces: found 1; the floors alone take up to"),
    ],
)
def test_what_cannot_be_done_is_said(
    tmp_path: Path,
    write_traces: WriteTraces,
    make_config: MakeConfig,
    plan_file: Callable[..., str],
    arguments: list[str],
    said: str,
) -> None:
    (tmp_path / "empty").mkdir()
    low = tmp_path / "low.yaml"
    low.write_text(yaml.safe_dump(FLOOR | {"cap": {"max_traces": 1}}))
    places = {
        "TRACES": str(write_traces(4)),
        "EMPTY": str(tmp_path / "empty"),
        "PLAN": plan_file(**FLOOR),
        "CONFIG": str(make_config()),
        "LOW": str(low),
    }
    result = call(*(places.get(argument, argument) for argument in arguments))
    assert isinstance(result.exception, ConfigError), result.output
    with pytest.raises(ConfigError, match=said):
        raise result.exception
