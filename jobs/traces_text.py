"""What ``judgefleet traces`` prints: for people, and as JSON for machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from jobs.traces_convert import Converted
from jobs.traces_found import Found, fields, top
from jobs.wording import one_line, percent, visible
from judgefleet.sample import Sample
from judgefleet.trace import Trace, trace_row
from judges.material import CLOSING, Part, defuse, opening
from judges.transcript import material

_LONGEST_TEXT = 2_000
_PROBLEMS_SHOWN = 20


def inspected(found: Found, parts: Sequence[Part]) -> dict[str, Any]:
    """All of it as plain data."""
    return {
        "objects": found.objects,
        "objects_read": found.read,
        "bytes": found.bytes,
        "formats": dict(top(found.formats)),
        "traces": found.traces,
        "spans": found.spans,
        "copies": found.copies,
        "traces_in_several_objects": found.split,
        "rejects": sum(found.rejects.values()),
        "reject_reasons": dict(top(found.rejects, 50)),
        "filled": dict(fields(found)),
        "first_started_at": found.first,
        "last_started_at": found.last,
        "conversations": found.conversations,
        "longest_conversation": found.longest_conversation,
        **{f"{name}s": dict(top(values, 50)) for name, values in found.names.items()},
        "attributes": dict(top(found.attributes, 50)),
        "example": trace_row(found.example) if found.example else None,
        "material": "".join(_shown(part) for part in parts),
    }


def judged(trace: Trace | None, rubric: Any) -> list[Part]:
    """What a judge with ``rubric`` would read of ``trace``."""
    if trace is None:
        return []
    return material("trace", Sample(trace=trace, stratum="", inclusion_probability=1.0, plan_hash=""), rubric)


def print_inspected(found: Found, parts: Sequence[Part], rubric: str, console: Console) -> None:
    """One screen or two."""
    for name, text in _lines(found):
        console.print(f"{name:<22}{text}", markup=False, soft_wrap=True)
    if found.traces:
        console.print(_filled(found))
    for reject in found.rejected:
        where = f"{visible(reject.uri)} {reject.position}"
        console.print(f"reject: {where}: {one_line(reject.reason, 160)}", markup=False, soft_wrap=True)
    if found.example is not None:
        console.print(f"\nWhat a judge with the rubric {rubric!r} would read of the first trace:", markup=False)
        console.print("".join(_shown(part) for part in parts), markup=False, soft_wrap=True)


def _shown(part: Part) -> str:
    text = visible(defuse(part.text))
    cut = len(text) - _LONGEST_TEXT
    return opening(part) + (text if cut <= 0 else f"{text[:_LONGEST_TEXT]} [... {cut:,} characters more]") + CLOSING


def _lines(found: Found) -> Iterator[tuple[str, str]]:
    spread = "" if found.read == found.objects else f"; {found.read:,} of them read, spread over all (--limit)"
    yield "objects", f"{found.objects:,}, {found.bytes / 1e6:,.1f} MB{spread}"
    yield "formats", _counted(top(found.formats))
    yield "traces", f"{found.traces:,}" + (f" from {found.spans:,} spans" if found.spans else "")
    yield from _odd(found)
    if found.first and found.last:
        yield "began", f"{found.first:%Y-%m-%d %H:%M:%S} to {found.last:%Y-%m-%d %H:%M:%S} UTC"
    if found.conversations:
        yield "conversations", f"{found.conversations:,}, the longest of {found.longest_conversation:,} traces"
    yield from ((f"{name}s", _counted(top(values))) for name, values in found.names.items() if values)
    if found.attributes:
        yield "attributes", ", ".join(visible(name) for name, _ in top(found.attributes, 20))


def _odd(found: Found) -> Iterator[tuple[str, str]]:
    if found.split:
        yield "", f"{found.split:,} have parts in more than one object"
    if found.copies:
        yield "", f"{found.copies:,} copies of another in the same object"
    rejects = sum(found.rejects.values())
    yield "rejects", f"{rejects:,} ({percent(rejects, rejects + found.traces)})" if rejects else "none"
    for reason, count in top(found.rejects):
        yield "", f"{count:,} x {one_line(reason, 120)}"


def _counted(names: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{one_line(name, 40)} {count:,}" for name, count in names) or "none"


def _filled(found: Found) -> Table:
    table = Table("field", "filled", box=None)
    for name, share in fields(found):
        table.add_row(name, percent(round(share * found.traces), found.traces))
    return table


def converted(done: Converted, out: str) -> dict[str, Any]:
    """What a conversion did."""
    rejects = {"rejects": done.rejects} | ({"rejects_at": f"{out.rstrip('/')}/_rejects"} if done.rejects else {})
    counts = {"objects": done.objects, "traces": done.traces, **rejects}
    return counts | {"parts": done.parts, "parts_written_now": done.parts_written, "out": out}


def print_labels(result: Mapping[str, Any], audit: str, console: Console) -> None:
    """A row a name, then what was left out."""
    table = Table("name", "human labels", "raters", "by no person", "rejects", box=None)
    for name, one in result["names"].items():
        counts = (one["labels"], one["raters"], one["not_human"], len(one["rejects"]))
        table.add_row(one_line(name, 40), *(f"{count:,}" for count in counts))
    console.print(table)
    told = f"{result['objects']:,} objects, {result['objects_without_labels']:,} of them without labels; "
    console.print(f"{told}{result['older_versions']:,} older versions of a label left out", markup=False)
    problems = [*result["unreadable"], *(reject for one in result["names"].values() for reject in one["rejects"])]
    for problem in problems[:_PROBLEMS_SHOWN]:
        console.print(f"reject: {one_line(problem, 400)}", markup=False, soft_wrap=True)
    if len(problems) > _PROBLEMS_SHOWN:
        console.print(f"... and {len(problems) - _PROBLEMS_SHOWN:,} more (--json lists all)", markup=False)
    said = f"written to {audit}; next: judgefleet audit run {audit}" if result["written"] else "nothing was written"
    console.print(said, markup=False, soft_wrap=True)
