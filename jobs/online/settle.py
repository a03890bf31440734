"""Rows for a batch, whatever happens on the way: tried again, taken apart, and what kills its worker put aside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from judgefleet.errors import RunError
from judgefleet.sample import Sample
from judgefleet.score import SCORE_SCHEMA, Status

_FAILED = [Status.ENGINE_ERROR.value, Status.TIMEOUT.value]


class Scoring(Protocol):
    """What scores: see ``jobs.online.fleet.Fleet``."""

    def score(self, samples: Sequence[Sample]) -> pa.Table:
        """Rows. Raises RunError when none came back."""
        ...

    def recover(self) -> None:
        """Make it work again. Raises RunError when it does not."""
        ...


class EngineUnwellError(RunError):
    """Every judgement of a batch failed: the engine is not well, and nothing is committed until it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Dead:
    """A sample that could not be scored: alone, its worker died or did not answer as often as is allowed."""

    sample: Sample
    reason: str
    tries: int


@dataclass(kw_only=True)
class Settled:
    """Rows of all samples but the dead."""

    tables: list[pa.Table] = field(default_factory=list)
    dead: list[Dead] = field(default_factory=list)

    @property
    def rows(self) -> pa.Table:
        """As one table of SCORE_SCHEMA."""
        return pa.concat_tables([SCORE_SCHEMA.empty_table(), *self.tables])


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """``tries`` for one lot of samples; a larger share of failed judgements than ``failed_share`` is tried again."""

    tries: int
    failed_share: float


def settle(
    scoring: Scoring, samples: Sequence[Sample], group_of: Callable[[Sample], str], patience: Patience
) -> Settled:
    """Score ``samples``; those of one group (``group_of``) stay together.

    Raises RunError when the workers cannot be brought back, EngineUnwellError when no judgement comes from the engine.
    """
    found, lots = Settled(), [list(samples)] if samples else []
    while lots:
        lot = lots.pop()
        rows, reason = _tried(scoring, lot, patience)
        if rows is not None:
            found.tables.append(rows)
        elif halves := _halves(lot, group_of):
            lots += halves
        else:
            found.dead += [Dead(sample=sample, reason=reason, tries=patience.tries) for sample in lot]
    return found


def _tried(scoring: Scoring, lot: Sequence[Sample], patience: Patience) -> tuple[pa.Table | None, str]:
    rows: pa.Table | None = None
    reason = ""
    for _ in range(patience.tries):
        try:
            rows = scoring.score(lot)
        except RunError as error:
            reason = str(error)
            scoring.recover()
            continue
        if failed_share(rows) <= patience.failed_share:
            return rows, ""
        scoring.recover()
    if rows is not None and failed_share(rows) == 1.0:
        raise EngineUnwellError(f"every judgement failed: {_first_reason(rows)}")
    return rows, reason


def failed_share(rows: pa.Table) -> float:
    """Of the judgements (rows of kind LLM that an engine was asked for): those that it failed to give."""
    judged = rows.filter(pc.equal(rows["scorer_kind"], "LLM"))
    asked = judged.filter(pc.not_equal(judged["status"], Status.NOT_APPLICABLE.value))
    failed = pc.sum(pc.is_in(asked["status"], pa.array(_FAILED))).as_py()
    return (failed or 0) / asked.num_rows if asked.num_rows else 0.0


def _first_reason(rows: pa.Table) -> str:
    failed = rows.filter(pc.is_in(rows["status"], pa.array(_FAILED)))
    return str(failed["reason"][0].as_py())


def _halves(lot: Sequence[Sample], group_of: Callable[[Sample], str]) -> list[list[Sample]]:
    """Two lots out of one, or none where all of it is one group."""
    groups: dict[str, list[Sample]] = {}
    for sample in lot:
        groups.setdefault(group_of(sample), []).append(sample)
    parts, middle = list(groups.values()), len(groups) // 2
    return [[s for part in half for s in part] for half in (parts[:middle], parts[middle:])] if middle else []
