"""A micro-batch: what is committed together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from jobs.online.versions import Version
from judgefleet.sample import Sample
from judgefleet.traces.reject import Reject
from judgefleet.traces.span import Span

DUPLICATE, LATE, SUPERSEDED = "duplicate", "late", "superseded"


@dataclass(kw_only=True)
class Batch:
    """Traces that are committed together, and everything that was decided on the way to them.

    ``spans``: of the samples, what those are put together from that more may come of. ``superseded``: older versions
    of samples in it.
    """

    factor: float = 1.0
    samples: list[Sample] = field(default_factory=list)
    spans: dict[str, Sequence[Span]] = field(default_factory=dict)
    superseded: list[Version] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    objects: tuple[str, ...] = ()
    opened: dict[str, tuple[str, ...]] = field(default_factory=dict)
    newest: float = 0.0

    @property
    def empty(self) -> bool:
        """Whether there is nothing to commit."""
        return not (self.counts or self.objects)
