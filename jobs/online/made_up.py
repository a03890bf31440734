"""Made-up traffic for simulations: OTLP objects that come to be at a steady rate, written when they are read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jobs.online.config import OnlineConfig
from jobs.online.feed import Feed, Found
from jobs.online.seen import Seen
from jobs.online.simulated_time import SimulatedClock
from judgefleet.hashing import stable_hash
from judgefleet.storage import ObjectInfo

# An object a second, as a Collector that batches by time writes them, and more than one when they would be larger.
_LARGEST = 1000
_WORDS = ("parcel", "refund", "policy", "return", "address", "order", "days", "label", "customer", "damaged", "courier")


class MadeUpFeed(Feed):
    """The input of a simulation: ``rate`` traces a second since the clock began, each of one span."""

    def __init__(self, config: OnlineConfig, seen: Seen, clock: SimulatedClock, rate: float) -> None:
        super().__init__(config, seen, clock.monotonic)
        self._clock, self._folder = clock, Path(config.input.uri)
        self._each = max(1, min(round(rate), _LARGEST))
        self._seconds = self._each / rate
        self._infos: list[ObjectInfo] = []

    @property
    def arrived(self) -> int:
        """Traces so far."""
        return len(self._infos) * self._each

    def take(self) -> Found | None:
        """The next object, which is on disk until the one after it is taken."""
        found = super().take()
        if found is not None:
            with self._clock.aside():
                for old in self._folder.iterdir():
                    old.unlink()
                self._write(Path(found.info.uri), found.info.modified)
        return found

    def _list(self) -> list[ObjectInfo]:
        with self._clock.aside():
            for number in range(len(self._infos), int(self._clock.monotonic() / self._seconds)):
                at = self._clock.wall((number + 1) * self._seconds)
                self._infos.append(ObjectInfo(uri=str(self._folder / f"{number:09d}.json"), size=1, modified=at))
        return self._infos

    def _write(self, path: Path, at: float) -> None:
        first = int(path.stem) * self._each
        spans = [_span(number, at - self._seconds) for number in range(first, first + self._each)]
        resource = {"attributes": list(_attributes({"service.name": "simulated"}))}
        path.write_text(json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}))
        os.utime(path, (at, at))


def _span(number: int, at: float) -> dict[str, Any]:
    """A chat span without a parent; a question of 12 words, a context of 60 and an answer of 40."""
    asked = [{"role": "user", "parts": [{"type": "text", "content": _text(number, 12)}]}]
    said = [{"role": "assistant", "parts": [{"type": "text", "content": _text(number + 1, 40)}]}]
    given = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "simulated",
        "gen_ai.input.messages": json.dumps(asked),
        "gen_ai.output.messages": json.dumps(said),
        "gen_ai.retrieval.documents": json.dumps([{"content": _text(number % 50, 60)}]),
    }
    return {
        "traceId": stable_hash(number),
        "spanId": f"{number:016x}",
        "name": "chat",
        "startTimeUnixNano": str(int(at * 1e9)),
        "endTimeUnixNano": str(int((at + 1) * 1e9)),
        "attributes": list(_attributes(given)),
    }


def _attributes(given: dict[str, str]) -> Iterator[dict[str, Any]]:
    return ({"key": key, "value": {"stringValue": value}} for key, value in given.items())


def _text(seed: int, words: int) -> str:
    return " ".join(_WORDS[(seed * 7 + i * i) % len(_WORDS)] for i in range(words)) + f" {seed}"
