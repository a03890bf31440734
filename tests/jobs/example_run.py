"""A run in tables, as a batch job would leave it: two variants, five scorers, failures of several kinds.

Tests load it by path (``runpy.run_path``), since files under tests/ are not importable by name.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from judgefleet.sample import Sample, samples_to_table
from judgefleet.score import SCORE_SCHEMA, OrderVerdict, Outcome, RunContext, Status, failure, score_row
from judgefleet.scorer import ScorerInfo, ScorerKind
from judgefleet.trace import Message, Trace

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RUN = RunContext(run_id="run-7f3a", job="batch", scored_at=START + timedelta(hours=1))
JUDGE = {"model": "embedded/smollm2-135m-instruct", "digest": "sha256:5b1f", "dtype": "bfloat16", "temperature": 0}
RUBRIC = ScorerInfo(
    name="support_rubric",
    version="1",
    kind=ScorerKind.LLM,
    axes=("accuracy", "clarity", "policy_citation"),
    config=JUDGE,
)
PAIRWISE = ScorerInfo(name="better_answer", version="1", kind=ScorerKind.LLM, axes=("preference",), config=JUDGE)
CITES = ScorerInfo(name="policy_citation", version="1", kind=ScorerKind.CODE, axes=("cites",))
NOT_EMPTY = ScorerInfo(name="not_empty", version="1", kind=ScorerKind.CODE, axes=("present",))
COSINE = ScorerInfo(name="cosine", version="1", kind=ScorerKind.EMBEDDING, axes=("similarity",))

TOPICS = (
    (
        "My package hasn't arrived. It's been 8 days.",
        "SHIP-2",
        "Orders that are late by a week are traced or sent again.",
    ),
    (
        "I want to return a shoe I bought last month. The box is opened.",
        "RET-1",
        "Opened boxes may come back in 60 days.",
    ),
    ("Why was I charged twice for order #44129?", "PAY-3", "A second charge is a reservation that lapses in 5 days."),
    ("Can I change the delivery address for my pending order?", "SHIP-4", "Until it is packed, in the order's page."),
    ("The item I received is damaged. What are my options?", "RET-5", "A replacement, a repair or the money back."),
)
OPENING = {"A": "Sorry to hear that.", "B": "Sorry to hear that, Dana."}


@dataclass
class ExampleRun:
    """Rows of the run; ``scores`` and ``samples`` are the tables a store would give back."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    drawn: list[Sample] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def scores(self) -> pa.Table:
        table = pa.Table.from_pylist(self.rows, schema=SCORE_SCHEMA)
        at = table.schema.get_field_index("scorer")
        return table.set_column(at, "scorer", table["scorer"].dictionary_encode())

    @property
    def samples(self) -> pa.Table:
        return samples_to_table(self.drawn)

    def add(self, sample: Sample, info: ScorerInfo, axis: str, outcome: Outcome) -> None:
        self.rows.append(score_row(RUN, sample, info, axis, outcome))


def answer(variant: str, i: int) -> str:
    _, policy, rule = TOPICS[i % len(TOPICS)]
    cite = f" Under {policy} this is how it works: {rule}" if variant == "B" else f" {rule}"
    return OPENING[variant] + cite + "\n\nLet me know how you would like to go on." * (1 + i % 3)


def sample(i: int, side: str, **changes: Any) -> Sample:
    question, policy, rule = TOPICS[i % len(TOPICS)]
    fields: dict[str, Any] = {
        "trace_id": f"{ord(side):02x}{i:030x}",
        "span_id": f"{i:016x}",
        "conversation_id": f"c-{side}-{i}",
        "started_at": START + timedelta(seconds=40 * i),
        "service": "support-bot",
        "experiment": "prompt-citations",
        "variant": side,
        "messages": (Message(role="system", content="Be helpful."), Message(role="user", content=question)),
        "output": answer(side, i),
        "contexts": (f"{policy}: {rule} This applies to every order placed in our shop.",) * (1 + i % 2),
        "reference": None if i % 6 == 5 else f"Says that: {rule}",
        "attributes": {"judgefleet.item_id": f"item-{i:03d}"},
    }
    return Sample(trace=Trace(**(fields | changes)), stratum="all", inclusion_probability=1.0, plan_hash="p1")


def grade(rng: np.random.Generator, centre: float) -> Outcome:
    shares = np.exp(-((np.arange(1, 6) - rng.normal(centre, 0.7)) ** 2))
    shares /= shares.sum()
    value = float(shares @ np.arange(1, 6))
    named = {str(k): float(p) for k, p in zip(range(1, 6), shares, strict=True)}
    return Outcome(value=value, label=max(named, key=lambda k: named[k]), probabilities=named, latency_ms=31.0)


