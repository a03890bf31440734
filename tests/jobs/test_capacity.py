"""Plans: figures by hand and by the statistics beneath, what is impossible, the configuration, the command."""

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, get_args, get_type_hints

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from calibration.audit_size import plan_agreement_audit
from calibration.prevalence import apparent_rate, rogan_gladen
from jobs import capacity_commands
from jobs.capacity import CapacityPlan, make_plan
from jobs.capacity_load import lag, load_of
from jobs.capacity_options import PlanOptions
from judgefleet.detection import plan_drop_detection, rate_difference_size, smallest_drop
from judgefleet.sampling import SamplingPlan
from judgefleet.trace import Trace

Run = Callable[..., CompletedProcess[str]]
PAGE = Path(__file__).parents[2] / "docs/planning.md"
TWO = [
    {"name": "checkout", "share": 0.1, "where": {"attributes.flow": "checkout"}},
    {"name": "rest", "share": 0.9},
]


def plan(**asked: Any) -> CapacityPlan:
    return make_plan(PlanOptions.model_validate({"traffic": 50_000, **asked}))


def test_a_judge_that_never_errs_needs_what_the_reference_says() -> None:
    """90 to 87 %, one-sided 0.05, power 0.9: 1935 traces a window, 0.009675 of 200,000."""
    asked = {"traffic": 200_000, "within": 1, "detect": 0.03, "alpha": 0.1, "horizon": 1, "power": 0.9}
    sharp = {"sensitivity": 1 - 1e-9, "specificity": 1 - 1e-9, "valid_share": 1}
    (found,) = plan(**asked, **sharp).wanted.strata
    assert found.needed_per_window == 1935
    assert found.rate == 0.009675
    assert found.smallest_drop == pytest.approx(0.03, abs=1e-5)


def test_a_judge_that_errs_sees_less_of_a_drop_and_needs_more() -> None:
    found = plan(sensitivity=0.9, specificity=0.7, valid_share=1, horizon=1).wanted.strata[0]
    before, after = 0.9 * 0.9 + 0.3 * 0.1, 0.9 * 0.88 + 0.3 * 0.12
    assert (found.judged_rate, found.judged_drop) == pytest.approx((before, 0.6 * 0.02))
    assert found.needed_per_window == math.ceil(rate_difference_size(before, after, alpha=0.025, power=0.8, sided=1))


def test_conversations_and_failures_multiply() -> None:
    base = plan(valid_share=1).wanted.strata[0].needed_per_window
    assert plan(valid_share=0.5).wanted.strata[0].needed_per_window == pytest.approx(2 * base, abs=2)
    turns = plan(valid_share=1, turns=6, correlation=0.3, traffic=500_000).wanted.strata[0].needed_per_window
    assert turns == pytest.approx(2.5 * base, abs=3)


@settings(deadline=None)
@given(st.floats(0.02, 0.98), st.floats(0.01, 0.99), st.floats(0.6, 0.95), st.floats(1, 20))
def test_the_smallest_drop_is_the_plan_read_the_other_way(p: float, part: float, power: float, effect: float) -> None:
    how = {"alpha": 0.01, "power": power, "design_effect": effect}
    n = plan_drop_detection(p, p * (1 - part), traffic_per_window=1, **how).n_per_window
    seen = smallest_drop(p, n, **how)
    assert seen is not None
    assert seen <= p * part * (1 + 1e-6)
    fewer = smallest_drop(p, n - 1, **how) if n > 1 else None
    assert fewer is None or fewer >= p * part * (1 - 1e-6)


@given(st.floats(0, 1), st.floats(0.51, 1), st.floats(0.51, 1))
def test_the_apparent_rate_is_the_correction_read_the_other_way(p: float, se: float, sp: float) -> None:
    assert rogan_gladen(apparent_rate(p, se, sp), se, sp) == pytest.approx(p, abs=1e-9)


def test_too_little_traffic_says_what_it_shows_and_how_long_it_takes() -> None:
    found = plan(traffic=1000)
    (stratum,) = found.wanted.strata
    assert (found.exit_code, stratum.rate, stratum.feasible) == (1, 1.0, False)
    assert stratum.smallest_drop is not None
    assert stratum.smallest_drop > 0.02
    assert "too little traffic" in found.problems[0]
    assert f"{stratum.smallest_drop:.4f}" in found.problems[0]
    assert plan(traffic=1000, within=stratum.days_needed * 1.001).problems == []
    assert plan(traffic=1000, detect=stratum.smallest_drop * 1.001).problems == []
    assert plan(traffic=1000, detect=stratum.smallest_drop * 0.99).problems


