"""Intake: every object of the input becomes rows, each with what was decided about it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import sha256
from itertools import islice
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.dataset as ds

from jobs.config import BatchConfig
from jobs.fetch import contents, gone
from jobs.joined import join, whole_and_parts
from judgefleet.allocator import give_large_back
from judgefleet.errors import MissingError
from judgefleet.golden import GoldenItem, enrich, load_golden
from judgefleet.hashing import unit_interval
from judgefleet.sample import SAMPLE_SCHEMA, Sample, sample_row
from judgefleet.storage import Location, ObjectInfo
from judgefleet.trace import Trace, trace_row
from judgefleet.traces.reader import read_parts
from judgefleet.traces.reject import Reject
from judges.message_writer import CHARACTERS_A_TOKEN

# Input that one task reads at a time.
_BLOCK_BYTES = 32 * 2**20
# Traces held at a time, however large an object is.
_ROWS = 2000
SAMPLED, NOT_SAMPLED, REJECTED = "sampled", "not_sampled", "rejected"
# May be drawn, once all of the input is known: see jobs.draw.
CANDIDATE = "candidate"
_HASHED = msgspec.msgpack.Encoder(order="sorted")
# What is known of each trace or reject beside the sample itself; ``place`` orders them as they were read. From
# ``draw`` to ``tokens``: what a decision about the whole input needs; then the spans, for jobs.joined.
INTAKE_SCHEMA = pa.schema(
    [
        *SAMPLE_SCHEMA,
        ("decision", pa.string()),
        ("place", pa.string()),
        ("position", pa.string()),
        ("reason", pa.string()),
        ("excerpt", pa.string()),
        ("content_hash", pa.string()),
        ("group_key", pa.string()),
        ("draw", pa.float64()),
        ("rate", pa.float64()),
        ("floor", pa.int64()),
        ("per", pa.string()),
        ("tokens", pa.int64()),
        ("of_spans", pa.bool_()),
        ("spans", pa.binary()),
    ]
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Intake:
    """Reads objects with one configuration; plain data, so it travels to any worker.

    ``group_by``: the attribute whose traces are judged together; None for those of one conversation. ``weigh``: write
    what a decision about the whole input needs, also where the plan could do without.
    """

    config: BatchConfig
    group_by: str | None
    weigh: bool = False
    plan_hash: str = field(init=False, default="")

    def __post_init__(self) -> None:
        # Once, and not for every trace.
        object.__setattr__(self, "plan_hash", self.config.sampling.hash)
        object.__setattr__(self, "weigh", self.weigh or self.config.sampling.needs_whole_input)

    def __call__(self, batch: pa.Table) -> Iterator[pa.Table]:
        """``batch``: rows of ``listed``. A row for every trace and every reject in the objects, some at a time."""
        give_large_back()  # objects that threads have fetched
        golden = _golden(self.config.input.golden)
        uris, places, sizes = (batch[name].to_pylist() for name in ("uri", "place", "size"))
        rows = (
            row
            for uri, place, data in zip(uris, places, contents(zip(uris, sizes, strict=True)), strict=True)
            for row in self.rows(uri, place, golden, data)
        )
        while held := list(islice(rows, _ROWS)):
            yield pa.Table.from_pylist(held, schema=INTAKE_SCHEMA)

    def rows(
        self, uri: str, place: str, golden: Mapping[str, GoldenItem], data: bytes | MissingError | None = None
    ) -> Iterator[dict[str, Any]]:
        """The rows of one object; ``data``: what is stored at ``uri`` or that it is gone, where that is known."""
        given = self.config.input
        if isinstance(data, MissingError):
            yield {"place": f"{place}-{0:09d}"} | _rejected(gone(uri))
            return
        parts = read_parts(uri, data, format=given.format, options=given.read)
        for number, (found, spans) in enumerate(whole_and_parts(parts, uri, given.read)):
            here = {"place": f"{place}-{number:09d}", "of_spans": spans is not None, "spans": spans}
            yield here | self._row(found, golden)

    def joined(self, staged: ds.Dataset) -> Iterator[dict[str, Any]]:
        """The rows of traces that lie in several of the objects that were staged."""
        golden = _golden(self.config.input.golden)
        for one in join(staged, self.config.input.read, only_split=True):
            yield {"place": one.place, "of_spans": False} | self._row(one.found, golden)

    def _row(self, found: Trace | Reject, golden: Mapping[str, GoldenItem]) -> dict[str, Any]:
        return _rejected(found) if isinstance(found, Reject) else self._decided(found, golden)

    def _decided(self, found: Trace, golden: Mapping[str, GoldenItem]) -> dict[str, Any]:
        trace = enrich(found, golden, self.config.input.golden_key) if golden else found
        identity = {"trace_id": trace.trace_id, "span_id": trace.span_id, "source_uri": trace.source_uri}
        known = {"content_hash": _content_hash(trace), "group_key": self.group_key(trace)}
        outcome, sample = self.decide(trace)
        if self.weigh and outcome in (SAMPLED, NOT_SAMPLED):
            return {**known, **self._weighed(trace, sample)}
        if sample is None:
            return {**identity, **known, "decision": outcome}
        return {**sample_row(sample), **known, "decision": outcome}

    def _weighed(self, trace: Trace, sample: Sample | None) -> dict[str, Any]:
        """A candidate whole, anything else with what its stratum and window are told by."""
        plan = self.config.sampling
        stratum, rate, floor = plan.stratum_of(trace)
        key = plan.unit_of(trace)
        row = {
            "stratum": stratum,
            "unit_key": key,
            "draw": unit_interval(key, plan.salt),
            "rate": rate,
            "floor": floor.traces if floor else 0,
            "per": floor.per if floor else None,
            "tokens": _tokens(trace),
            "decision": CANDIDATE if sample or floor else NOT_SAMPLED,
        }
        light = {n: getattr(trace, n) for n in ("trace_id", "span_id", "started_at", "source_uri")}
        whole = trace_row(trace) | {"plan_hash": self.plan_hash} if row["decision"] == CANDIDATE else light
        return whole | row

    def enriched(self, trace: Trace) -> Trace:
        """With what the golden set knows about it."""
        golden = _golden(self.config.input.golden)
        return enrich(trace, golden, self.config.input.golden_key) if golden else trace

    def decide(self, trace: Trace, factor: float = 1.0) -> tuple[str, Sample | None]:
        """What becomes of ``trace`` at rates times ``factor``, and the sample where it is drawn."""
        decision = self.config.sampling.decide(trace, factor)
        if not decision.sampled:
            return decision.left_out or NOT_SAMPLED, None
        return SAMPLED, Sample(
            trace=trace,
            stratum=decision.stratum,
            inclusion_probability=decision.inclusion_probability,
            plan_hash=self.plan_hash,
            unit_key=self.config.sampling.unit_of(trace),
        )

    def group_key(self, trace: Trace) -> str:
        """Traces with one key are judged next to each other: both answers to a question, or one conversation."""
        shared = trace.attributes.get(self.group_by) if self.group_by else None
        return f"g:{shared}" if shared else f"c:{trace.conversation_id or trace.trace_id}"


def _rejected(reject: Reject) -> dict[str, Any]:
    return {
        "trace_id": reject.trace_id or "",
        "span_id": "",
        "source_uri": reject.uri,
        "decision": REJECTED,
        "position": reject.position,
        "reason": reject.reason,
        "excerpt": reject.excerpt,
    }


def _tokens(trace: Trace) -> int:
    """Of all its texts, reckoned from their length."""
    texts = (trace.output, trace.reference, *trace.contexts, *(message.content for message in trace.messages))
    return math.ceil(sum(len(text) for text in texts if text) / CHARACTERS_A_TOKEN)


def _content_hash(trace: Trace) -> str:
    """Over everything but where it was read: the same trace in two objects is one trace. Compared within one run."""
    return sha256(_HASHED.encode(replace(trace, source_uri=None))).hexdigest()[:32]


@lru_cache(maxsize=4)
def _golden(uri: str | None) -> dict[str, GoldenItem]:
    return load_golden(uri) if uri else {}


def listed(objects: Sequence[ObjectInfo]) -> list[dict[str, str | int]]:
    """What an ``Intake`` is called with, as rows: the objects in their order."""
    return [{"uri": info.uri, "place": f"{n:09d}", "size": info.size} for n, info in enumerate(objects)]


def stage_intake(intake: Intake, objects: list[ObjectInfo], folder: Location) -> None:
    """Read ``objects`` with Ray Data into Parquet files below ``folder``."""
    import ray

    items = listed(objects)
    blocks = max(min(len(items), 64), sum(info.size for info in objects) // _BLOCK_BYTES)
    rows = ray.data.from_items(items, override_num_blocks=min(blocks, len(items))).map_batches(
        intake.__call__, batch_size=None, batch_format="pyarrow"
    )
    rows.write_parquet(folder.path, filesystem=folder.fs)
