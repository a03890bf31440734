"""Samples to prompt rows to score rows, without a cluster."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from jobs.causes import cause_of, engine_words
from jobs.config import EngineConfig, ScorerConfig
from jobs.engines.base import ask_by_engine
from jobs.engines.scripted import ScriptedEngine
from jobs.estimate import count_tokens
from jobs.forget import Planned
from jobs.judging import JudgeSetup, judge_samples, samples_of
from jobs.local import local_rows
from jobs.prepare import judge_model
from judgefleet.ids import IdSet
from judgefleet.sample import Sample, samples_to_table
from judgefleet.score import SCORE_SCHEMA, Outcome, RunContext, Status
from judgefleet.scorer import ScorerInfo, ScorerKind
from judgefleet.trace import Message, Trace
from judges.prompt import Prompt
from judges.verdict import Reply

RUN = RunContext(run_id="r", job="batch", scored_at=datetime(2026, 11, 22, tzinfo=UTC))
NOTHING = IdSet([])


def sample(trace_id: str, variant: str, output: str = "An answer.") -> Sample:
    trace = Trace(
        trace_id=trace_id,
        variant=variant,
        output=output,
        contexts=("Policy.",),
        messages=(Message(role="user", content="Why?"),),
        attributes={"judgefleet.item_id": "q1"},
    )
    return Sample(trace=trace, stratum="all", inclusion_probability=1.0, plan_hash="p")


@pytest.fixture(scope="module")
def setup() -> JudgeSetup:
    judges = (
        ScorerConfig.model_validate({"use": "judge_pointwise", "name": "quality", "rubric": "support_quality"}),
        ScorerConfig.model_validate(
            {"use": "judge_pairwise", "name": "preference", "rubric": "support_preference", "variants": ["A", "B"]}
        ),
    )
    return JudgeSetup(
        scorers=judges, models={"default": judge_model(EngineConfig(kind="scripted"))}, run_id="r", job="batch"
    )


def score(samples: list[Sample], setup: JudgeSetup, done: IdSet = NOTHING) -> list[dict[str, object]]:
    return judge_samples(samples, setup.judges(), done, ScriptedEngine().ask, RUN)


def test_every_sample_has_one_row_a_judge_and_axis(setup: JudgeSetup) -> None:
    rows = score([sample("t1", "A"), sample("t2", "B"), sample("t3", "B", output="")], setup)
    keys = [(row["trace_id"], row["scorer"], row["axis"]) for row in rows]
    assert len(keys) == len(set(keys)) == 3 * 4
    assert {row["value"] for row in rows if row["status"] != "ok"} == {None}
    assert [row["status"] for row in rows if row["trace_id"] == "t3"] == ["not_applicable"] * 4
    pa.Table.from_pylist(rows, schema=SCORE_SCHEMA)


def test_the_same_samples_give_the_same_rows(setup: JudgeSetup) -> None:
    samples = [sample("t1", "A"), sample("t2", "B")]
    ignored = {"latency_ms"}
    first, second = (
        [{k: v for k, v in row.items() if k not in ignored} for row in score(samples, setup)] for _ in "ab"
    )
    assert first == second


def test_swapped_answers_give_mirrored_preferences(setup: JudgeSetup) -> None:
    one = score([sample("t1", "A", "Yes."), sample("t2", "B", "No.")], setup)
    two = score([sample("t1", "B", "Yes."), sample("t2", "A", "No.")], setup)
    values = [
        {r["trace_id"]: (r["value"], r["label"]) for r in rows if r["scorer"] == "preference"} for rows in (one, two)
    ]
    assert values[0] == values[1]
    assert sum(value for value, _ in values[0].values()) == pytest.approx(1.0)  # type: ignore[misc]


def test_what_is_in_the_store_is_not_asked_again(setup: JudgeSetup) -> None:
    samples = [sample("t1", "A"), sample("t2", "B")]
    rows = score(samples, setup)
    half = IdSet([str(row["score_id"]) for row in rows[::2]])
    again = score(samples, setup, half)
    assert sorted(str(row["score_id"]) for row in again) == sorted(str(row["score_id"]) for row in rows[1::2])
    assert not score(samples, setup, IdSet([str(row["score_id"]) for row in rows]))


def test_an_engine_error_is_a_row_with_its_reason(setup: JudgeSetup) -> None:
    def broken(prompts: Sequence[Prompt]) -> list[Reply]:
        return [Reply(error="ValueError: broken") for _ in prompts]

    rows = judge_samples([sample("t1", "A"), sample("t2", "B")], setup.judges(), NOTHING, broken, RUN)
    assert len(rows) == 8
    assert {(row["status"], row["value"], row["reason"]) for row in rows} == {
        ("engine_error", None, "ValueError: broken")
    }


def test_everything_open_is_asked_in_one_call_and_an_error_is_not_asked_again(setup: JudgeSetup) -> None:
    calls: list[int] = []

    def ask(prompts: Sequence[Prompt]) -> list[Reply]:
        calls.append(len(prompts))
        return [Reply(error="gone") for _ in prompts]

    judge_samples([sample("t1", "A"), sample("t2", "B")], setup.judges(), NOTHING, ask, RUN)
    assert calls == [2 * 3 + 2]


def test_a_reason_takes_a_second_round(setup: JudgeSetup) -> None:
    options = {"use": "judge_pairwise", "rubric": "support_preference", "variants": ["A", "B"], "reason_tokens": 20}
    talking = replace(setup, scorers=(ScorerConfig.model_validate(options),))
    rows = score([sample("t1", "A"), sample("t2", "B")], talking)
    assert [str(row["reason"]).count("A scripted remark") for row in rows] == [2, 2]
    assert {row["completion_tokens"] for row in rows} == {2 * (8 + 1)}


def test_prompts_go_to_the_engine_they_name_and_replies_keep_their_order() -> None:
    class Named:
        def __init__(self, name: str) -> None:
            self.name = name

        def ask(self, prompts: Sequence[Prompt]) -> list[Reply]:
            return [Reply(text=f"{self.name} {prompt.token_ids[0]}") for prompt in prompts]

    asked = [Prompt(token_ids=(i,), engine="ab"[i % 2]) for i in range(5)]
    replies = ask_by_engine({"a": Named("a"), "b": Named("b")}, asked)
    assert [reply.text for reply in replies] == ["a 0", "b 1", "a 2", "b 3", "a 4"]


def test_samples_survive_arrow() -> None:
    samples = [sample("t1", "A"), sample("t2", "B", "")]
    assert samples_of(samples_to_table(samples)) == samples


@pytest.mark.parametrize("block", [1, 2, 4])
def test_shared_tokens_are_counted_in_whole_blocks(block: int) -> None:
    counted = count_tokens([[1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 9, 9], [7, 7, 7, 7, 7, 7]], block)
    assert counted.tokens == 18
    assert counted.computed == 6 + 2 + 6


class Moody:
    """A scorer that fails on one sample."""

    info = ScorerInfo(name="moody", version="1", kind=ScorerKind.CODE, axes=("a", "b"))

    def score(self, samples: Sequence[Sample]) -> Sequence[Mapping[str, Outcome]]:
        if any(s.trace.trace_id == "bad" for s in samples):
            raise ValueError("not this one")
        return [{"a": Outcome(value=1.0), "b": Outcome(value=2.0)} for _ in samples]


def test_a_sample_that_breaks_a_scorer_takes_no_other_with_it() -> None:
    samples = [sample("t1", "A"), sample("bad", "A"), sample("empty", "A", "")]
    rows = list(local_rows(samples, Moody(), Moody.info, RUN, lambda _: True))
    found = {(r["trace_id"], r["axis"]): (r["status"], r["value"], r["reason"]) for r in rows}
    assert found["t1", "b"] == (Status.OK, 2.0, None)
    assert found["bad", "a"] == (Status.ENGINE_ERROR, None, "ValueError: not this one")
    assert found["empty", "a"] == (Status.NOT_APPLICABLE, None, "the trace has no output")
    assert len(rows) == 6


def test_rows_kept_are_chosen_by_id() -> None:
    assert list(local_rows([sample("t1", "A")], Moody(), Moody.info, RUN, lambda _: False)) == []


def test_another_golden_set_is_another_question_to_whoever_reads_it(setup: JudgeSetup) -> None:
    one, two = (replace(setup, data=data).judges()["quality"].info.fingerprint for data in ("set-1", "set-2"))
    assert len({one, two, setup.judges()["quality"].info.fingerprint}) == 3


def test_an_error_from_a_worker_is_its_own_words_and_not_its_stack_trace() -> None:
    said = "Traceback (most recent call last):\n  File x, line 1\nValueError: no such format\nTo change retries, see"
    assert cause_of(RuntimeError(said)) == "ValueError: no such format"
    assert cause_of(RuntimeError("plain")) == "RuntimeError: plain"


def test_what_ended_an_engine_is_found_in_its_log(tmp_path: Path) -> None:
    assert engine_words(tmp_path) is None
    (tmp_path / "worker-1.out").write_text(
        "(Worker pid=7) INFO 11-22 10:00:00 [a.py:1] ValueError: harmless\n"
        "(Worker pid=7) ERROR 11-22 10:00:01 [executor.py:944] ValueError: Load format `x` is not supported\n"
        "(EngineCore pid=6) ERROR 11-22 10:00:02 [core.py:9] RuntimeError: failed. See root cause above.\n"
    )
    assert engine_words(tmp_path) == "ValueError: Load format `x` is not supported"


@pytest.mark.parametrize(
    ("row", "fresh", "retry", "stays"),
    [
        ({"score_id": "a" * 32, "status": "ok"}, False, False, True),
        ({"score_id": "a" * 32, "status": "ok"}, True, False, False),
        ({"score_id": "a" * 32, "status": "ok"}, False, True, True),
        ({"score_id": "a" * 32, "status": "engine_error"}, False, True, False),
        ({"score_id": "b" * 32}, False, False, False),
        ({"score_id": "b" * 32, "supersedes": "a" * 32}, False, True, False),
        ({"score_id": "b" * 32, "supersedes": "a" * 32, "trace_id": "other"}, False, False, True),
        ({"score_id": "c" * 32}, False, False, False),
        ({"score_id": "b" * 32, "trace_id": "other"}, False, False, True),
        ({"score_id": "b" * 32, "fingerprint": "other"}, True, True, True),
    ],
)
def test_which_rows_of_a_store_stay(row: dict[str, str | None], fresh: bool, retry: bool, stays: bool) -> None:
    planned = Planned(
        ids=IdSet(["a" * 32, "c" * 32]),
        traces=frozenset({"t"}),
        fingerprints=frozenset({"f"}),
        superseded=frozenset({"c" * 32}),
    )
    whole = {"trace_id": "t", "fingerprint": "f", "status": "not_applicable", "supersedes": None} | row
    assert planned.stays(whole, fresh=fresh, retry=retry) is stays
