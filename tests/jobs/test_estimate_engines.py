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
    found = estimate_prompts([messages(300), messages(301, Draft(max_tokens=20))], {"default": ENDPOINT})
    assert (found.prompts, found.tokens, found.tokens_computed, found.approximate) == (2, 201, 201, True)
    assert found.seconds == found.seconds_without_cache == 20.1
    # 201 tokens read at 0.002, 1 + 20 written at 0.01
    assert found.cost == pytest.approx(201 * 0.002 + 21 * 0.01)
    assert found.to_dict()["approximate"] is True


def test_token_ids_are_counted_with_the_prefix_cache_and_without() -> None:
    asked = [Prompt(token_ids=(*range(64), last), labels=("A", "B"), allowed=(7, 8)) for last in (1, 2)]
    found = estimate_prompts(asked, {"default": EngineConfig(tokens_per_second=10, cost_per_hour=3600, replicas=2)})
    assert (found.prompts, found.tokens, found.tokens_computed, found.approximate) == (2, 130, 66, False)
    assert (found.seconds, found.seconds_without_cache) == (3.3, 6.5)
    assert found.cost == pytest.approx(3.3 * 2)
    without = EngineConfig(tokens_per_second=10, prefix_caching=False)
    assert estimate_prompts(asked, {"default": without}).seconds == 13.0


def test_every_engine_has_a_cache_a_speed_and_a_price_of_its_own() -> None:
    ids = (*range(64), 1)
    asked = [Prompt(token_ids=ids, labels=("A",), allowed=(7,), engine=name) for name in ("default", "other", "other")]
    asked.append(Prompt(messages=messages(300).messages, labels=("A", "B"), engine="third"))
    quick, slow = EngineConfig(tokens_per_second=65), EngineConfig(tokens_per_second=13.2, cost_per_hour=360)
    found = estimate_prompts(asked, {"default": quick, "other": slow, "third": ENDPOINT})
    assert (found.prompts, found.tokens, found.tokens_computed) == (4, 65 + 130 + 100, 65 + 66 + 100)
    assert found.seconds == 10.0  # of the endpoint; the others take 1 and 5 s beside it
    assert found.cost == pytest.approx(5 / 10 + 100 * 0.002 + 0.01)
