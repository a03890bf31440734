"""The rows of one scorer on one axis: those of the version that scored last."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from calibration.gate import GateDecision
from calibration.judged import Judge, segment_column, segments_of
from jobs.gates import gates_for, last_scored
from judgefleet.errors import ConfigError, did_you_mean
from judgefleet.pieces import is_one_of
from judgefleet.score import SCORE_SCHEMA
from judgefleet.scorer import ScorerKind
from judgefleet.store import score_batches, scorers_in, while_files_merge


@dataclass(frozen=True, kw_only=True, slots=True)
class Latest:
    """``gate``: the decision that holds for an LLM judge, None for what needs no trust. ``others``: fingerprints of the
    versions that are passed over."""

    judge: Judge
    rows: pa.Table
    gate: GateDecision | None
    others: tuple[str, ...]


def latest_rows(store: str, named: str, columns: Sequence[str], by: str | None = None) -> Latest:
    """The rows of ``named``, which is ``SCORER`` or ``SCORER:AXIS``, with ``columns`` and what ``by`` parts them by.

    Raises ConfigError: no such scorer or axis, or several axes and none named; StoreError.
    """
    judges = _versions(store, named)
    judge, *others = sorted(judges, key=lambda judge: (judges[judge], judge.fingerprint), reverse=True)
    names = list(dict.fromkeys([*Judge._fields, "scorer_kind", *columns, *segment_column(by)]))
    mine = is_one_of("fingerprint", [judge.fingerprint]) & is_one_of("axis", [judge.axis])
    rows = while_files_merge(lambda: _read(store, names, mine, judge.scorer))
    judged = rows.num_rows and rows["scorer_kind"][0].as_py() == ScorerKind.LLM
    return Latest(
        judge=judge,
        rows=rows,
        gate=gates_for(store, [judge])[0] if judged else None,
        others=tuple(other.fingerprint for other in others),
    )


def _versions(store: str, named: str) -> dict[Judge, object]:
    scorer, _, axis = named.partition(":")
    found = last_scored(store, ds.field("axis").is_valid(), scorer)
    if not found:
        raise ConfigError(f"no scorer {scorer!r} has rows in {store!r}; {did_you_mean(scorer, scorers_in(store))}")
    axes = sorted({judge.axis for judge in found})
    if not axis and len(axes) > 1:
        raise ConfigError(f"{scorer!r} has several axes; name one as {scorer}:AXIS; allowed: {', '.join(axes)}")
    if axis and axis not in axes:
        raise ConfigError(f"{scorer!r} has no axis {axis!r}; {did_you_mean(axis, axes)}")
    return {judge: when for judge, when in found.items() if judge.axis == (axis or axes[0])}


def _read(store: str, names: list[str], mine: ds.Expression, scorer: str) -> pa.Table:
    schema = pa.schema([SCORE_SCHEMA.field(name) for name in names])
    plain = pa.schema([f.with_type(f.type.value_type) if pa.types.is_dictionary(f.type) else f for f in schema])
    tables = [table.select(names).cast(plain) for table in score_batches(store, names, mine, scorer)]
    return pa.concat_tables([plain.empty_table(), *tables])


def by_segment(rows: pa.Table, by: str | None) -> list[tuple[str, pa.Table]]:
    """``rows`` parted by a field of the trace or the name of an attribute; all of them, as "", where ``by`` is None."""
    if by is None:
        return [("", rows)]
    names = segments_of(rows, by)
    return [(name, rows.filter(pc.equal(names, name))) for name in sorted(names.unique().to_pylist())]
