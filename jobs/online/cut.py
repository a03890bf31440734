"""Cuts micro-batches: reads objects until enough traces are ready, and decides about each of them, once."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterator

from jobs.intake import REJECTED, SAMPLED, Intake
from jobs.online.config import OnlineConfig
from jobs.online.feed import Feed, Found
from jobs.online.groups import Groups
from jobs.online.joining import Item, OpenObjects, Part, identity_of
from jobs.online.late import Late
from jobs.online.log import Entry
from jobs.online.micro_batch import DUPLICATE, Batch
from jobs.online.scored import Scored
from jobs.online.seen import Recent
from jobs.online.versions import Version, Versions
from jobs.online.waiting import Waiting
from judgefleet.errors import ConfigError, StoreError
from judgefleet.trace import Trace
from judgefleet.traces.reader import read_parts
from judgefleet.traces.reject import Reject
from judgefleet.traces.span import Span

# Decided traces a batch at most, over the sampled ones it may have: with low rates progress is committed all the same.
_DECIDED_OVER_SAMPLED = 50
# A trace waits so many times longer for its root than for anything else.
_WITHOUT_ROOT = 10


class Cutter:
    """Goes through the input once. What it holds is lost with the process, and read again from what the log says.

    ``versions``: where late spans have their trace scored again.
    """

    def __init__(
        self,
        config: OnlineConfig,
        intake: Intake,
        feed: Feed,
        objects: OpenObjects,
        scored: Scored,
        groups: Groups,
        versions: Versions | None = None,
    ) -> None:
        self._config, self._settings, self._intake = config, config.online, intake
        self._feed, self._objects, self._scored, self._groups = feed, objects, scored, groups
        self._versions, self._late = versions, Late(self._settings, intake, objects, versions)
        self._joining: Waiting[Item] = Waiting()
        self._whole: list[Item] = []
        self._complete: deque[Item] = deque()
        self._traces: deque[tuple[Item, Trace]] = deque()
        self._recent = Recent()
        self._failures: Counter[str] = Counter()

    @property
    def pending(self) -> int:
        """Traces that wait for more of themselves or of their group."""
        return len(self._joining) + len(self._groups)

    def cut(self, factor: float, *, last: bool = False) -> Batch:
        """The next batch, drawn at rates times ``factor``. ``last``: nothing more will come, so nothing waits.

        It ends early where an object cannot be read now. Raises ConfigError and StoreError when that is the first.
        """
        batch = Batch(factor=factor)
        try:
            self._fill(batch, last)
        except (ConfigError, StoreError):
            if not self._closed(batch).empty:
                return batch  # what is decided is committed; the next call meets the same again
            raise
        return self._closed(batch)

    def committed(self, entry: Entry, batch: Batch) -> None:
        """``batch`` has been committed by ``entry``."""
        if self._versions is not None:
            self._versions.committed(entry.versions, batch.versions)

    def trim(self) -> None:
        """Forget what is older than is kept."""
        if self._versions is not None:
            self._versions.trim()

    def _fill(self, batch: Batch, last: bool) -> None:
        self._decide_due(batch, last)
        while not self._full(batch) and (found := self._feed.take()) is not None:
            self._read(found, batch)
            self._decide_due(batch, last)

    def _closed(self, batch: Batch) -> Batch:
        batch.objects, batch.opened = self._objects.take_done(), self._objects.opened()
        return batch

    def _full(self, batch: Batch) -> bool:
        most = self._settings.batch_traces
        return len(batch.samples) >= most or sum(batch.counts.values()) >= most * _DECIDED_OVER_SAMPLED

    def _read(self, found: Found, batch: Batch) -> None:
        parts = self._parts(found)
        batch.newest = max(batch.newest, found.info.modified)
        self._objects.begin(found.key)
        for part in parts:
            identity = identity_of(part, found.key)
            if not self._objects.was_decided(found.key, identity):
                self._place(part, identity, found, batch)
        self._objects.end(found.key)

    def _parts(self, found: Found) -> list[Part]:
        """What is in an object. One that cannot be read is tried again later; after some tries it is a reject."""
        try:
            given = self._config.input
            return list(read_parts(found.info.uri, format=given.format, options=given.read))
        except (ConfigError, StoreError) as error:
            self._failures[found.key] += 1
            gone = isinstance(error, ConfigError) and self._failures[found.key] >= self._settings.max_tries
            if not gone:
                self._feed.give_back(found)
                raise
            return [Reject(uri=found.info.uri, position="object", reason=str(error))]

    def _place(self, part: Part, identity: str, found: Found, batch: Batch) -> None:
        """A part of a trace joins the others; one of a trace that is decided is late, or a copy."""
        of_spans = isinstance(part, Span) or (isinstance(part, Reject) and part.trace_id is not None)
        if of_spans and (identity in self._recent or (self._versions is not None and identity in self._versions)):
            self._late.take(part, identity, found)
            return
        if identity in self._recent:
            batch.counts[DUPLICATE] += 1
            return
        at = found.info.modified
        item = self._joining.get(identity) or Item(identity=identity, first=at, last=at)
        item.add(part, found.key, found.info.uri, at)
        self._objects.expect(found.key, identity)
        if of_spans:
            self._joining.put(identity, item, self._due(item))
        else:
            self._recent.add(identity)
            self._whole.append(item)

    def _due(self, item: Item) -> float:
        return item.last + self._settings.settle_seconds * (1 if item.rooted else _WITHOUT_ROOT)

    def _decide_due(self, batch: Batch, last: bool) -> None:
        """Nothing leaves its queue before it is decided: the store may fail to answer in between."""
        until = math.inf if last and not self._feed.waiting else self._feed.watermark()
        self._complete += self._ready(until)
        while self._complete:
            self._read_whole(self._complete[0], batch)
            self._complete.popleft()
        self._traces += self._groups.ready(until)
        self._traces += self._groups.soonest(self.pending - self._settings.max_pending_traces)
        while self._traces:
            self._decide(*self._traces[0], batch)
            self._traces.popleft()
        self._late.decide(until, batch)

    def _read_whole(self, item: Item, batch: Batch) -> None:
        trace = item.read(self._config.input.read)
        if isinstance(trace, Reject):
            batch.rejects.append(trace)
            batch.counts[REJECTED] += 1
            self._objects.decide(item)
        else:
            self._groups.add(item, self._intake.enriched(trace))

    def _ready(self, until: float) -> Iterator[Item]:
        whole, self._whole = self._whole, []
        yield from whole
        for item in self._joining.due(until):
            wait = self._settings.settle_seconds
            if until < math.inf and not self._feed.quiet(item.first, item.last, wait):
                self._joining.put(item.identity, item, until + max(wait, 1.0))
                continue
            self._recent.add(item.identity)
            yield item
        for item in self._joining.soonest(self.pending - self._settings.max_pending_traces):
            self._recent.add(item.identity)
            yield item

    def _decide(self, item: Item, trace: Trace, batch: Batch) -> None:
        outcome, sample = self._intake.decide(trace, batch.factor)
        if sample is None:
            batch.counts[outcome] += 1
        elif self._scored.add(trace, joined=bool(item.spans)):
            batch.counts[SAMPLED] += 1
            batch.samples.append(sample)
            if self._versions is not None and item.spans:
                self._versions.begin(trace.trace_id)
                batch.versions[trace.trace_id] = Version.of(sample, item.spans)
        else:
            batch.counts[DUPLICATE] += 1
        self._objects.decide(item)
