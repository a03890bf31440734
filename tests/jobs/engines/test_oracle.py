"""The vLLM engine against plain forward passes of the same weights: label probabilities, on 100 prompts."""

from collections.abc import Callable, Sequence

import pytest

from jobs.cluster import ray_session
from jobs.engines.base import start_engine
from jobs.engines.config import EngineConfig
from jobs.engines.model import judge_model
from judges.prompt import Draft, Prompt
from judges.verdict import Reply

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    # Ray Data warns of its own settings when it is imported.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray.data.context"),
]


def test_vllm_gives_the_label_probabilities_of_a_forward_pass(
    asked: list[Prompt], agree: Callable[[Sequence[Reply], str], str]
) -> None:
    config = EngineConfig(dtype="float32")
    with ray_session():
        engine = start_engine(config, judge_model(config))
        replies = engine.ask(asked)
        [draft] = engine.ask([Prompt(token_ids=asked[0].token_ids, draft=Draft(max_tokens=5))])
    print(agree(replies, "float32"))  # noqa: T201 - for whoever measures
    assert sum(reply.cached_tokens or 0 for reply in replies) > 0
    assert draft.completion_tokens == 5
