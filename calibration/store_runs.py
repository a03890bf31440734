"""Verdicts of judges about an audit's items, from the rows of a score store."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from calibration.audit import PAIR, TIE, A, AuditItem, B
from calibration.judgements import Judgement, JudgeRun
from judgefleet.score import Status

Row = Mapping[str, Any]
COLUMNS = (
    *("trace_id", "other_trace_id", "scorer", "axis", "fingerprint", "scorer_kind", "status", "value", "label"),
    *("probabilities", "order_consistent", "orders", "scored_at"),
)
_FROM_TRACE = {"win": A, "loss": B, "tie": TIE}


def store_runs(items: Iterable[AuditItem], rows: Iterable[Row], kind: str) -> list[JudgeRun]:
    """One run a scorer, axis and fingerprint, in the order of their last scores: the newest judge comes last.

    Rows without a value, and items without a row, are no verdict. ``judge`` is the scorer's name, ``prompt`` the axis.
    """
    wanted = {(i.trace_ids if kind == PAIR else i.trace_ids[:1]): i for i in items if i.trace_ids}
    found: dict[tuple[str, str, str], dict[str, Judgement]] = {}
    latest: dict[tuple[str, str, str], Any] = {}
    for row in rows:
        traces = (row["trace_id"], row["other_trace_id"]) if kind == PAIR else (row["trace_id"],)
        item = wanted.get(traces)
        if item is None or (kind == PAIR) != (row["other_trace_id"] is not None):
            continue
        key = (row["scorer"], row["axis"], row["fingerprint"])
        found.setdefault(key, {})[item.item_id] = _judgement(item, row, kind)
        latest[key] = max(latest.get(key) or row["scored_at"], row["scored_at"])
    for judgements in found.values():
        for item in wanted.values():
            judgements.setdefault(item.item_id, Judgement(item_id=item.item_id))
    return [
        JudgeRun(judge=key[0], prompt=key[1], source="store", fingerprint=key[2], judgements=found[key])
        for key in sorted(found, key=lambda key: (latest[key], key))
    ]


def _judgement(item: AuditItem, row: Row, kind: str) -> Judgement:
    if row["status"] != Status.OK:
        return Judgement(item_id=item.item_id)
    if kind == PAIR:
        return _pair(item, row)
    probabilities = dict(row["probabilities"] or ())
    return Judgement(item_id=item.item_id, first=row["label"], score=row["value"], probabilities=probabilities)


def _pair(item: AuditItem, row: Row) -> Judgement:
    """The row is that of the item's answer A: a win is A."""
    orders = {order["first"]: order for order in row["orders"] or ()}
    by_slot = {first: order["label"] for first, order in orders.items()}
    a, b = item.trace_ids
    said = dict(row["probabilities"] or ())
    return Judgement(
        item_id=item.item_id,
        first=_slot(by_slot.get(a), A, B),
        second=_slot(by_slot.get(b), B, A),
        combined=_FROM_TRACE.get(row["label"] or ""),
        order_consistent=row["order_consistent"],
        score=row["value"],
        odds=tuple(_odds(dict(orders[t]["probabilities"] or ())) for t in (a, b) if t in orders),
        probabilities={label: said[name] for name, label in _FROM_TRACE.items() if name in said},
    )


def _odds(place: Mapping[str, float]) -> float:
    first, second = (max(place.get(name, 0.0), 1e-9) for name in ("first", "second"))
    return math.log(first / second)


def _slot(label: str | None, first: str, second: str) -> str | None:
    return {"first": first, "second": second, "tie": TIE}.get(label or "")
