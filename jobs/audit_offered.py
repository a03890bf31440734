"""Which traces or pairs of a score store may be drawn into an audit: those with a value from the newest judge."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow.compute as pc
import pyarrow.dataset as ds

from calibration.audit import PAIR, RATING
from calibration.draw import Candidate
from calibration.judged import NOT_SAID, Judge, in_order, segment_column
from jobs.gates import last_scored
from judgefleet.errors import ConfigError
from judgefleet.pieces import is_one_of
from judgefleet.score import Status
from judgefleet.storage import open_location
from judgefleet.store import score_batches, score_files, score_pieces, while_files_merge

Row = Mapping[str, Any]
_COLUMNS = (
    *("trace_id", "other_trace_id", "pair_id", "variant", "scored_at", "trace_started_at", "status", "value", "label"),
    *("probabilities", "order_consistent", "inclusion_probability"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Of what to draw, how it is parted: by the verdict, a pass from ``cut`` on, and ``by``, a field or attribute."""

    scorer: str
    axis: str
    by: str | None
    cut: float | None

    @property
    def rows(self) -> ds.Expression:
        """True for the rows of every judge of this scorer and axis."""
        return is_one_of("scorer", [self.scorer]) & is_one_of("axis", [self.axis])


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """One trace, or pair: ``began`` is when it did, or was scored, as text that sorts by time."""

    candidate: Candidate
    trace_ids: tuple[str, ...]
    variant: str
    segment: str
    began: str

    @property
    def kind(self) -> str:
        """What people are asked about it."""
        return RATING if len(self.trace_ids) == 1 else PAIR


def offered(store: str, wanted: Wanted) -> tuple[Judge, list[Offer]]:
    """The newest judge, and every trace or pair that it gave a value. Raises ConfigError where there is none."""
    judges = last_scored(store, wanted.rows, wanted.scorer)
    if not judges:
        known = sorted({f"{judge.scorer}/{judge.axis}" for judge in last_scored(store, ds.scalar(True))})
        raise ConfigError(f"found no {wanted.scorer}/{wanted.axis} in {store!r}; it has: {', '.join(known) or 'none'}")
    newest = max(judges, key=lambda judge: in_order(judge, judges[judge]))
    found = while_files_merge(lambda: _one_a_pair(_offers(store, wanted, newest)))
    if not found:
        raise ConfigError(f"no row of {wanted.scorer}/{wanted.axis} in {store!r} has a value; nothing can be drawn")
    return newest, found


def config_of(store: str, judge: Judge) -> str | None:
    """The configuration of a judge, as its rows have it."""
    mine = is_one_of("fingerprint", [judge.fingerprint])
    place = open_location(store)
    first = while_files_merge(lambda: next(score_pieces(place, score_files(place), ["config"], mine)))
    found = first["config"][0].as_py()
    return None if found is None else str(found)


def _offers(store: str, wanted: Wanted, judge: Judge) -> Iterator[Offer]:
    mine = wanted.rows & is_one_of("fingerprint", [judge.fingerprint])
    columns = list(dict.fromkeys([*_COLUMNS, *segment_column(wanted.by)]))
    for rows in score_batches(store, columns, mine, wanted.scorer):
        for row in rows.filter(pc.equal(rows["status"], Status.OK.value)).to_pylist():
            yield _offer(row, wanted)


def _one_a_pair(offers: Iterator[Offer]) -> list[Offer]:
    """The mirrored row of a pair says the same: that of the variant that comes first is kept."""
    kept: dict[str, Offer] = {}
    for offer in offers:
        known = kept.setdefault(offer.candidate.key, offer)
        if (offer.variant, offer.trace_ids[0]) < (known.variant, known.trace_ids[0]):
            kept[offer.candidate.key] = offer
    return sorted(kept.values(), key=lambda offer: (offer.variant, offer.trace_ids[0]))


def _offer(row: Row, wanted: Wanted) -> Offer:
    segment = "" if wanted.by is None else _segment(row, wanted.by)
    at: datetime = row["trace_started_at"] or row["scored_at"]
    return Offer(
        candidate=Candidate(
            key=row["pair_id"] or row["trace_id"],
            stratum=_verdict(row, wanted.cut) + (f"/{segment}" if wanted.by is not None else ""),
            unsure=1.0 if row["order_consistent"] is False else _unsure(dict(row["probabilities"] or ())),
            probability=row["inclusion_probability"] or 1.0,
        ),
        trace_ids=tuple(t for t in (row["trace_id"], row["other_trace_id"]) if t is not None),
        variant=row["variant"] or "",
        segment=segment,
        began=at.isoformat(),
    )


def _unsure(probabilities: Mapping[str, float]) -> float:
    """0 where one label has all, 1 where all are alike."""
    if len(probabilities) < 2:
        return 0.0
    return (1 - max(probabilities.values())) / (1 - 1 / len(probabilities))


def _verdict(row: Row, cut: float | None) -> str:
    if cut is not None:
        return "pass" if row["value"] >= cut else "fail"
    return str(row["label"] or "scored")


def _segment(row: Row, name: str) -> str:
    value = row[name] if name in row else dict(row["attributes"] or ()).get(name)
    return str(value) if value is not None else NOT_SAID
