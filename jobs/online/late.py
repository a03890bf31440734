"""Parts of traces that were decided before they came: listed, and by configuration the trace is scored again."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import pyarrow as pa

from jobs.intake import Intake
from jobs.online.config import OnlineSettings
from jobs.online.feed import Found
from jobs.online.joining import Item, OpenObjects, Part
from jobs.online.micro_batch import LATE, SUPERSEDED, Batch
from jobs.online.versions import Version, Versions
from jobs.online.waiting import Waiting
from judgefleet.sample import Sample
from judgefleet.score import score_id
from judgefleet.storage import Location
from judgefleet.store import scores_of
from judgefleet.traces.reject import Reject
from judgefleet.traces.span import Span
from judgefleet.traces.spans import trace_of

_ASKED = ("trace_id", "scorer", "axis", "fingerprint")
_IDENTITY = ("trace_id", "span_id", "pair_id", "scorer", "axis", "fingerprint")


@dataclass(kw_only=True)
class _Held:
    item: Item
    told: list[Reject] = field(default_factory=list)


class Late:
    """``versions``: what traces were put together from, where they are to be scored again; None where they are not."""

    def __init__(
        self, settings: OnlineSettings, intake: Intake, objects: OpenObjects, versions: Versions | None
    ) -> None:
        self._settings, self._intake, self._objects = settings, intake, objects
        self._versions = versions
        self._waiting: Waiting[_Held] = Waiting()
        self._ready: deque[_Held] = deque()

    def take(self, part: Part, identity: str, found: Found) -> None:
        """A part that came late. What follows it within the time in which a trace settles is taken with it."""
        at = found.info.modified
        held = self._waiting.get(identity) or _Held(item=Item(identity=identity, first=at, last=at))
        held.item.add(part, found.key, found.info.uri, at)
        held.told.append(_told(part, identity, found.info.uri))
        self._objects.expect(found.key, identity)
        self._waiting.put(identity, held, at + (self._settings.settle_seconds if self._versions else 0.0))

    def decide(self, until: float, batch: Batch) -> None:
        """Those that wait no longer ``until`` then. Raises ConfigError and StoreError; nothing is lost by it."""
        self._ready += self._waiting.due(until)
        self._ready += self._waiting.soonest(len(self._waiting) - self._settings.max_pending_traces)
        for _ in range(len(self._ready)):
            if len(batch.samples) >= self._settings.batch_traces:
                break
            held = self._ready[0]
            if self._versions is not None and self._versions.in_work(held.item.identity):
                self._ready.rotate(-1)  # it is told what it is to supersede when that is committed
                continue
            self._decide(held, batch)
            self._ready.popleft()

    def _decide(self, held: _Held, batch: Batch) -> None:
        item = held.item
        version = self._versions.find(item.identity) if self._versions is not None and item.spans else None
        sample, changed = self._anew(version, item) if version is not None else (None, False)
        batch.counts[LATE] += len(held.told)
        batch.rejects += held.told
        if self._versions is not None and version is not None and sample is not None:
            # Also what says nothing by itself is kept: it may say something with what comes after it.
            batch.versions[item.identity] = Version.of(sample, (*version.spans, *item.spans), version.days)
            batch.counts[SUPERSEDED] += changed
            batch.samples += [sample] * changed
            batch.superseded += [version] * changed
            self._versions.begin(item.identity)
        self._objects.decide(item)

    def _anew(self, version: Version, item: Item) -> tuple[Sample | None, bool]:
        """The sample with all that came, None where that cannot be read; and whether it says anything new."""
        uri, options = min([version.source_uri, *item.objects.values()]), self._intake.config.input.read
        trace = trace_of([*version.spans, *item.spans], uri, options)
        if isinstance(trace, Reject):
            return None, False
        return version.sample(self._intake.enriched(trace)), trace != trace_of(version.spans, uri, options)


def superseding(store: Location, rows: pa.Table, versions: list[Version]) -> pa.Table:
    """``rows``, those about a newer version of a trace with the id of the row that they replace, and one of their own.

    Replaced is the row of the same trace, scorer and axis by the same judge (``fingerprint``).
    """
    if not versions:
        return rows
    judges = sorted(set(rows["fingerprint"].to_pylist()))
    days = {day for version in versions for day in version.days.split(",")}
    old = scores_of(store.uri, [version.trace_id for version in versions], judges, days=sorted(days))
    known = {tuple(row[name] for name in _ASKED): row["score_id"] for row in old.to_pylist()}
    changed = []
    for row in rows.to_pylist():
        replaced = known.get(tuple(row[name] for name in _ASKED))
        ids = {"supersedes": replaced, "score_id": score_id(**{n: row[n] for n in _IDENTITY}, supersedes=replaced)}
        changed.append(row | ids)
    return pa.Table.from_pylist(changed, schema=rows.schema)


def _told(part: Part, identity: str, uri: str) -> Reject:
    position = part.position if isinstance(part, Span | Reject) else ""
    return Reject(uri=uri, position=position, reason="came after its trace was decided", trace_id=identity)
