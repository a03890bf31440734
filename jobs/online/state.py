"""What a stream has done, rebuilt from its log alone: the newest checkpoint, and the entries after it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from jobs.online.log import Entry, Log, Spent
from jobs.online.seen import Seen
from judgefleet.errors import RunError
from judgefleet.storage import Location, explained, folder_entries, read_table, write_table_atomic

_KEPT = 2
_DAYS = 2


@dataclass
class State:
    """The sum of all entries up to ``number``.

    ``opened``: objects read and not done, with what is decided of them. ``days``: spent on the last days. ``dead``:
    files of dead letters that were not replayed, and the samples in each.
    """

    number: int = 0
    published: int = 0
    seen: Seen = field(default_factory=Seen)
    opened: dict[str, tuple[str, ...]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    spent: Spent = field(default_factory=Spent)
    days: dict[str, Spent] = field(default_factory=dict)
    dead: dict[str, int] = field(default_factory=dict)
    last: Entry | None = None

    def apply(self, entry: Entry) -> None:
        """Add the next entry. Raises RunError for any other."""
        if entry.number != self.number + 1:
            raise RunError(f"entry {entry.number} does not follow {self.number}")
        self.number, self.published, self.last = entry.number, entry.published, entry
        self.seen.add(entry.objects)
        self.opened = dict(entry.opened)
        self.counts.update(entry.counts)
        self.statuses.update(entry.statuses)
        self.spent += entry.spent
        for name in entry.replayed:
            self.dead.pop(name, None)
        if entry.dead is not None:
            self.dead[entry.dead] = entry.counts.get("dead", 0)
        day = entry.finished_at[:10]
        self.days[day] = self.days.get(day, Spent()) + entry.spent
        self.days = dict(sorted(self.days.items())[-_DAYS:])

    def spent_on(self, day: str) -> Spent:
        """What was spent on a day, as YYYY-MM-DD in UTC."""
        return self.days.get(day, Spent())


def rebuild(root: Location) -> State:
    """The state of the stream whose folder is ``root``."""
    state = _newest_checkpoint(root)
    for entry in Log(root).after(state.number):
        state.apply(entry)
    return state


def write_checkpoint(root: Location, state: State) -> None:
    """Keep ``state``, so that a start need not read the whole log; older checkpoints go, the log stays."""
    kept = {
        "number": state.number,
        "published": state.published,
        "opened": state.opened,
        "counts": state.counts,
        "statuses": state.statuses,
        "spent": state.spent.model_dump(),
        "days": {day: spent.model_dump() for day, spent in state.days.items()},
        "dead": state.dead,
        "last": state.last and state.last.model_dump(mode="json"),
        "written_at": datetime.now(UTC).isoformat(),
    }
    table = pa.table({"object": pa.array(state.seen.packed())})
    table = table.replace_schema_metadata({"judgefleet.state": json.dumps(kept)})
    write_table_atomic(root, f"checkpoints/{state.number:09d}.parquet", table)
    with explained("write", root):
        for path in _checkpoints(root)[:-_KEPT]:
            root.fs.delete_file(root.child(path).path)


def _checkpoints(root: Location) -> list[str]:
    infos = folder_entries(root.child("checkpoints"))
    return sorted(f"checkpoints/{info.base_name}" for info in infos if info.path.endswith(".parquet"))


def _newest_checkpoint(root: Location) -> State:
    paths = _checkpoints(root)
    if not paths:
        return State()
    table = read_table(root.child(paths[-1]))
    kept = json.loads(table.schema.metadata[b"judgefleet.state"])
    return State(
        number=kept["number"],
        published=kept["published"],
        seen=Seen(table["object"].to_numpy().astype(np.uint64)),
        opened={key: tuple(ids) for key, ids in kept["opened"].items()},
        counts=Counter(kept["counts"]),
        statuses=Counter(kept["statuses"]),
        spent=Spent(**kept["spent"]),
        days={day: Spent(**spent) for day, spent in kept["days"].items()},
        dead=kept["dead"],
        last=Entry.model_validate(kept["last"]) if kept["last"] else None,
    )
