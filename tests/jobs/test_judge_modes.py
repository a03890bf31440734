"""Every kind of judge from samples to rows: one row each, prompts that share, and nothing asked twice."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from jobs.config import EngineConfig, ScorerConfig, load_batch_config
from jobs.engines.scripted import ScriptedEngine
from jobs.estimate import count_tokens
from jobs.forget import Planned
from jobs.intake import Intake, listed
from jobs.judging import JudgeSetup, judge_samples, open_units
from jobs.plan import make_plan
from jobs.prepare import judge_model, prepare
from judgefleet.errors import ConfigError
from judgefleet.ids import IdSet
from judgefleet.sample import Sample
from judgefleet.score import SCORE_SCHEMA, RunContext, Status
from judgefleet.storage import list_objects, open_location
from judgefleet.trace import Message, ToolCall, Trace
from judges.prompt import Prompt
from judges.token_writer import TokenWriter
from judges.verdict import Reply

RUN = RunContext(run_id="r", job="batch", scored_at=datetime(2026, 11, 22, tzinfo=UTC))
NOTHING = IdSet([])
START = datetime(2026, 11, 20, tzinfo=UTC)
BLOCK = 32
PANEL: dict[str, Any] = {"use": "judge_panel", "members": [{"engine": "default"}, {"engine": "second"}]}
COMPARE: dict[str, Any] = {"rubric": "support_preference", "variants": ["A", "B"]}
# Every kind of judge, and how many fences of an answer or a claim may lie behind what its prompts share.
MODES: dict[str, tuple[dict[str, Any], int]] = {
    "turn": ({"use": "judge_pointwise", "rubric": "support_quality"}, 0),
    "trace": ({"use": "judge_pointwise", "rubric": "support_quality", "unit": "trace"}, 0),
    "tools": ({"use": "judge_pointwise", "rubric": "tool_use", "unit": "trace"}, 0),
    "conversation": ({"use": "judge_pointwise", "rubric": "conversation_quality", "unit": "conversation"}, 0),
    "reasons": ({"use": "judge_pointwise", "rubric": "support_quality", "reason_tokens": 30}, 0),
    "pairwise": ({"use": "judge_pairwise", **COMPARE}, 2),
    "reference": ({"use": "judge_pairwise", **COMPARE, "rubric": "pairwise_reference"}, 2),
    "panel": ({**PANEL, "rubric": "support_quality"}, 0),
    "panel of pairs": ({**PANEL, **COMPARE, "mode": "pairwise", "vote": "majority"}, 2),
    "sentences": ({"use": "judge_faithfulness", "claims": "sentences"}, 1),
    "claims": ({"use": "judge_faithfulness"}, 1),
}


def sample(trace_id: str, variant: str = "A", turn: int = 0, **changed: Any) -> Sample:
    known: dict[str, Any] = {
        "conversation_id": f"c-{variant}",
        "started_at": START + timedelta(minutes=turn),
        "output": f"For {variant}, parcels take {turn + 3} days. They are free. Ask again if it is late.",
        "contexts": (f"SHIP-1{variant}: " + "parcels arrive within seven days of the order, weekends aside. " * 8,),
        "reference": "Within seven days. " * 10,
        "tool_calls": (ToolCall(name="find", arguments='{"id": 7}', result="on its way"),),
        "messages": (
            Message(role="user", content=f"Where is my parcel, asked for the time {turn}? " + "Please. " * 40),
        ),
        "attributes": {"judgefleet.item_id": f"q{turn}"},
    }
    trace = Trace(trace_id=trace_id, variant=variant, **(known | changed))
    return Sample(trace=trace, stratum="all", inclusion_probability=1.0, plan_hash="p")


def samples() -> list[Sample]:
    return [sample(f"{variant.lower()}{turn}", variant, turn) for turn in range(3) for variant in "AB"]


def setup_of(*options: dict[str, Any]) -> JudgeSetup:
    model = judge_model(EngineConfig(kind="scripted"))
    return JudgeSetup(
        scorers=tuple(ScorerConfig.model_validate(o) for o in options),
        models={"default": model, "second": replace(model, dtype="float16")},
        run_id="r",
        job="batch",
    )


class Recorder:
    """The scripted engine, writing claims as a list, with everything it was asked; ``broken`` fails some prompts."""

    def __init__(self, broken: Callable[[Prompt], bool] = lambda _: False) -> None:
        self.asked: list[Prompt] = []
        self.rounds: list[int] = []
        self._broken, self._engine = broken, ScriptedEngine()

    def __call__(self, prompts: Sequence[Prompt]) -> list[Reply]:
        self.asked += prompts
        self.rounds.append(len(prompts))
        replies = [
            replace(r, text=f"- {r.text}\n- Parcels are free.\n- Parcels take 3 days.") if p.draft else r
            for p, r in zip(prompts, self._engine.ask(prompts), strict=True)
        ]
        return [
            Reply(error="gone") if self._broken(p) else replace(r, latency_ms=None)
            for p, r in zip(prompts, replies, strict=True)
        ]


def judged(mode: str, found: list[Sample], ask: Recorder, done: IdSet = NOTHING) -> list[dict[str, Any]]:
    return judge_samples(found, setup_of(MODES[mode][0]).judges(), done, ask, RUN)


@pytest.mark.parametrize("mode", MODES)
def test_every_sample_has_one_row_an_axis(mode: str) -> None:
    [judge] = setup_of(MODES[mode][0]).judges().values()
    rows = judged(mode, [*samples(), sample("x0", "A", 9, output="")], Recorder())
    keys = Counter((row["trace_id"], row["axis"]) for row in rows)
    assert keys == Counter((s, axis) for s in ("a0", "a1", "a2", "b0", "b1", "b2", "x0") for axis in judge.info.axes)
    assert {row["value"] is None for row in rows if row["status"] != "ok"} <= {True}
    assert {row["status"] for row in rows} <= {"ok", "not_applicable"}
    assert any(row["status"] == "ok" for row in rows)
    assert {row["score_id"] for row in rows} == {
        row.score_id(judge.info) for row in judge.rows([*samples(), sample("x0", "A", 9, output="")])
    }
    pa.Table.from_pylist(rows, schema=SCORE_SCHEMA)


@pytest.mark.parametrize("mode", MODES)
def test_how_the_value_was_weighted_is_on_the_row(mode: str) -> None:
    for row in judged(mode, samples(), Recorder()):
        if row["status"] == "ok":
            assert '"value":"mean' in row["config"]
            assert '"guided"' in row["config"]


def prompts_of(mode: str, found: list[Sample]) -> list[list[tuple[int, ...]]]:
    """The verdict prompts about ``found``, those of each engine by themselves."""
    recorder = Recorder()
    judged(mode, found, recorder)
    verdicts = [prompt for prompt in recorder.asked if prompt.draft is None]
    return [[p.token_ids for p in verdicts if p.engine == e] for e in dict.fromkeys(p.engine for p in verdicts)]


@pytest.mark.parametrize("mode", MODES)
def test_the_prompts_of_one_sample_share_all_but_the_end(mode: str, writer: TokenWriter) -> None:
    options, fences = MODES[mode]
    compared = "variants" in options
    for prompts in prompts_of(
        mode, [sample("a0", "A"), sample("b0", "B", output="No idea.")] if compared else [sample("a0")]
    ):
        assert len(prompts) >= 2
        common = next(i for i, ids in enumerate(zip(*prompts, strict=False)) if len(set(ids)) > 1)
        for prompt in prompts:
            rest = writer._tokenizer.words.decode(list(prompt[common:]))
            # A reason is written after the question, so it lies behind what is shared too.
            assert rest.count("\n>>>") == fences
        counted = count_tokens(prompts, BLOCK)
        least = len(prompts[0]) + sum(len(p) - common // BLOCK * BLOCK for p in prompts[1:])
        assert counted.computed <= least
        assert counted.shared > 0.25


@pytest.fixture(scope="module")
def writer() -> TokenWriter:
    return TokenWriter(judge_model(EngineConfig(kind="scripted")))


@pytest.mark.parametrize("mode", MODES)
def test_units_that_share_are_neighbours(mode: str) -> None:
    judges = setup_of(MODES[mode][0]).judges()
    asked = [
        unit.rows[-1].sample.trace.attributes["judgefleet.item_id"] + (unit.rows[0].sample.trace.variant or "")
        for _, unit in open_units(samples(), judges, NOTHING)
        if unit.prompts
    ]
    blocks = [key for key, before in zip(asked, [None, *asked], strict=False) if key != before]
    assert len(blocks) == len(set(blocks))


def test_everything_that_can_be_asked_is_asked_at_once_and_claims_take_a_second_round() -> None:
    rounds = {mode: Recorder() for mode in ("turn", "sentences", "claims", "panel", "reasons")}
    for mode, recorder in rounds.items():
        judged(mode, [sample("a0"), sample("a1", turn=1)], recorder)
    assert {mode: r.rounds for mode, r in rounds.items()} == {
        "turn": [6],
        "sentences": [6],
        "claims": [2, 6],
        "panel": [12],
        "reasons": [6, 6],
    }


# What follows: no retry can change the distribution of a verdict. An engine that failed leaves a row that says so and
# is asked again only when somebody wants it, whatever it would have said; a verdict that was seen is never asked again.


def distribution(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {r["score_id"]: (r["status"], r["value"], r["label"], r["probabilities"], r["orders"]) for r in rows}


@pytest.mark.parametrize("mode", MODES)
def test_nothing_is_asked_twice_whether_it_failed_or_not(mode: str) -> None:
    recorder = Recorder(broken=lambda prompt: sum(prompt.token_ids) % 3 == 0)
    rows = judged(mode, samples(), recorder)
    verdicts = Counter((p.engine, p.token_ids) for p in recorder.asked)
    assert set(verdicts.values()) == {1}
    assert {row["value"] for row in rows if row["status"] == "engine_error"} <= {None}
    again = Recorder()
    assert judged(mode, samples(), again, IdSet([row["score_id"] for row in rows])) == []
    assert again.asked == []


@pytest.mark.parametrize("mode", MODES)
def test_a_row_that_failed_and_was_tried_again_says_what_it_would_have_said(mode: str) -> None:
    first = judged(mode, samples(), Recorder(broken=lambda prompt: sum(prompt.token_ids) % 3 == 0))
    failed = {row["score_id"] for row in first if row["status"] == "engine_error"}
    kept = [row for row in first if row["score_id"] not in failed]
    recorder = Recorder()
    retried = judged(mode, samples(), recorder, IdSet([row["score_id"] for row in kept]))
    assert {row["score_id"] for row in retried} == failed
    assert distribution(kept) | distribution(retried) == distribution(judged(mode, samples(), Recorder()))


@pytest.mark.parametrize("status", list(Status))
def test_only_what_an_engine_failed_at_is_ever_tried_again(status: Status) -> None:
    planned = Planned(ids=IdSet(["a" * 32]), traces=frozenset({"t"}), fingerprints=frozenset({"f"}))
    row = {"score_id": "a" * 32, "supersedes": None, "trace_id": "t", "fingerprint": "f", "status": status.value}
    assert planned.stays(row, fresh=False, retry=True) == (status not in {Status.ENGINE_ERROR, Status.TIMEOUT})


# What belongs together comes in one chunk.

WriteTraces = Callable[..., Path]
MakeConfig = Callable[..., Path]
TALK = {"use": "judge_pointwise", "name": "talk", "rubric": "conversation_quality", "unit": "conversation"}
PAIRS = {"use": "judge_pairwise", "name": "preference", **COMPARE}


def test_the_traces_of_a_conversation_are_in_one_chunk(
    tmp_path: Path, write_traces: WriteTraces, make_config: MakeConfig
) -> None:
    folder = write_traces(9)
    for path in folder.glob("*.jsonl"):
        traces = [json.loads(line) for line in path.read_text().splitlines()]
        lines = [json.dumps(trace | {"conversation_id": f"c{int(trace['trace_id'][1:]) % 5}"}) for trace in traces]
        path.write_text("\n".join(lines) + "\n")
    prepared = prepare(load_batch_config(make_config(scorers=[TALK])))
    assert prepared.group_by is None
    objects = pa.Table.from_pylist(listed(list_objects(folder)))
    rows = list(Intake(config=prepared.config, group_by=prepared.group_by)(objects))
    plan = make_plan(ds.dataset(pa.concat_tables(rows)), open_location(tmp_path / "store"), "run", 2)
    chunks = [
        set(pq.read_table(tmp_path / "store" / chunk.path, partitioning=None)["conversation_id"].to_pylist())
        for chunk in plan.chunks
    ]
    assert sum(map(len, chunks)) == len(set().union(*chunks)) == 5
    assert len(chunks) == 5
    assert sum(chunk.samples for chunk in plan.chunks) == 18


@pytest.mark.parametrize(
    ("scorers", "group_by"),
    [
        ([{"use": "not_empty"}], None),
        ([{**TALK, "unit": "trace"}], None),
        ([TALK, {**TALK, "name": "turns", "unit": "turn"}], None),
        ([PAIRS, {**TALK, "unit": "trace"}], "judgefleet.item_id"),
        ([{**PAIRS, "pair_by": "question_id"}], "question_id"),
    ],
)
def test_what_is_read_together_follows_from_the_judges(
    write_traces: WriteTraces, make_config: MakeConfig, scorers: list[dict[str, Any]], group_by: str | None
) -> None:
    write_traces(2)
    assert prepare(load_batch_config(make_config(scorers=scorers))).group_by == group_by


@pytest.mark.parametrize(
    ("scorers", "said"),
    [
        ([PAIRS, TALK], r"share \['judgefleet.item_id'\], another judges whole conversations; .* make two runs"),
        ([TALK, {**PANEL, **COMPARE, "mode": "pairwise"}], "another judges whole conversations"),
        ([PAIRS, {**PAIRS, "name": "other", "pair_by": "question_id"}], "share one pair_by"),
    ],
)
def test_pairs_and_conversations_take_two_runs(
    write_traces: WriteTraces, make_config: MakeConfig, scorers: list[dict[str, Any]], said: str
) -> None:
    write_traces(2)
    with pytest.raises(ConfigError, match=said):
        prepare(load_batch_config(make_config(scorers=scorers, engines={"second": {"kind": "scripted"}})))
