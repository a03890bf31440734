"""What a plan still has to score: the ids it will give, less those that the store has."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from jobs.judging import samples_of
from jobs.local import local_id
from jobs.plan import Chunk, Plan
from jobs.prepare import Prepared
from judgefleet.ids import IdSet
from judgefleet.sample import SAMPLE_SCHEMA, Sample
from judgefleet.scorer import ScorerInfo
from judgefleet.storage import Location, read_table
from judges.judge import Judge

# An id needs no text: what is left out here is nearly all of a chunk's size.
_LIGHT = [n for n in SAMPLE_SCHEMA.names if n not in ("messages", "output", "contexts", "tool_calls", "reference")]


@dataclass(frozen=True, kw_only=True, slots=True)
class Remaining:
    """Rows that the plan gives in all, and the chunks in which some are missing, for each kind of scorer."""

    expected: int
    local: tuple[Chunk, ...]
    judged: tuple[Chunk, ...]
    missing: int


def find_remaining(prepared: Prepared, plan: Plan, done: IdSet) -> Remaining:
    """Compare the plan with the store. Reads ids only, one chunk at a time."""
    local, judged, expected, missing = [], [], 0, 0
    for chunk in plan.chunks:
        by_stage = planned_ids(prepared, load_chunk(prepared.store, chunk, light=True))
        open_local, open_judged = (sum(i not in done for i in ids) for ids in by_stage)
        local += [chunk] if open_local else []
        judged += [chunk] if open_judged else []
        expected += sum(map(len, by_stage))
        missing += open_local + open_judged
    return Remaining(expected=expected, local=tuple(local), judged=tuple(judged), missing=missing)


def planned_ids(prepared: Prepared, samples: Sequence[Sample]) -> tuple[list[str], list[str]]:
    """The ids that scoring ``samples`` gives: by scorers that need no engine, and by judges. Needs no texts."""
    judges = prepared.setup.judges() if prepared.setup else {}
    return list(_local_ids(samples, prepared.local_infos)), list(_judge_ids(samples, judges))


def load_chunk(store: Location, chunk: Chunk, *, light: bool = False) -> list[Sample]:
    """The samples of a chunk; ``light`` leaves the texts out."""
    return samples_of(read_table(store.child(chunk.path), _LIGHT if light else None))


def _local_ids(samples: Sequence[Sample], infos: Sequence[ScorerInfo]) -> Iterator[str]:
    return (local_id(sample, info, axis) for info in infos for sample in samples for axis in info.axes)


def _judge_ids(samples: Sequence[Sample], judges: Mapping[str, Judge]) -> Iterator[str]:
    return (row.score_id(judge.info) for judge in judges.values() for row in judge.rows(samples))
