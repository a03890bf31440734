"""What a run would cost on each kind of engine."""

import pytest

from jobs.engines.config import EngineConfig
from jobs.estimate import estimate_prompts
from judgefleet.trace import Message
from judges.prompt import Draft, Prompt

ENDPOINT = EngineConfig(
    kind="openai",
    base_url="http://h/v1",
    model="judge-1",
    tokens_per_second=10,
    price_per_million_input=2_000,
    price_per_million_output=10_000,
)


def messages(characters: int, draft: Draft | None = None) -> Prompt:
    turn = (Message(role="user", content="x" * characters),)
    return Prompt(messages=turn, labels=() if draft else ("A", "B"), draft=draft)


def test_tokens_of_messages_are_reckoned_and_the_estimate_says_so() -> None:
    found = estimate_prompts([messages(300), messages(301, Draft(max_tokens=20))], ENDPOINT)
    assert (found.prompts, found.tokens, found.tokens_computed, found.approximate) == (2, 201, 201, True)
    assert found.seconds == found.seconds_without_cache == 20.1
    # 201 tokens read at 0.002, 1 + 20 written at 0.01
    assert found.cost == pytest.approx(201 * 0.002 + 21 * 0.01)
    assert found.to_dict()["approximate"] is True


def test_token_ids_are_counted_with_the_prefix_cache_and_without() -> None:
    asked = [Prompt(token_ids=(*range(64), last), labels=("A", "B"), allowed=(7, 8)) for last in (1, 2)]
    found = estimate_prompts(asked, EngineConfig(tokens_per_second=10, cost_per_hour=3600, replicas=2))
    assert (found.prompts, found.tokens, found.tokens_computed, found.approximate) == (2, 130, 66, False)
    assert (found.seconds, found.seconds_without_cache) == (3.3, 6.5)
    assert found.cost == pytest.approx(3.3 * 2)
    assert estimate_prompts(asked, EngineConfig(tokens_per_second=10, prefix_caching=False)).seconds == 13.0
