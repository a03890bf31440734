"""Which traces have rows already, whoever wrote them: asked once a trace, read once a day of traces."""

from __future__ import annotations

from collections import OrderedDict

from jobs.online.seen import hashed
from judgefleet.storage import Location
from judgefleet.store import day_of, score_files, score_pieces
from judgefleet.trace import Trace

# Days of traces held at a time; a backlog goes through them in order.
_DAYS = 3


class Scored:
    """Traces in the store of one stream, by the day on which they began."""

    def __init__(self, store: Location) -> None:
        self._store = store
        self._days: OrderedDict[str, set[int]] = OrderedDict()

    def add(self, trace: Trace, *, joined: bool) -> bool:
        """Remember ``trace``; False where it is known. One ``joined`` from spans is known by its trace id alone."""
        known = self._day(day_of(trace.started_at))
        codes = _codes(trace.trace_id, trace.span_id)
        if codes[0 if joined else 1] in known:
            return False
        known.update(codes)
        return True

    def _day(self, day: str) -> set[int]:
        if day not in self._days:
            self._days[day] = self._read(day)
        self._days.move_to_end(day)
        while len(self._days) > _DAYS:
            self._days.popitem(last=False)
        return self._days[day]

    def _read(self, day: str) -> set[int]:
        pairs = {
            pair
            for rows in score_pieces(self._store, score_files(self._store, day), ["trace_id", "span_id"])
            for pair in zip(rows["trace_id"].to_pylist(), rows["span_id"].to_pylist(), strict=True)
        }
        return {code for trace_id, span_id in pairs for code in _codes(trace_id, span_id)}


def _codes(trace_id: str, span_id: str | None) -> tuple[int, int]:
    return hashed(trace_id), hashed(f"{trace_id}/{span_id or ''}")
