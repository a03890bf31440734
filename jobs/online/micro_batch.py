"""A micro-batch: what is committed together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from jobs.online.versions import Version
from judgefleet.sample import Sample
from judgefleet.traces.reject import Reject

DUPLICATE, LATE, SUPERSEDED = "duplicate", "late", "superseded"


@dataclass(kw_only=True)
class Batch:
    """Traces that are committed together, and everything that was decided on the way to them.

    ``versions``: by trace, of what more may come of. ``superseded``: versions of which a newer one is among the
    samples. ``replayed``: the samples are those of an earlier batch.
    """

    factor: float = 1.0
    samples: list[Sample] = field(default_factory=list)
    versions: dict[str, Version] = field(default_factory=dict)
    superseded: list[Version] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    objects: tuple[str, ...] = ()
    opened: dict[str, tuple[str, ...]] = field(default_factory=dict)
    newest: float = 0.0
    replayed: bool = False

    @property
    def empty(self) -> bool:
        """Whether there is nothing to commit."""
        return not (self.counts or self.objects)
