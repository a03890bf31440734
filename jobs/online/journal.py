"""What a loop says on stderr: lines for people, or JSON objects for machines."""

from __future__ import annotations

import json
import sys
import threading
from datetime import UTC, datetime

from jobs.online.log import Entry


class Journal:
    """One line an event. ``as_json``: each a JSON object with time, event and its fields."""

    def __init__(self, *, as_json: bool = False) -> None:
        self._as_json, self._lock = as_json, threading.Lock()

    def say(self, text: str) -> None:
        """Something that a person should know."""
        self._write("message", text, {"message": text})

    def committed(self, entry: Entry) -> None:
        """A batch is in the log."""
        counts = ", ".join(
            f"{count:,} {name.replace('_', ' ')}" for name, count in sorted(entry.counts.items()) if count
        )
        rows = sum(entry.statuses.values())
        text = f"batch {entry.number:,}: {counts or 'no traces'}; {rows:,} rows in {entry.spent.seconds:.1f} s"
        text += f"; rates times {entry.factor:g}" if entry.factor < 1 else ""
        text += f"; dead letters in {entry.dead}" if entry.dead else ""
        known = entry.model_dump(mode="json", exclude={"opened", "nonce", "objects"})
        self._write("committed", text, known | {"objects": len(entry.objects), "rows_committed": rows})

    def _write(self, event: str, text: str, fields: dict[str, object]) -> None:
        now = datetime.now(UTC)
        line = (
            json.dumps({"time": now.isoformat(), "event": event, **fields}, ensure_ascii=False)
            if self._as_json
            else f"{now:%Y-%m-%d %H:%M:%S} {text}"
        )
        with self._lock:
            print(line, file=sys.stderr, flush=True)  # noqa: T201 - this is where it goes
