"""What a loop exports to Prometheus: names and labels are part of the interface, docs/online.md lists them."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from jobs.gates import gates_for
from jobs.online.budget import RateControl
from jobs.online.config import OnlineConfig
from jobs.online.feed import Feed
from jobs.online.log import Entry
from jobs.online.state import State
from judgefleet.errors import JudgefleetError

RESTARTS = "JUDGEFLEET_RESTARTS"
_SECONDS = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600)
_LATENCIES = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_GATE_STATES = ("OPEN", "CLOSED", "INSUFFICIENT", "STALE")
_GATE_SECONDS = 600.0


class Metrics:
    """Counts from the start of this process; Prometheus knows how to add up what restarts.

    ``judges``: scorer, axis and fingerprint of each whose gate is exported.
    """

    def __init__(self, config: OnlineConfig, judges: Sequence[tuple[str, str, str]] = ()) -> None:
        self._config, self._judges = config, judges
        self.registry = CollectorRegistry()
        self._shares = RateControl(config.online.budget)
        self._next_gates = 0.0
        counter, gauge, histogram = self._counter, self._gauge, self._histogram
        self.lag_seconds = gauge("lag_seconds", "Age of the oldest object that is not read, in seconds")
        self.lag_objects = gauge("lag_objects", "Objects that are not read")
        self.pending = gauge("pending_traces", "Traces that wait for more of themselves or of their group")
        self.traces = counter("traces", "Traces by what was decided", ["decision"])
        self.scores = counter("scores", "Rows committed", ["scorer", "status"])
        self.latency = histogram("judge_latency_seconds", "Mean time of a judgement, a batch", _LATENCIES)
        self.prompt_tokens = counter("prompt_tokens", "Tokens read by judges")
        self.cached_tokens = counter("cached_tokens", "Of them, out of the prefix cache")
        self.completion_tokens = counter("completion_tokens", "Tokens written by judges")
        self.cost = counter("cost", "Cost, in the unit of the configuration's prices")
        self.batches = counter("batches", "Batches by outcome", ["outcome"])
        self.batch_seconds = histogram("batch_seconds", "From cut to commit, in seconds", _SECONDS)
        self.budget = gauge("budget_share", "Share of today's budget that is spent", ["kind"])
        self.factor = gauge("sampling_factor", "What all sampling rates are multiplied with; 1 is the plan as written")
        self.dead = counter("dead_letters", "Samples put aside because their worker died or gave no answer")
        self.rejects = counter("rejects", "What could not be read as a trace")
        self.gate = gauge("gate_state", "1 for the state of the gate, 0 for the others", ["scorer", "axis", "state"])
        self.last_commit = gauge("last_commit_timestamp_seconds", "When the last batch was committed")
        self.restarts = counter("restarts", "Starts of the loop by its supervisor after a failure")
        self.lease_held = gauge("lease_held", "1 while this process holds the lease")
        self.restarts.inc(int(os.environ.get(RESTARTS, "0")))

    def serve(self) -> None:
        """Answer scrapes on the configured port."""
        if (port := self._config.online.metrics_port) is not None:
            start_http_server(port, addr=self._config.online.metrics_host, registry=self.registry)

    def looked(self, feed: Feed, pending: int) -> None:
        """After each look at the input."""
        self.lag_objects.set(feed.waiting)
        self.lag_seconds.set(max(0.0, time.time() - feed.oldest) if feed.oldest is not None else 0.0)
        self.pending.set(pending)

    def committed(self, entry: Entry, state: State) -> None:
        """After each commit."""
        for decision, count in entry.counts.items():
            self.traces.labels(decision).inc(count)
        for key, count in entry.statuses.items():
            scorer, _, name = key.rpartition("/")
            self.scores.labels(scorer, name).inc(count)
        spent = entry.spent
        self.prompt_tokens.inc(spent.prompt_tokens)
        self.cached_tokens.inc(spent.cached_tokens)
        self.completion_tokens.inc(spent.completion_tokens)
        self.cost.inc(spent.cost)
        self.dead.inc(entry.counts.get("dead", 0))
        self.rejects.inc(entry.counts.get("rejected", 0))
        self.batches.labels("committed").inc()
        self.batch_seconds.observe(spent.seconds)
        if rows := sum(entry.statuses.values()):
            self.latency.observe(spent.seconds / rows)
        for kind, share in self._shares.shares(state.spent_on(entry.finished_at[:10])).items():
            self.budget.labels(kind).set(share)
        self.factor.set(entry.factor)
        self.last_commit.set_to_current_time()
        self._look_at_gates()

    def _look_at_gates(self) -> None:
        """Now and then: an audit is decided elsewhere."""
        if time.monotonic() < self._next_gates:
            return
        self._next_gates = time.monotonic() + _GATE_SECONDS
        try:
            gates = gates_for(self._config.store, self._judges)
        except JudgefleetError:
            return
        for gate in gates:
            for name in _GATE_STATES:
                self.gate.labels(gate.scorer, gate.axis, name).set(gate.state.value == name)

    def _counter(self, name: str, help_text: str, labels: list[str] | None = None) -> Counter:
        return Counter(f"judgefleet_{name}", help_text, labels or [], registry=self.registry)

    def _gauge(self, name: str, help_text: str, labels: list[str] | None = None) -> Gauge:
        return Gauge(f"judgefleet_{name}", help_text, labels or [], registry=self.registry)

    def _histogram(self, name: str, help_text: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"judgefleet_{name}", help_text, buckets=buckets, registry=self.registry)
