"""Draws traces of a score store into an audit that people can label."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa

from calibration.audit import PAIR, PAIR_LABELS, RATING, AuditInfo, AuditItem
from calibration.audit_folder import Audit
from calibration.audit_size import plan_agreement_audit
from calibration.draw import Drawn, draw
from calibration.guide import guide_of
from calibration.policy import Policy
from jobs.audit_offered import Offer, Wanted, config_of, offered
from judgefleet.errors import ConfigError
from judgefleet.location import open_location
from judgefleet.sample import sample_from_row
from judgefleet.storage import list_objects
from judgefleet.stored_samples import read_samples
from judgefleet.trace import Trace

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
    judge, offers = offered(store, Wanted(scorer=plan.scorer, axis=plan.axis, by=plan.by, cut=plan.cut))
    kind = offers[0].kind
    before = audit.info if audit.exists else None
    if before and (before.kind, before.scorer, before.axis) != (kind, plan.scorer, plan.axis):
        raise ConfigError(f"the audit {audit.uri!r} is about {before.scorer}/{before.axis}; draw into another folder")
    items = audit.items
    through = (before.drawn if before else {}).get("through", "")
    # A trace has one chance: what an earlier draw could have taken is not offered again, so that its probability holds.
    new = {o.candidate.key: o for o in offers if o.candidate.key not in items and (not before or o.began > through)}
    if not new:
        raise ConfigError(
            f"no scored trace of {plan.scorer}/{plan.axis} is newer than what {audit.uri!r} was drawn from "
            f"({through}); draw into another folder for more of the same"
        )
    drawn = draw([offer.candidate for offer in new.values()], plan.n, plan.salt)
    traces = _traces(store, [trace for d in drawn for trace in new[d.key].trace_ids])
    frozen = 0 if any(item.anchor for item in items.values()) else plan.anchors
    anchors = {d.key for d in sorted(drawn, key=lambda d: d.key)[:frozen]}
    made = [_item(d, new[d.key], traces, plan, d.key in anchors) for d in drawn]
    info = before or _info(audit, kind, plan, len(new), guide_of(config_of(store, judge), plan.axis))
    ends = max(offer.began for offer in new.values())
    audit.write_info(info.model_copy(update={"drawn": info.drawn | {"through": ends}}))
    audit.write_items([*items.values(), *made])
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


def _traces(store: str, trace_ids: Sequence[str]) -> dict[str, Trace]:
    """The traces as they were scored, by id, from whatever run scored them."""
    folder = open_location(store).child("_samples")
    runs = sorted({open_location(i.uri).path[len(folder.path) :].split("/")[1] for i in list_objects(folder.uri)})
    found: dict[str, Trace] = {}
    for run in runs:
        table: pa.Table = read_samples(store, run, trace_ids=list(trace_ids))
        found |= {row["trace_id"]: sample_from_row(row).trace for row in table.to_pylist()}
    return found


def _item(drawn: Drawn, offer: Offer, traces: Mapping[str, Trace], plan: Plan, anchor: bool) -> AuditItem:
    ids = offer.trace_ids
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
        segments[plan.by] = offer.segment
    return AuditItem(
        item_id=drawn.key,
        question=first.question,
        context="\n\n".join(first.contexts) or None,
        responses=tuple(trace.output for trace in shown),
        reference=first.reference,
        trace_ids=ids,
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
