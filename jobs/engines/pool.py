"""Actors behind one engine: whoever asks goes to the one with the least in work."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Self

from judges.prompt import Prompt
from judges.verdict import Reply

_LOCK = threading.Lock()


class ActorPool:
    """Replicas of one engine. All prompts of one call go to one replica, the one with the fewest in work."""

    def __init__(self, actors: Sequence[Any]) -> None:
        self._actors = list(actors)
        self._waiting = [0] * len(self._actors)

    def __reduce__(self) -> tuple[type[Self], tuple[list[Any]]]:
        # A worker counts its own prompts; the lock cannot travel.
        return type(self), (self._actors,)

    def ask(self, prompts: Sequence[Prompt]) -> list[Reply]:
        """One reply a prompt, in order. Raises when the replica died."""
        import ray

        with _LOCK:
            chosen = min(range(len(self._actors)), key=lambda i: self._waiting[i])
            self._waiting[chosen] += len(prompts)
        try:
            replies: list[Reply] = ray.get(self._actors[chosen].ask.remote(list(prompts)))
        finally:
            with _LOCK:
                self._waiting[chosen] -= len(prompts)
        return replies
