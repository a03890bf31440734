"""What a day may take, given out through the day; when it runs short, rates are halved and the halves are recorded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from jobs.online.config import BudgetConfig
from jobs.online.log import Spent
from jobs.online.state import State

_DAY = 86_400.0
# So much of a day's budget may be used ahead of time: an hour's share.
_AHEAD = 1 / 24


class RateControl:
    """The factor on every rate, a power of one half.

    It follows from what was spent before, never from the traces it is applied to: so the lowered rate is the true
    inclusion probability of every trace that is drawn by itself. Earlier turns of a conversation have a part in what
    was spent, and a hash with the later ones: see docs/online.md.

    >>> control = RateControl(BudgetConfig(tokens_per_day=2400, lowest_factor=0.25))
    >>> noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    >>> [control.factor(Spent(prompt_tokens=n), noon) for n in (1000, 1400, 1500, 1500, 900)]
    [1.0, 0.5, 0.25, 0.0, 0.5]
    """

    def __init__(self, budget: BudgetConfig, factor: float = 1.0) -> None:
        self._budget = budget
        self._factor = factor or 1.0

    def factor(self, spent: Spent, now: datetime) -> float:
        """The factor for the next batch after ``spent`` of today; 0: wait until more of the budget is given out."""
        if max(self.shares(spent).values(), default=0.0) <= self._released(now):
            self._factor = min(1.0, self._factor * 2)
            return self._factor
        if self._factor / 2 < self._budget.lowest_factor:
            return 0.0
        self._factor /= 2
        return self._factor

    def shares(self, spent: Spent) -> dict[str, float]:
        """How much of each budget is spent, 1 is all; budgets that are not set are left out."""
        limits = {
            "tokens": (spent.tokens, self._budget.tokens_per_day),
            "judge_seconds": (spent.seconds, self._budget.judge_seconds_per_day),
            "cost": (spent.cost, self._budget.cost_per_day),
        }
        return {name: used / limit for name, (used, limit) in limits.items() if limit is not None}

    def _released(self, now: datetime) -> float:
        midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return min(1.0, (now - midnight).total_seconds() / _DAY + _AHEAD)


class PacedControl:
    """Asks a RateControl once an entry of the log, and while it says to wait."""

    def __init__(self, control: RateControl, now: Callable[[], datetime]) -> None:
        self._control, self._now, self._known = control, now, (-1, 0.0)

    def factor(self, state: State) -> float:
        """The factor for the next batch; 0: wait."""
        number, factor = self._known
        if number != state.number or factor == 0.0:
            now = self._now()
            self._known = state.number, self._control.factor(state.spent_on(f"{now:%Y-%m-%d}"), now)
        return self._known[1]
