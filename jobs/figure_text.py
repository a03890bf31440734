"""Figures about sessions and tasks, on a terminal or as JSON."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa
from rich.console import Console
from rich.table import Column, Table

from jobs.audit_text import gate_line
from jobs.json_text import json_text
from jobs.latest_rows import Latest, by_segment, latest_rows
from jobs.trend_text import UNTRUSTED
from jobs.wording import decimals, end_of_scale, interval, number, one_line, percent
from judgefleet.errors import ConfigError
from judgefleet.pass_at_k import PassAtK, pass_at_k_of_rows
from judgefleet.sessions import SessionCost, cost_per_successful_session
from judgefleet.statistics import Estimate

# The one column that may hold a reason in words.
_INTERVAL = "95 %"
_SESSION = ("trace_id", "span_id", "conversation_id", "trace_started_at", "inclusion_probability", "value", "direction")


def show_sessions(
    store: str, *, success: str, threshold: float, rule: Any, cost: str, by: str | None, untrusted: bool, as_json: bool
) -> int:
    """Print what a successful session costs; returns the exit code. Raises ConfigError, StoreError."""
    judged, spent = (latest_rows(store, named, _SESSION, by) for named in (success, cost))
    if refused := _refused([judged, spent], untrusted=untrusted, as_json=as_json):
        return refused
    rows = pa.concat_tables([judged.rows, spent.rows])

    def figure(rows: pa.Table) -> SessionCost:
        axis, paid = judged.judge[:2], spent.judge[:2]
        return cost_per_successful_session(rows, success=axis, threshold=threshold, rule=rule, cost=paid)

    found = {name: figure(part) for name, part in by_segment(rows, by)}
    names = ("", "Cost", _INTERVAL, "Successful", "Counted", "No cost", "No verdict")
    _print([judged, spent], found, names, _session_cells, as_json=as_json)
    return 0 if all(one.estimate.value is not None for one in found.values()) else 3


def show_pass_at_k(
    store: str, *, k: Sequence[int], scorer: str, task: str, by: str | None, untrusted: bool, as_json: bool
) -> int:
    """Print pass@k; returns the exit code. Raises ConfigError, StoreError."""
    latest = latest_rows(store, scorer, ("value", "attributes"), by)
    if refused := _refused([latest], untrusted=untrusted, as_json=as_json):
        return refused
    parts = by_segment(latest.rows, by)
    found = {f"{name} pass@{n}".strip(): _pass_at_k(rows, n, task) for name, rows in parts for n in sorted(set(k))}
    names = ("", "Mean", _INTERVAL, "Tasks", "Too few", "Scored", "No task")
    _print([latest], found, names, _task_cells, as_json=as_json)
    return 0 if all(one.mean.value is not None for one in found.values()) else 3


def _pass_at_k(rows: pa.Table, k: int, task: str) -> PassAtK:
    try:
        return pass_at_k_of_rows(rows, k, by=task)
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _refused(read: Sequence[Latest], *, untrusted: bool, as_json: bool) -> int:
    """The exit code of the first judge that may not be shown."""
    closed = [one.gate for one in read if one.gate and not one.gate.trusted]
    if untrusted or not closed:
        return 0
    if as_json:
        print(json_text({"gates": closed, "untrusted_shown": False, "figures": {}}))  # noqa: T201
    console = Console(highlight=False, stderr=as_json)
    for gate in closed:
        console.print(gate_line(gate, f"{gate.scorer}/{gate.axis}"), markup=False, soft_wrap=True)
        console.print("  what it says is not shown; --untrusted shows it, marked", markup=False)
    return closed[0].exit_code


def _print(
    read: Sequence[Latest],
    found: dict[str, Any],
    names: Sequence[str],
    cells: Callable[[Any], Iterator[str]],
    *,
    as_json: bool,
) -> None:
    if as_json:
        gates = [one.gate for one in read if one.gate]
        print(json_text({"gates": gates, "notes": [*_notes(read)], "figures": found}))  # noqa: T201
        return
    console = Console(highlight=False)
    for note in _notes(read):
        console.print(note, markup=False, soft_wrap=True)
    table = Table(*(Column(name, no_wrap=name != _INTERVAL) for name in names), box=None)
    for name, figures in found.items():
        table.add_row(one_line(name, 40), *cells(figures))
    console.print(table)


def _notes(read: Sequence[Latest]) -> Iterator[str]:
    for one in read:
        mark = f"  {UNTRUSTED}" if one.gate and not one.gate.trusted else ""
        passed = f", which scored last; passed over: {', '.join(one.others)}" if one.others else ""
        yield f"{one_line(one.judge.scorer, 40)}/{one_line(one.judge.axis, 40)} ({one.judge.fingerprint}){passed}{mark}"


def _session_cells(found: SessionCost) -> Iterator[str]:
    yield from _figure(found.estimate, decimals((0.0, end_of_scale(found.estimate.value or 0.0))))
    yield f"{found.successful:,}/{found.counted:,} {percent(found.successful, found.counted)}"
    yield f"{found.counted:,}/{found.sessions:,}"
    yield f"{found.without_cost:,}"
    yield f"{found.without_verdict:,}"


def _task_cells(found: PassAtK) -> Iterator[str]:
    yield from _figure(found.mean, decimals((0.0, 1.0)))
    yield f"{len(found.tasks) - found.too_few:,}"
    yield f"{found.too_few:,}"
    yield f"{round(found.rows * (found.coverage or 0.0)):,}/{found.rows:,}"
    yield f"{found.without_task:,}"


def _figure(e: Estimate, places: int) -> tuple[str, str]:
    return number(e.value, places), interval(e, places)
