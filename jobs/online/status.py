"""Where a stream stands, told from the store alone: the loop need not run, nor be asked."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from jobs.gates import gates_of, newest
from jobs.online.budget import RateControl
from jobs.online.config import OnlineConfig
from jobs.online.feed import Feed
from jobs.online.lease import beat_of, newest_holder
from jobs.online.state import State, rebuild
from jobs.online.stream import stream_root
from judgefleet.storage import exists, open_location


def status(config: OnlineConfig) -> dict[str, Any]:
    """What ``--status`` prints. Raises ConfigError and StoreError when input or store cannot be read."""
    root = stream_root(config)
    state = rebuild(root)
    feed = Feed(config, state.seen)
    feed.refresh()
    gates = newest(gates_of(config.store)) if exists(open_location(config.store).child("scores")) else []
    return {
        "stream": config.name,
        "store": config.store,
        "loop": _loop(config),
        "batches": state.number,
        "last_commit": state.last.finished_at if state.last else None,
        "objects_waiting": feed.waiting,
        "lag_seconds": round(max(0.0, time.time() - feed.oldest), 1) if feed.oldest is not None else 0.0,
        "objects_open": len(state.opened),
        "traces": dict(sorted(state.counts.items())),
        "rows": _by_scorer(state.statuses),
        "spent": state.spent.model_dump(),
        "budget": _budget(config, state),
        "sampling_factor": state.last.factor if state.last else 1.0,
        "dead_letters": sum(state.dead.values()),
        "gates": [{"scorer": g.scorer, "axis": g.axis, "state": g.state.value} for g in gates],
    }


def _loop(config: OnlineConfig) -> dict[str, Any]:
    root = stream_root(config)
    holder = newest_holder(root)
    if holder is None:
        return {"state": "never started"}
    beat = beat_of(root, holder.epoch)
    ended = beat.get("count") == -1 or holder.is_dead
    quiet = time.time() - beat.get("at", holder.started)
    seen = "stopped" if ended else "running" if quiet < 2 * config.online.lease_seconds else "silent"
    return {
        "state": seen,
        "host": holder.host,
        "pid": holder.pid,
        "run_id": holder.run_id,
        "silent_for": round(quiet, 1),
    }


def _by_scorer(statuses: Counter[str]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for key, count in sorted(statuses.items()):
        scorer, _, name = key.rpartition("/")
        found.setdefault(scorer, {})[name] = count
    return found


def _budget(config: OnlineConfig, state: State) -> dict[str, float]:
    today = state.spent_on(f"{datetime.now(UTC):%Y-%m-%d}")
    return {name: round(share, 4) for name, share in RateControl(config.online.budget).shares(today).items()}
