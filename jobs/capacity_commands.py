"""``judgefleet plan``: from traffic, budget and a drop worth detecting to rates, labels, GPUs, cost and lag."""

from pathlib import Path
from typing import Annotated, Any

import typer


def plan(
    file: Annotated[Path | None, typer.Argument(help="A plan in YAML; options given here win over it.")] = None,
    traffic: Annotated[str | None, typer.Option(help="Traces: 50000/day, 2000/hour, 3.5/second.")] = None,
    strata: Annotated[
        str | None, typer.Option(help="Shares of the traffic: checkout=0.1,other=0.9. [default: all=1]")
    ] = None,
    pass_rate: Annotated[float | None, typer.Option(help="Share of answers that are good now. [default: 0.9]")] = None,
    detect: Annotated[float | None, typer.Option(help="The drop of it that must be seen. [default: 0.02]")] = None,
    within: Annotated[str | None, typer.Option(help="Length of a window: 24h, 7d, 2w. [default: 7d]")] = None,
    power: Annotated[float | None, typer.Option(help="Chance that the drop is seen. [default: 0.8]")] = None,
    alpha: Annotated[
        float | None, typer.Option(help="Risk of any false alarm over --horizon windows. [default: 0.05]")
    ] = None,
    horizon: Annotated[
        int | None, typer.Option(help="Windows that alpha is for, as in 'judgefleet trends'. [default: 52]")
    ] = None,
    turns: Annotated[float | None, typer.Option(help="Judged turns of a conversation. [default: 1]")] = None,
    correlation: Annotated[
        float | None, typer.Option(help="Correlation of two verdicts of one conversation. [default: 0.2]")
    ] = None,
    judge_agreement: Annotated[
        float | None, typer.Option(help="How often judge and people agree; an audit measures it. [default: 0.85]")
    ] = None,
    sensitivity: Annotated[
        float | None, typer.Option(help="Share of good answers that it passes. [default: --judge-agreement]")
    ] = None,
    specificity: Annotated[
        float | None, typer.Option(help="Share of bad answers that it fails. [default: --judge-agreement]")
    ] = None,
    valid_share: Annotated[
        float | None, typer.Option(help="Share of judged traces that get a value. [default: 0.98]")
    ] = None,
    tokens_per_trace: Annotated[
        float | None, typer.Option(help="Prompt tokens of all questions about a trace. [default: 900]")
    ] = None,
    cached_share: Annotated[
        float | None, typer.Option(help="Share of them that the prefix cache saves. [default: 0]")
    ] = None,
    tokens_per_second: Annotated[
        float | None, typer.Option(help="Prompt tokens that a GPU computes; measure yours. [default: 5000]")
    ] = None,
    gpu_cost_per_hour: Annotated[float | None, typer.Option(help="In any currency. [default: 2.5]")] = None,
    always_on: Annotated[
        bool | None,
        typer.Option("--always-on", help="The GPUs of the peak stay up and are paid all day. [default: no]"),
    ] = None,
    budget_per_day: Annotated[float | None, typer.Option(help="What a day may cost. [default: no limit]")] = None,
    peak_factor: Annotated[
        float | None, typer.Option(help="The busiest hour over the average one. [default: 3]")
    ] = None,
    utilisation: Annotated[float | None, typer.Option(help="How busy GPUs may be at the peak. [default: 0.6]")] = None,
    batch_traces: Annotated[
        int | None, typer.Option(help="Traces committed together, online.batch_traces. [default: 256]")
    ] = None,
    poll_seconds: Annotated[
        float | None, typer.Option(help="Between two looks for new objects, online.poll_seconds. [default: 5]")
    ] = None,
    settle_seconds: Annotated[
        float | None, typer.Option(help="Wait for the spans of a trace, online.settle_seconds. [default: 30]")
    ] = None,
    audit_threshold: Annotated[
        float | None, typer.Option(help="Agreement that the gate asks for. [default: 0.8]")
    ] = None,
    audits_per_year: Annotated[int | None, typer.Option(help="As in the policy. [default: 12]")] = None,
    audit_power: Annotated[
        float | None, typer.Option(help="Chance that this judge passes an audit. [default: 0.8]")
    ] = None,
    simulate: Annotated[
        Path | None,
        typer.Option(
            help="Instead: run the loop of this configuration on made-up traces of that traffic, for one GPU."
        ),
    ] = None,
    simulated_seconds: Annotated[
        float | None, typer.Option(min=1, help="With --simulate. [default: enough for 20 batches, 120 at least]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON, for machines.")] = False,
) -> None:
    """Sampling rates, audit labels, GPUs, cost and lag for a traffic, a budget and a drop worth detecting.

    Everything that is assumed is printed; nothing is looked up or measured. Exit code 1 where the traffic or the budget
    cannot reach the drop, or the judge cannot pass its audit: then with the nearest plan that is possible.

    --simulate CONFIG asks another question: would 'judgefleet online CONFIG' keep up, on this machine with a GPU of the
    plan? The loop is the real one and takes the CPU time that it takes here; the judge is made up, and waiting is
    skipped. Exit code 1 where it falls behind.
    """
    from jobs.capacity import make_plan
    from jobs.capacity_input import read_options
    from jobs.capacity_text import plan_dict, print_plan
    from jobs.json_text import json_text

    given: dict[str, Any] = {k: v for k, v in locals().items() if k in _NAMES and v is not None}
    options = read_options(file, given)
    if simulate is not None:
        from jobs.capacity_simulation import simulate_command

        raise typer.Exit(simulate_command(options, simulate, simulated_seconds, as_json=as_json))
    made = make_plan(options)
    if as_json:
        print(json_text(plan_dict(made)))  # noqa: T201
    else:
        print_plan(made)
    raise typer.Exit(made.exit_code)


_NAMES = frozenset(plan.__annotations__) - {"file", "as_json", "simulate", "simulated_seconds", "return"}
