"""Draws traces of a score store into an audit that people can label."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from calibration.audit import PAIR, PAIR_LABELS, RATING, AuditInfo, AuditItem
from calibration.audit_folder import Audit
from calibration.audit_size import plan_agreement_audit
from calibration.draw import Candidate, Drawn, draw
from calibration.guide import guide_of
from calibration.policy import Policy
from judgefleet.errors import ConfigError
from judgefleet.location import open_location
from judgefleet.sample import sample_from_row
from judgefleet.storage import list_objects
from judgefleet.store import read_scores
from judgefleet.stored_samples import read_samples
from judgefleet.trace import Trace

Row = Mapping[str, Any]
_COLUMNS = [
    *("trace_id", "other_trace_id", "scorer", "axis", "fingerprint", "scored_at", "status", "value", "label", "config"),
    *("probabilities", "order_consistent", "variant", "attributes", "service", "inclusion_probability", "pair_id"),
    "trace_started_at",
]
# Better than the threshold by this much is what an audit should not miss, where the user says nothing.
_GOOD_MARGIN = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What to draw. ``by``: a field or attribute to stratify by, besides the verdict; ``anchors``: how many of
    the drawn are the frozen set; ``cut``: from which score on the judge's is a pass; ``guide``: what raters read."""

    scorer: str
    axis: str
    n: int
    salt: str
    by: str | None = None
    anchors: int = 0
    cut: float | None = None
    scale: tuple[float, float] | None = None
    question: str | None = None
    guide: str | None = None


def draw_audit(store: str, audit: Audit, plan: Plan) -> list[Drawn]:
    """Add ``plan.n`` items to ``audit``, which is made where there is none; traces it has already are left out.

    Raises ConfigError: no such scorer and axis, nothing left to draw, or an audit about something else.
    """
    rows = _judged(store, plan)
    kind = PAIR if rows[0]["other_trace_id"] is not None else RATING
    before = audit.info if audit.exists else None
    if before and (before.kind, before.scorer, before.axis) != (kind, plan.scorer, plan.axis):
        raise ConfigError(f"the audit {audit.uri!r} is about {before.scorer}/{before.axis}; draw into another folder")
    items = audit.items
    through = (before.drawn if before else {}).get("through", "")
    # A trace has one chance: what an earlier draw could have taken is not offered again, so that its probability holds.
    by_key = {_key(row): row for row in rows if _key(row) not in items and (not before or _began(row) > through)}
    if not by_key:
        raise ConfigError(
            f"no scored trace of {plan.scorer}/{plan.axis} is newer than what {audit.uri!r} was drawn from "
            f"({through}); draw into another folder for more of the same"
        )
    drawn = draw([_candidate(key, row, plan) for key, row in by_key.items()], plan.n, plan.salt)
    traces = _traces(store, [t for d in drawn for t in _trace_ids(by_key[d.key])])
    frozen = 0 if any(item.anchor for item in items.values()) else plan.anchors
    anchors = {d.key for d in sorted(drawn, key=lambda d: d.key)[:frozen]}
    new = [_item(d, by_key[d.key], traces, plan, d.key in anchors) for d in drawn]
    info = before or _info(audit, kind, plan, len(by_key), guide_of(rows[0]["config"], plan.axis))
    audit.write_info(info.model_copy(update={"drawn": info.drawn | {"through": max(map(_began, by_key.values()))}}))
    audit.write_items([*items.values(), *new])
    return drawn


def labels_for(policy: Policy) -> Iterator[str]:
    """How many labels the policy's requirements of a rate ask for, in words."""
    for requirement in policy.requirements:
        good = min(requirement.threshold + _GOOD_MARGIN, 0.99)
        if requirement.metric != "agreement" or good <= requirement.threshold or requirement.threshold <= 0:
            continue
        size = plan_agreement_audit(requirement.threshold, good, alpha=policy.alpha_each)
        yield (
            f"with {size.n_safe:,} labels a judge at {good:.2f} passes {requirement.title} >= "
            f"{requirement.threshold:.2f} four times out of five, and one at the threshold at most "
            f"{policy.alpha_each:.4f} of the time"
        )


