"""A few pairs as they are shown, row by row; figures are made of all of them by ``experiments.preference``."""

from collections.abc import Sequence

from experiments.comparison import Row, has_value
from experiments.preference import winner


def once(rows: Sequence[Row]) -> list[Row]:
    """One row a pair, the later variant's where the variants differ: the candidate's side."""
    chosen: dict[str, Row] = {}
    for row in sorted(rows, key=lambda r: (r["variant"] or "", r["trace_id"])):
        chosen[row["pair_id"] or " ".join(sorted((row["trace_id"], row["other_trace_id"] or "")))] = row
    return list(chosen.values())


def cell_of(row: Row) -> tuple[str, str] | None:
    """The two verdicts about a candidate's row, baseline first and candidate first; None unless both are known."""
    said = {o["first"] == row["trace_id"]: winner(o, row["trace_id"]) for o in row["orders"] or ()}
    first, second = said.get(False), said.get(True)
    return (first, second) if first and second and has_value(row) else None