def verdicts(a: Sample, b: Sample, slots: tuple[str, str]) -> tuple[Outcome, Outcome]:
    """Mirrored outcomes for a and b from the slot that won when a, then when b, stood first."""
    ids = (a.trace.trace_id, b.trace.trace_id)
    shares = {"first": 0.72, "tie": 0.5, "second": 0.28}
    orders = tuple(
        OrderVerdict(first=first, label=slot, probabilities={"first": shares[slot], "second": 1 - shares[slot]})
        for first, slot in zip(ids, slots, strict=True)
    )
    for_b = [
        {"first": "loss", "second": "win"}.get(slots[0], "tie"),
        {"first": "win", "second": "loss"}.get(slots[1], "tie"),
    ]
    label = for_b[0] if for_b[0] == for_b[1] else "tie"
    value = (1 - shares[slots[0]] + shares[slots[1]]) / 2
    same = for_b[0] == for_b[1]
    pair = f"pair-{ids[0]}"
    mirror = {"win": "loss", "loss": "win", "tie": "tie"}[label]
    reason = "The citation makes the answer easier to check."

    def side(value: float, label: str, other: str) -> Outcome:
        return Outcome(
            value=value,
            label=label,
            reason=reason,
            pair_id=pair,
            other_trace_id=other,
            order_consistent=same,
            orders=orders,
        )

    return side(1 - value, mirror, ids[1]), side(value, label, ids[0])


def score_one(run: ExampleRun, s: Sample, i: int, rng: np.random.Generator) -> None:
    better = 0.6 if s.trace.trace_id.startswith("42") else 0.0
    for axis, centre in zip(RUBRIC.axes, (3.2, 3.6, 2.0), strict=True):
        lost = (i % 11 == 7 and axis == "clarity") or (i % 13 == 12)
        outcome = (
            failure(Status.UNPARSED, "the answer held none of the labels 1 to 5")
            if lost
            else grade(rng, centre + better)
        )
        run.add(s, RUBRIC, axis, outcome)
    cited = float(TOPICS[i % len(TOPICS)][1] in (s.trace.output or ""))
    run.add(s, CITES, "cites", Outcome(value=cited, label="pass" if cited else "fail"))
    run.add(s, NOT_EMPTY, "present", Outcome(value=1.0, label="pass"))
    missing = failure(Status.NOT_APPLICABLE, "the trace has no reference")
    run.add(s, COSINE, "similarity", Outcome(value=float(rng.uniform(0.4, 0.9))) if s.trace.reference else missing)


def score_pair(run: ExampleRun, a: Sample, b: Sample, i: int) -> None:
    if i % 14 == 13:
        sides = ((a, b), (b, a))
        for mine, other in sides:
            lost = failure(
                Status.CONTEXT_OVERFLOW, "2210 tokens, 2048 fit", pair_id=f"x{i}", other_trace_id=other.trace.trace_id
            )
            run.add(mine, PAIRWISE, "preference", lost)
        return
    slots = (("second", "first"), ("first", "first"), ("first", "second"), ("second", "first"), ("tie", "first"))[i % 5]
    for mine, outcome in zip((a, b), verdicts(a, b, slots), strict=True):
        run.add(mine, PAIRWISE, "preference", outcome)


def build(items: int = 24, seed: int = 4, **changes: Any) -> ExampleRun:
    """``changes`` go into every trace, as values or as functions of item number and variant."""
    rng, run = np.random.default_rng(seed), ExampleRun()
    for i in range(items):
        pair = []
        for v in "AB":
            pair.append(sample(i, v, **{k: c(i, v) if callable(c) else c for k, c in changes.items()}))
            score_one(run, pair[-1], i, rng)
        run.drawn += pair
        score_pair(run, pair[0], pair[1], i)
    run.facts = {
        "run_id": RUN.run_id,
        "name": "Support bot, prompt A against prompt B",
        "model": JUDGE["model"],
        "model_digest": JUDGE["digest"],
        "engine": "vllm 0.29.0 on CPU",
        "traces_read": 2 * items + 3,
        "traces_sampled": 2 * items,
        "traces_rejected": 2,
        "traces_duplicate": 1,
        "started_at": START,
        "seconds": 143.2,
        "warnings": ["2 lines of traces.jsonl are not JSON: lines 17 and 44"],
    }
    return run