def _judged(store: str, plan: Plan) -> list[dict[str, Any]]:
    """Rows with a value, of the newest judge of the scorer and axis, one a pair."""
    table = read_scores(store, _COLUMNS)
    mine = table.filter(pc.and_(pc.equal(table["scorer"], plan.scorer), pc.equal(table["axis"], plan.axis)))
    if not len(mine):
        known = sorted({f"{r['scorer']}/{r['axis']}" for r in table.select(["scorer", "axis"]).to_pylist()})
        raise ConfigError(f"found no {plan.scorer}/{plan.axis} in {store!r}; it has: {', '.join(known) or 'none'}")
    newest = max(mine.select(["fingerprint", "scored_at"]).to_pylist(), key=lambda r: r["scored_at"])["fingerprint"]
    rows = mine.filter(pc.and_(pc.equal(mine["fingerprint"], newest), pc.equal(mine["status"], "ok"))).to_pylist()
    if not rows:
        raise ConfigError(f"no row of {plan.scorer}/{plan.axis} in {store!r} has a value; nothing can be drawn")
    # The mirrored row of a pair says the same: keep that of the variant that comes first.
    kept: dict[str, dict[str, Any]] = {}
    for row in sorted(rows, key=lambda r: (r["variant"] or "", r["trace_id"])):
        kept.setdefault(row["pair_id"] or row["trace_id"], row)
    return list(kept.values())


def _key(row: Row) -> str:
    return str(row["pair_id"] or row["trace_id"])


def _began(row: Row) -> str:
    """When the trace began, or was scored where it does not say; as text that sorts by time."""
    at: datetime = row["trace_started_at"] or row["scored_at"]
    return at.isoformat()


def _trace_ids(row: Row) -> list[str]:
    return [t for t in (row["trace_id"], row["other_trace_id"]) if t is not None]


def _candidate(key: str, row: Row, plan: Plan) -> Candidate:
    segment = "" if plan.by is None else f"/{_segment(row, plan.by)}"
    said = dict(row["probabilities"] or ())
    return Candidate(
        key=key,
        stratum=f"{_verdict(row, plan)}{segment}",
        unsure=1.0 if row["order_consistent"] is False else _unsure(said),
        probability=row["inclusion_probability"] or 1.0,
    )


def _unsure(probabilities: Mapping[str, float]) -> float:
    """0 where one label has all, 1 where all are alike."""
    if len(probabilities) < 2:
        return 0.0
    return (1 - max(probabilities.values())) / (1 - 1 / len(probabilities))


def _verdict(row: Row, plan: Plan) -> str:
    if plan.cut is not None:
        return "pass" if row["value"] >= plan.cut else "fail"
    return str(row["label"] or "scored")


def _segment(row: Row, name: str) -> str:
    value = row[name] if name in row else dict(row["attributes"] or ()).get(name)
    return str(value) if value is not None else "none"


def _traces(store: str, trace_ids: Sequence[str]) -> dict[str, Trace]:
    """The traces as they were scored, by id, from whatever run scored them."""
    folder = open_location(store).child("_samples")
    runs = sorted({open_location(i.uri).path[len(folder.path) :].split("/")[1] for i in list_objects(folder.uri)})
    found: dict[str, Trace] = {}
    for run in runs:
        table: pa.Table = read_samples(store, run, trace_ids=list(trace_ids))
        found |= {row["trace_id"]: sample_from_row(row).trace for row in table.to_pylist()}
    return found


def _item(drawn: Drawn, row: Row, traces: Mapping[str, Trace], plan: Plan, anchor: bool) -> AuditItem:
    ids = _trace_ids(row)
    missing = [t for t in ids if t not in traces]
    if missing:
        raise ConfigError(
            f"the store has no text of trace {missing[0]!r}; it was scored by a run whose samples are gone"
        )
    shown = [traces[t] for t in ids]
    first = shown[0]
    golden = dict(first.attributes).get("judgefleet.item_id")
    segments = {"variant": first.variant} if first.variant and len(shown) == 1 else {}
    if plan.by is not None:
        segments[plan.by] = _segment(row, plan.by)
    return AuditItem(
        item_id=drawn.key,
        question=first.question,
        context="\n\n".join(first.contexts) or None,
        responses=tuple(trace.output for trace in shown),
        reference=first.reference,
        trace_ids=tuple(ids),
        group_id=golden or first.conversation_id,
        stratum=drawn.stratum,
        inclusion_probability=drawn.probability,
        segments=segments,
        anchor=anchor,
    )


def _info(audit: Audit, kind: str, plan: Plan, population: int, asked: tuple[str | None, str | None]) -> AuditInfo:
    return AuditInfo(
        audit_id=audit.name,
        kind=kind,
        labels=list(PAIR_LABELS) if kind == PAIR else [] if plan.scale else ["fail", "pass"],
        scale=plan.scale,
        ordinal=kind == RATING,
        cut=plan.cut,
        question=plan.question
        or asked[0]
        or ("Which answer is better?" if kind == PAIR else f"How is the {plan.axis}?"),
        guide=plan.guide or asked[1],
        scorer=plan.scorer,
        axis=plan.axis,
        drawn={
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "population": population,
            "n": plan.n,
            "salt": plan.salt,
            "by": plan.by or "",
        },
    )
