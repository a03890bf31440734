"""What a turn of one tool gave, and the table over all turns."""

import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

OURS = "judgefleet"


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What one turn gave. ``valid``: pairs of which both orders gave a label. ``errors``: the first few that differ."""

    name: str
    version: str
    pairs: int
    valid: int
    seconds: float
    errors: Sequence[str] = ()

    @property
    def rate(self) -> float:
        """Valid verdicts a second."""
        return self.valid / self.seconds


def summary(found: Sequence[Turn]) -> list[dict[str, Any]]:
    """One row a tool: medians over its turns, and the rate of judgefleet over its rate."""
    by_name: defaultdict[str, list[Turn]] = defaultdict(list)
    for turn in found:
        by_name[turn.name].append(turn)
    ours = statistics.median(turn.rate for turn in by_name[OURS])
    return [_row(name, of, ours) for name, of in by_name.items()]


def _row(name: str, turns: Sequence[Turn], ours: float) -> dict[str, Any]:
    rate = statistics.median(turn.rate for turn in turns)
    return {
        "tool": name,
        "version": turns[0].version,
        "turns": len(turns),
        "pairs": turns[0].pairs,
        "valid": statistics.median(turn.valid for turn in turns),
        "seconds": round(statistics.median(turn.seconds for turn in turns), 2),
        "valid_per_second": round(rate, 4),
        "ours_over_it": round(ours / rate, 2) if rate else None,
        "errors": sorted({error for turn in turns for error in turn.errors})[:3],
    }


def show(rows: Sequence[dict[str, Any]]) -> None:
    """The table, and below it why verdicts failed."""
    table = Table("tool", "version", "pairs", "valid", "seconds", "valid/s", "ours over it", box=None)
    for row in rows:
        ratio = "none valid" if row["ours_over_it"] is None else f"{row['ours_over_it']:.1f}"
        numbers = [f"{row['valid']:g}", f"{row['seconds']:.1f}", f"{row['valid_per_second']:.3f}", ratio]
        table.add_row(row["tool"], row["version"], str(row["pairs"]), *numbers)
    console = Console()
    console.print(table)
    for row in rows:
        for error in row["errors"]:
            console.print(f"{row['tool']}: {error[:100]!r}", markup=False, highlight=False)