def test_traffic_that_shows_nothing() -> None:
    found = plan(traffic=1)
    assert found.wanted.strata[0].smallest_drop is None
    assert "no drop at all" in found.problems[0]


def test_a_budget_that_is_too_small_says_what_it_pays_for() -> None:
    dear = {"gpu_cost_per_hour": 400.0, "strata": TWO, "traffic": 500_000}
    free = plan(**dear)
    assert free.problems == []
    found = plan(**dear, budget_per_day=free.wanted.load.cost / 3)
    nearest = found.within_budget
    assert nearest is not None
    assert found.exit_code == 1
    assert nearest.load.cost == pytest.approx(free.wanted.load.cost / 3, rel=1e-3)
    assert nearest.load.cost <= free.wanted.load.cost / 3
    assert {round(s.drop / 0.02, 6) for s in nearest.strata} == {round(nearest.times, 6)}
    assert nearest.times == pytest.approx(3**0.5, rel=0.05)  # n goes with the inverse square of the drop
    assert found.sampling is not None
    assert found.sampling["default_rate"] == nearest.strata[1].rate
    assert plan(**dear, budget_per_day=free.wanted.load.cost * 1.001).problems == []


def test_a_budget_that_pays_for_nothing() -> None:
    found = plan(gpu_cost_per_hour=1e6, budget_per_day=0.001)
    assert (found.within_budget, found.sampling, found.exit_code) == (None, None, 1)
    assert "no drop, however large" in found.problems[0]


def test_gpus_that_stay_up_are_paid_all_day() -> None:
    asked = {"always_on": True, "gpu_cost_per_hour": 1.0, "tokens_per_second": 100.0}
    free = plan(**asked)
    assert free.wanted.load.gpus > 2
    assert plan(**asked, budget_per_day=24.0 * free.wanted.load.gpus).problems == []
    nearest = plan(**asked, budget_per_day=49.0).within_budget
    assert nearest is not None
    assert nearest.load.gpus == 2
    assert nearest.load.busy_share == pytest.approx(0.6, abs=0.01)
    assert "one GPU all day is more" in plan(**asked, budget_per_day=23.0).problems[0]


def test_a_gpu_that_costs_nothing_is_within_any_budget() -> None:
    assert plan(gpu_cost_per_hour=0, budget_per_day=0.01).problems == []


def test_the_load_by_hand() -> None:
    options = PlanOptions(
        traffic=1, tokens_per_trace=1000, cached_share=0.5, tokens_per_second=2000, peak_factor=4, utilisation=0.5
    )
    load = load_of(options, 172_800)  # two a second, half a GPU on average, two at the peak
    assert (load.tokens, load.computed_tokens, load.gpu_hours) == (172_800_000, 86_400_000, 12.0)
    assert (load.gpus, load.busy_share) == (4, 0.5)
    assert (load.cost, load.cost_always_on) == (60.0, 240.0)


def test_the_lag_by_hand() -> None:
    options = PlanOptions(
        traffic=1, tokens_per_trace=1000, tokens_per_second=1000, poll_seconds=4, settle_seconds=10, batch_traces=100
    )
    # Half a trace a second, one second each: a batch of two, two seconds of work, waiting 0.5 * 2 / 0.5.
    assert lag(options, 0.5, gpus=1) == pytest.approx(10 + 2 + 2 + 2)
    assert lag(options, 0.9, gpus=1) > lag(options, 0.5, gpus=1) > lag(options, 0.5, gpus=2)


def test_gpus_are_never_busier_than_allowed() -> None:
    for traffic in (1e4, 1e6, 1e7, 3e7):
        load = load_of(PlanOptions(traffic=traffic), traffic)
        assert load.busy_share <= 0.6
        assert load.lag_at_peak >= load.lag_average


def test_audit_labels_are_those_of_the_gate() -> None:
    audit = plan(judge_agreement=0.92).audit
    assert audit is not None
    found = plan_agreement_audit(0.8, 0.92, alpha=0.05 / 12, beta=0.2)
    assert audit.labels == found.n_safe
    assert audit.labels_per_week == pytest.approx(found.n_safe * 12 / 52)
    assert audit.false_pass <= 0.05 / 12
    assert audit.power >= 0.8
    assert audit.power == pytest.approx(stats.binom.sf(audit.agreements - 1, audit.labels, 0.92))


