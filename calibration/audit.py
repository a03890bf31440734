"""The records of an audit: what is labelled, what people said about it, and what judges said elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, Field

PAIR, RATING = "pair", "rating"
A, B, TIE = "A", "B", "TIE"
PAIR_LABELS = (A, B, TIE)


class AuditInfo(BaseModel, extra="forbid"):
    """``audit.yaml``.

    ``labels``: what a rater may answer, in the order of the scale where they are ``ordinal``; for pairs A, B, TIE.
    ``scale``: lowest and highest score where ratings are numbers. ``cut``: scores from here on are a pass; agreement is
    then about pass and fail. ``question``: what raters are asked.
    ``scorer`` and ``axis``: what in a score store the labels are about, where it is one.
    """

    audit_id: str
    kind: str = Field(pattern="^(pair|rating)$")
    labels: list[str] = Field(default_factory=list)
    ordinal: bool = False
    scale: tuple[float, float] | None = None
    cut: float | None = None
    question: str | None = None
    guide: str | None = None
    scorer: str | None = None
    axis: str | None = None
    description: str | None = None
    drawn: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditItem:
    """One thing to label. ``responses``: one text, or two of a pair; None where the text was not published.

    ``trace_ids``: the traces of the responses, in the same order. ``group_id``: the unit that was drawn (conversation
    or question); items of one group are not independent. ``inclusion_probability``: of the item in its population.
    ``segments``: named slices that figures are given by. ``anchor``: part of the frozen set.
    """

    item_id: str
    question: str | None = None
    context: str | None = None
    responses: tuple[str | None, ...] = ()
    reference: str | None = None
    trace_ids: tuple[str, ...] = ()
    group_id: str | None = None
    stratum: str | None = None
    inclusion_probability: float = 1.0
    segments: Mapping[str, str] = field(default_factory=dict)
    anchor: bool = False

    @property
    def cluster(self) -> str:
        """The group, or the item itself where it belongs to none."""
        return self.group_id or self.item_id


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    """What one rater said about one item, once. The last line of a rater about an item holds.

    ``label`` (a word of ``AuditInfo.labels``) or ``score`` (a number); neither when ``skipped`` or ``withdrawn``.
    ``order``: which response stood first (the position in ``AuditItem.responses``). ``adjudicated``: decides over
    all other raters. ``at``: ISO 8601, UTC.
    """

    item_id: str
    rater: str
    label: str | None = None
    score: float | None = None
    skipped: bool = False
    withdrawn: bool = False
    adjudicated: bool = False
    note: str | None = None
    order: tuple[int, ...] = ()
    at: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """A judge's verdict about an item, recorded elsewhere. For pairs in terms of the item's own A and B:
    ``verdict_ab`` with A shown first, ``verdict_ba`` with B shown first, None where unparsed or not asked;
    ``combined`` where only the reconciled one is known. ``source``: the file it came from.
    For ratings the label is ``verdict_ab``, the number ``score``.
    """

    item_id: str
    judge: str
    prompt: str = ""
    source: str = ""
    verdict_ab: str | None = None
    verdict_ba: str | None = None
    combined: str | None = None
    order_inconsistent: bool | None = None
    score: float | None = None
