"""What an engine may spend: requests, tokens, money. It is set aside before a request is sent.

So a budget is not overdrawn by many requests at once; by no more than what reckoning the tokens of messages misses.
"""

import threading
from dataclasses import dataclass

from jobs.engines.config import EngineConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class Tokens:
    """Tokens read and written by one request."""

    read: int = 0
    written: int = 0

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(read=self.read + other.read, written=self.written + other.written)


class Budget:
    """Counts for all threads of one engine, from its start.

    >>> budget = Budget(EngineConfig(kind="scripted", max_requests=1))
    >>> budget.reserve(Tokens(read=10, written=1)), budget.reserve(Tokens(read=10, written=1))
    (None, 'engine.max_requests (1) is spent; raise it and run again with --retry-failed')
    """

    def __init__(self, config: EngineConfig) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._requests = 0
        self._tokens = Tokens()

    def reserve(self, tokens: Tokens) -> str | None:
        """Set aside one request of ``tokens``; else the reason why it may not be sent."""
        with self._lock:
            after = self._tokens + tokens
            if (field := self._overdrawn(after)) is not None:
                limit = getattr(self._config, field)
                return f"engine.{field} ({limit:g}) is spent; raise it and run again with --retry-failed"
            self._requests, self._tokens = self._requests + 1, after
        return None

    def settle(self, reserved: Tokens, used: Tokens) -> None:
        """What a request took in the end, in place of what was set aside for it."""
        with self._lock:
            self._tokens += Tokens(read=used.read - reserved.read, written=used.written - reserved.written)

    def _overdrawn(self, after: Tokens) -> str | None:
        config = self._config
        limits = {
            "max_requests": (config.max_requests, self._requests + 1),
            "max_tokens_total": (config.max_tokens_total, after.read + after.written),
            "max_cost": (config.max_cost, cost(config, after)),
        }
        return next((name for name, (limit, use) in limits.items() if limit is not None and use > limit), None)


def cost(config: EngineConfig, tokens: Tokens) -> float:
    """What ``tokens`` cost at the prices of the configuration; 0 where it names none.

    >>> priced = EngineConfig(kind="scripted", price_per_million_input=2.0, price_per_million_output=10.0)
    >>> cost(priced, Tokens(read=500_000, written=100_000))
    2.0
    """
    read = tokens.read * (config.price_per_million_input or 0.0)
    return (read + tokens.written * (config.price_per_million_output or 0.0)) / 1e6
