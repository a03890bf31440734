"""``judgefleet plan --simulate``: the loop of a configuration under the traffic and the judge of a plan."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from jobs.capacity_options import PlanOptions
from jobs.json_text import json_text
from jobs.online.config import load_online_config
from jobs.online.simulate import Simulated, simulate

_DAY = 86_400.0
# A rate is counted in whole batches: of fewer it would be a guess.
_BATCHES = 20


def simulate_command(options: PlanOptions, config: Path, seconds: float | None, *, as_json: bool) -> int:
    """Simulate, print what was seen, and return the exit code: 0 where the loop keeps up, 1 where it does not.

    Without ``seconds`` as long as traces need to settle, four times over, or the judge for twenty batches, whichever is
    longer, and two minutes at least.
    """
    loaded = load_online_config(config)
    judged = options.tokens_per_second / (options.tokens_per_trace * (1 - options.cached_share))
    length = seconds or max(120.0, 4 * loaded.online.settle_seconds, _BATCHES * loaded.online.batch_traces / judged)
    found = simulate(loaded, options.traffic / _DAY, 1 / judged, length)
    if as_json:
        print(json_text({**asdict(found), "keeps_up": found.keeps_up, "limit": found.limit}))  # noqa: T201
    else:
        _print(found, judged)
    return 0 if found.keeps_up else 1


def _print(found: Simulated, judged: float) -> None:
    console = Console(highlight=False)
    table = Table("In the second half", "", box=None)
    for name, text in _lines(found, judged).items():
        table.add_row(name, text)
    console.print(table)
    console.print(f"\n{_verdict(found)}", markup=False, soft_wrap=True)


def _lines(found: Simulated, judged: float) -> dict[str, str]:
    limit = "-" if found.loop_limit is None else f"{found.loop_limit:,.0f} traces a second on one core of this machine"
    lines: dict[str, Any] = {
        "simulated": f"{found.seconds:,.0f} s",
        "traces arriving": f"{found.arrived_per_second:,.1f} a second",
        "traces decided": f"{found.decided_per_second:,.1f} a second",
        "traces judged": f"{found.sampled_per_second:,.2f} a second; one GPU of the plan can judge {judged:,.2f}",
        "loop busy": f"{found.loop_share:.1%}",
        "loop could decide": limit,
        "judge busy": f"{found.engine_share:.1%}",
        "lag": f"{found.lags[0]:,.0f} s at half time, {found.lags[1]:,.0f} s at the end",
        "traces that wait for their spans": f"{found.pending:,}",
        "rates": "as configured" if found.factor == 1 else f"lowered to {found.factor:g} of those configured",
    }
    return lines


def _verdict(found: Simulated) -> str:
    if found.limit is None:
        return "It keeps up."
    if found.limit == "engine":
        return "It falls behind: the judge is saturated. Lower the sampling rates, set a budget that does, or add GPUs."
    return "It falls behind: the loop is saturated. Split the input over several streams, or sample before the bucket."
