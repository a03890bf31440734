"""Trends on a terminal or as JSON; what a gate that is not open does to them."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table

from calibration.gate import GateDecision
from calibration.trends import Bridge, Point, Trend, alert
from jobs.audit_text import figure, gate_line
from jobs.gates import newest
from jobs.json_text import json_text
from jobs.report_trends import figure_or_value
from jobs.trends import Options, Trends, trends_of
from jobs.wording import one_line, percent

UNTRUSTED = "UNTRUSTED"


def show(
    store: str,
    options: Options,
    *,
    below: float | None,
    consecutive: int,
    webhook: str | None,
    untrusted: bool,
    as_json: bool,
) -> int:
    """Print the trends that may be seen, tell the webhook; returns the exit code."""
    found = trends_of(store, options)
    open_ones = {gate.fingerprint for gate in found.gates if gate.trusted}
    bridges = [b for b in found.bridges if untrusted or {b.old, b.new} <= open_ones]
    shown = found.trends if untrusted else [t for t in found.trends if t.gate.trusted]
    alerts = [t for t in shown if below is not None and alert(t.points, below, consecutive)]
    if as_json:
        told = {"gates": found.gates, "untrusted_shown": untrusted, "trends": shown, "bridges": bridges}
        print(json_text({**told, "alerts": [_name(t) for t in alerts], "notes": found.notes}))  # noqa: T201
    else:
        _print(found, shown, alerts, bridges)
    if webhook and alerts:
        _post(webhook, alerts)
    refused = 0 if untrusted else _refusal(newest(found.gates))
    return 1 if alerts else refused


def _refusal(gates: Sequence[GateDecision]) -> int:
    codes = [gate.exit_code for gate in gates]
    return 1 if 1 in codes else max(codes, default=3)


def _print(found: Trends, shown: Sequence[Trend], alerts: Sequence[Trend], bridges: Sequence[Bridge]) -> None:
    console = Console(highlight=False)
    for gate in found.gates:
        console.print(gate_line(gate, f"{gate.scorer}/{gate.axis}"), markup=False, soft_wrap=True)
        if not gate.trusted and not any(t.gate is gate for t in shown):
            console.print("  its trends are not shown; --untrusted shows them, marked", markup=False)
    for trend in shown:
        mark = "" if trend.gate.trusted else f"  {UNTRUSTED}"
        console.print(f"\n{_name(trend)}: {trend.measure.replace('_', ' ')} of each window{mark}", markup=False)
        console.print(_table(trend))
    for text in (
        *(_bridge(b, b in bridges) for b in found.bridges),
        *found.notes,
        *(f"ALERT: {_name(t)}" for t in alerts),
    ):
        console.print(text, markup=False, soft_wrap=True)


def _name(trend: Trend) -> str:
    segment = f", {one_line(trend.segment, 40)}" if trend.segment else ""
    return f"{one_line(trend.scorer, 40)}/{one_line(trend.axis, 40)}{segment} ({trend.fingerprint})"


def _table(trend: Trend) -> Table:
    table = Table("From", "Scored", "Raw", "Corrected", "Change", "", box=None)
    for point in trend.points:
        table.add_row(*_cells(point))
    return table


def _cells(point: Point) -> Iterator[str]:
    yield point.start.strftime("%Y-%m-%d %H:%M")
    yield f"{point.ok:,}/{point.rows:,} {percent(point.ok, point.rows)}"
    yield figure_or_value(point.raw)
    yield figure_or_value(point.corrected) if point.corrected else "none"
    yield figure_or_value(point.change, signed=True) if point.change else "baseline"
    yield "CHANGED" if point.alarm else ""


def _bridge(bridge: Bridge, shown: bool) -> str:
    at = bridge.changed_at.strftime("%Y-%m-%d %H:%M")
    said = f"{bridge.scorer}/{bridge.axis}: the judge changed on {at} from {bridge.old} to {bridge.new}"
    if not shown:
        return f"{said}; what that did is shown when both gates are open, or with --untrusted"
    if bridge.difference.value is None:
        return f"{said}; no trace was scored by both, so a jump cannot be told from a change of the system"
    return f"{said}; over {bridge.difference.n:,} traces that both scored the new one gives {figure(bridge.difference)}"


def _post(url: str, alerts: Sequence[Trend]) -> None:
    """Tell the webhook. It cannot undo the alert: a failure is said, and the exit code stays."""
    import httpx

    try:
        httpx.post(url, content=json_text({"alerts": alerts}), headers={"content-type": "application/json"}, timeout=10)
    except httpx.HTTPError as error:
        Console(stderr=True).print(f"the webhook {url} could not be told: {error}", markup=False, soft_wrap=True)
