"""``judgefleet trends``: shown while the gate is open, refused otherwise."""

from typing import Annotated

import typer

from jobs.command_options import By, Json, Store


def trends(
    store: Store,
    window: Annotated[str, typer.Option(help="Length of a window: hour, day or week.")] = "day",
    scorer: Annotated[str | None, typer.Option(help="Only this scorer.")] = None,
    axis: Annotated[str | None, typer.Option(help="Only this axis.")] = None,
    by: By = None,
    audit: Annotated[
        str | None, typer.Option(help="Correct by this audit; default: that of the gate's decision.")
    ] = None,
    measure: Annotated[
        str | None,
        typer.Option(help="mean or pass_rate; default: pass_rate where the audit has a cut, else mean."),
    ] = None,
    baseline: Annotated[int, typer.Option(min=1, help="How many first windows the others are compared with.")] = 1,
    alpha: Annotated[
        float, typer.Option(min=1e-6, max=0.5, help="Risk of any false alarm over --horizon windows.")
    ] = 0.05,
    horizon: Annotated[int, typer.Option(min=1, help="Windows that alpha is for.")] = 52,
    below: Annotated[
        float | None, typer.Option(help="Alert when the latest windows lie below this for certain.")
    ] = None,
    consecutive: Annotated[int, typer.Option(min=1, help="How many windows in a row an alert needs.")] = 2,
    webhook: Annotated[str | None, typer.Option(help="POST an alert to this address, as JSON.")] = None,
    untrusted: Annotated[
        bool, typer.Option("--untrusted", help="Show figures of judges whose gate is not open.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Windows with coverage, raw and corrected figures, changes and judge changes.

    Pass rates where the audit has a cut; means on people's scale where it has numbers (--measure mean).

    Nothing is shown of a judge whose gate is not OPEN: exit code 1 where it is CLOSED, 3 where evidence is lacking or
    stale. --untrusted shows it, marked. An alert (--below) ends with exit code 1.
    """
    from jobs.trend_text import show
    from jobs.trends import Options

    options = Options(
        window=window,
        scorer=scorer,
        axis=axis,
        by=by,
        audit=audit,
        baseline=baseline,
        alpha=alpha,
        horizon=horizon,
        measure=measure,
    )
    code = show(
        store,
        options,
        below=below,
        consecutive=consecutive,
        webhook=webhook,
        untrusted=untrusted,
        as_json=as_json,
    )
    raise typer.Exit(code)
