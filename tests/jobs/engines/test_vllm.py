"""What goes to vLLM and what comes back, without an engine."""

import math
import pickle
from types import SimpleNamespace

import pytest

from jobs.config import EngineConfig
from jobs.engines.vllm import VllmPool, engine_kwargs, read_output, resolved_dtype, sampling_params
from judges.prompt import Draft, Prompt

VERDICT = Prompt(token_ids=(1, 2, 3), labels=("A", "B"), allowed=(7, 8))
DRAFT = Prompt(token_ids=(1, 2, 3), draft=Draft(max_tokens=9, stop=("</think>",)))


def output(finish_reason: str = "stop", **logprobs: float) -> SimpleNamespace:
    found = {int(token[1:]): SimpleNamespace(logprob=value) for token, value in logprobs.items()}
    written = SimpleNamespace(logprobs=[found], text="Fine.", token_ids=[7], finish_reason=finish_reason)
    return SimpleNamespace(outputs=[written], prompt_token_ids=[1, 2, 3], num_cached_tokens=2)


def test_a_verdict_is_one_token_of_those_allowed_with_all_their_probabilities() -> None:
    asked = sampling_params(VERDICT)
    assert (asked["max_tokens"], asked["temperature"], asked["logprobs"]) == (1, 0.0, 2)
    assert asked["allowed_token_ids"] == [7, 8]
    reply = read_output(output(t8=-0.5, t7=-1.0), VERDICT, 0.25)
    assert reply.logprobs == (-1.0, -0.5)
    assert (reply.prompt_tokens, reply.cached_tokens, reply.completion_tokens, reply.latency_ms) == (3, 2, 1, 250.0)


def test_a_label_that_the_engine_does_not_mention_has_no_probability() -> None:
    assert read_output(output(t7=0.0), VERDICT, 0.1).logprobs == (0.0, -math.inf)


@pytest.mark.parametrize(("finish_reason", "finished"), [("stop", True), ("length", False)])
def test_a_draft_is_text_and_says_whether_it_was_cut(finish_reason: str, finished: bool) -> None:
    assert sampling_params(DRAFT) == {"max_tokens": 9, "temperature": 0.0, "stop": ["</think>"]}
    reply = read_output(output(finish_reason), DRAFT, 0.1)
    assert (reply.text, reply.finished, reply.logprobs) == ("Fine.", finished, ())


def test_a_verdict_is_finished_although_one_token_is_its_limit() -> None:
    assert read_output(output("length", t7=0.0), VERDICT, 0.1).finished


def test_the_number_format_is_that_of_the_configuration_or_suits_the_processor() -> None:
    assert resolved_dtype(EngineConfig(dtype="float16")) == "float16"
    assert resolved_dtype(EngineConfig(gpus_per_replica=1)) == "bfloat16"
    assert engine_kwargs(EngineConfig())["dtype"] in ("bfloat16", "float32")


def test_what_the_configuration_adds_wins() -> None:
    assert engine_kwargs(EngineConfig(engine_kwargs={"max_logprobs": 5}))["max_logprobs"] == 5


def test_a_pool_travels_to_another_process_and_counts_anew() -> None:
    pool = VllmPool(["one", "two"])
    pool._waiting[0] = 7
    assert pickle.loads(pickle.dumps(pool))._waiting == [0, 0]