def test_a_judge_below_the_gate_cannot_be_planned_with() -> None:
    found = plan(judge_agreement=0.78)
    assert (found.audit, found.exit_code) == (None, 1)
    assert "0.780" in found.problems[0]


def test_the_block_is_a_sampling_plan_that_draws_as_planned() -> None:
    found = plan(strata=TWO, detect=0.03)
    drawn = SamplingPlan.model_validate(found.sampling)
    assert (drawn.unit, [s.name for s in drawn.strata]) == ("conversation", ["checkout"])
    for flow, planned in zip(("checkout", "help"), found.wanted.strata, strict=True):
        traces = [Trace(trace_id=f"{flow}{n}", attributes={"flow": flow}) for n in range(5000)]
        share = sum(drawn.decide(trace).sampled for trace in traces) / 5000
        assert abs(share - planned.rate) < 4 * (planned.rate * (1 - planned.rate) / 5000) ** 0.5


def test_strata_without_a_condition_get_one_that_is_said_to_be_assumed(run: Run) -> None:
    done = run("plan", "--traffic", "90000/day", "--strata", "a=0.5,b=0.5", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [s["where"] for s in told["sampling"]["strata"]] == [{"attributes.stratum": ["a"]}]
    assert any("carry an attribute 'stratum'" in text for text in told["assumptions"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "found no traffic; give --traffic"),
        (["--traffic", "many"], "50000/day"),
        (["--traffic", "5/fortnight"], "50000/day"),
        (["--traffic", "0"], "traffic"),
        (["--traffic", "9", "--within", "soon"], "such as 12h, 7d, 2w"),
        (["--traffic", "9", "--strata", "a"], "NAME=SHARE"),
        (["--traffic", "9", "--strata", "a=0.5"], "add up to 0.5"),
        (["--traffic", "9", "--strata", "a=0.5,a=0.5"], "one name"),
        (["--traffic", "9", "--detect", "0.95"], "cannot fall by 0.95 from 0.9"),
        (["--traffic", "9", "--judge-agreement", "0.5"], "no better than a coin"),
        (["--traffic", "9", "--power", "1"], "power"),
        (["no-such.yaml"], "no such file"),
    ],
)
def test_mistakes(run: Run, arguments: list[str], says: str) -> None:
    done = run("plan", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_mistake_in_a_file_comes_with_its_line(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text("traffic: 50000/day\nstrata:\n  - {name: a, share: 1, were: {variant: A}}\n")
    done = run("plan", str(path))
    assert done.returncode == 2
    assert "plan.yaml:3" in done.stderr
    assert "did you mean 'where'" in done.stderr


def test_options_win_over_the_file(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump({"traffic": "2000/hour", "detect": 0.03, "strata": TWO}))
    told = json.loads(run("plan", str(path), "--detect", "0.04", "--json").stdout)
    assert (told["options"]["traffic"], told["options"]["detect"]) == (48_000, 0.04)
    assert [s["name"] for s in told["wanted"]["strata"]] == ["checkout", "rest"]


def test_an_impossible_plan_ends_with_1_and_says_what_is_possible(run: Run) -> None:
    done = run("plan", "--traffic", "50000", "--budget-per-day", "0.1")
    assert done.returncode == 1
    assert "NOT POSSIBLE: the budget of 0.10 a day is below" in done.stdout
    assert "Within the budget:" in done.stdout
    assert "Assumed:" in done.stdout


def test_help_explains_every_option_with_its_default(run: Run) -> None:
    assert "--judge-agreement" in run("plan", "--help").stdout
    hints = get_type_hints(capacity_commands.plan, include_extras=True)
    for name, field in PlanOptions.model_fields.items():
        explained = get_args(hints[name])[1].help
        assert explained, name
        if type(field.default) in (int, float) and name != "within":
            assert f"[default: {field.default:g}]" in explained, name


def test_the_page_shows_what_the_command_prints(run: Run, tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    (written,) = re.findall(r"```yaml\n# plan.yaml\n(.*?)```", page, flags=re.DOTALL)
    (tmp_path / "plan.yaml").write_text(written)
    examples = re.findall(r"```\njudgefleet (plan .*?)\n```\n+```\n(.*?)```", page, flags=re.DOTALL)
    assert len(examples) == 2
    for command, expected in examples:
        done = run(*command.replace("plan.yaml", str(tmp_path / "plan.yaml")).split())
        assert done.stdout.split() == expected.split()
