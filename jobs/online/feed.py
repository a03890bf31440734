"""Finds what is new in the input and gives it out in order. Time here is the store's: when objects were written."""

from __future__ import annotations

import bisect
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from jobs.online.config import OnlineConfig
from jobs.online.seen import Seen, object_key
from judgefleet.storage import ObjectInfo, exists, list_objects, open_location

# Stores know the time of an object to the second, or better.
_INSTANT = 1e-6
# What strftime writes within an hour and within a day, also without leading zeros (%-H).
_STEPS = {r"%[-_]?[MRTXcs]": timedelta(minutes=1), r"%[-_]?[HIklpr]": timedelta(hours=1)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """An object that was not read yet, and the key by which it is remembered."""

    key: str
    info: ObjectInfo


class Feed:
    """Objects of the input that nobody has read, listed again by ``refresh``.

    Nothing is decided by this machine's clock: how long ago something was written is told from other objects and from
    the time that passed here, so a clock that jumps changes nothing.
    """

    def __init__(self, config: OnlineConfig, seen: Seen, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._root, self._settings = open_location(config.input.uri), config.online
        self._seen, self._monotonic = seen, monotonic
        self._waiting: list[Found] = []
        self._taken: set[str] = set()
        self._newest, self._newest_at = 0.0, monotonic()
        self._listed = 0.0

    def refresh(self) -> int:
        """List the input; returns how many objects are new. Raises ConfigError and StoreError."""
        began = self.now()
        keyed = {object_key(info, self._root.uri): info for info in self._list()}
        # A listing that has an object came after it: whatever is older is in the listing too.
        self._listed = max([began, *(info.modified - _INSTANT for info in keyed.values())])
        waiting = {found.key for found in self._waiting}
        known = waiting | self._taken
        new = [key for key in self._seen.unknown(list(keyed)) if key not in known]
        self._waiting += [Found(key=key, info=keyed[key]) for key in new]
        self._waiting.sort(key=_age)
        self._taken &= set(keyed)
        self._look_at_clock()
        return len(new)

    def take(self) -> Found | None:
        """The next object to read; None when all are read."""
        if not self._waiting:
            return None
        found = self._waiting.pop(0 if self._settings.order == "oldest_first" else -1)
        self._taken.add(found.key)
        return found

    def give_back(self, found: Found) -> None:
        """It could not be read now: it is waiting again."""
        self._taken.discard(found.key)
        bisect.insort(self._waiting, found, key=_age)

    @property
    def waiting(self) -> int:
        """Objects that are not read."""
        return len(self._waiting)

    @property
    def oldest(self) -> float | None:
        """When the oldest object that is not read was written."""
        return self._waiting[0].info.modified if self._waiting else None

    def now(self) -> float:
        """The time in the input's own clock: of its newest object, and what passed since that was first seen."""
        return self._newest + self._monotonic() - self._newest_at

    def watermark(self) -> float:
        """Everything written before this was read; with ``newest_first`` more may be unread (see ``quiet``).

        Where all is read, the time of the last listing: what came since is not known.
        """
        if self._waiting and self._settings.order == "oldest_first":
            return self._waiting[0].info.modified - _INSTANT
        return self._listed

    def quiet(self, first: float, last: float, seconds: float) -> bool:
        """Whether nothing written within ``seconds`` of the time from ``first`` to ``last`` is still to be read."""
        at = bisect.bisect_left(self._waiting, first - seconds, key=lambda found: found.info.modified)
        unread = at < len(self._waiting) and self._waiting[at].info.modified <= last + seconds
        return not unread and self._listed >= last + seconds

    def _look_at_clock(self) -> None:
        newest = max((found.info.modified for found in self._waiting), default=0.0)
        if newest > self.now():
            self._newest, self._newest_at = newest, self._monotonic()

    def _list(self) -> list[ObjectInfo]:
        if self._settings.partition is None:
            return list_objects(self._root.uri)
        folders = [self._root.child(name) for name in self._partitions(self._settings.partition)]
        return [info for place in folders if exists(place) for info in list_objects(place.uri)]

    def _partitions(self, pattern: str) -> list[str]:
        """Folders of the last ``lookback_hours`` and of the hour to come, for writers whose clock is ahead."""
        step = next((step for mark, step in _STEPS.items() if re.search(mark, pattern)), timedelta(days=1))
        end, zone = datetime.now(UTC) + timedelta(hours=1), ZoneInfo(self._settings.partition_zone)
        at, names = end - timedelta(hours=self._settings.lookback_hours + 1) - step, []
        while at <= end + step:
            names.append(at.astimezone(zone).strftime(pattern).strip("/"))
            at += step / 2  # where clocks change, a day has 23 hours
        return list(dict.fromkeys(names))


def _age(found: Found) -> tuple[float, str]:
    return found.info.modified, found.key
