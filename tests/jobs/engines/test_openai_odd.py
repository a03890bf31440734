"""Answers of an OpenAI-compatible endpoint that say less, or something else, than they seem to."""

import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.engines.config import EngineConfig
from jobs.engines.openai import OpenAiEngine
from judgefleet.trace import Message
from judges.prompt import Prompt
from judges.verdict import Reply

pytestmark = pytest.mark.timeout(60)
SERVER = runpy.run_path(str(Path(__file__).with_name("openai_server.py")))
Answer, chat = SERVER["Answer"], SERVER["chat"]
LABELS = ("4", "5")


@pytest.fixture
def server() -> Iterator[Any]:
    with SERVER["serve"](lambda body: chat("4")) as made:
        yield made


@pytest.fixture
def ask(server: Any) -> Iterator[Callable[..., Reply]]:
    """Asks for one of ``labels``, once, with what is configured besides."""
    made: list[OpenAiEngine] = []

    def make(labels: tuple[str, ...] = LABELS, **config: Any) -> Reply:
        whole = {"kind": "openai", "base_url": server.url, "model": "judge-1", "max_retries": 0, "timeout_s": 5}
        made.append(OpenAiEngine(EngineConfig(**(whole | config)), "judge-1"))
        [reply] = made[-1].ask([Prompt(messages=(Message(role="user", content="Which?"),), labels=labels)])
        return reply

    yield make
    for one in made:
        one.close()


# First tokens that are not the answer: what was thought, a part of a longer text, or the beginning of nothing at all.
@pytest.mark.parametrize(
    ("text", "token"), [("4", "1"), (None, "1"), ("10", "1"), ("1 thing is missing; 5", "1"), ("4 out of 5", "4")]
)
def test_probabilities_of_what_was_not_answered_are_none(
    server: Any, ask: Callable[..., Reply], text: str | None, token: str
) -> None:
    said = chat(token, {token: 0.6, "2": 0.3})
    said.content["choices"][0]["message"]["content"] = text
    server.answer = lambda _: said
    reply = ask(labels=("1", "2", "4"))
    assert (reply.logprobs, reply.text) == ((), text or "")


def test_a_probability_without_rivals_weighs_nothing(server: Any, ask: Callable[..., Reply]) -> None:
    server.answer = lambda _: chat("4", {"4": 0.6})
    reply = ask(labels=("1", "4"))
    assert reply.logprobs == ()


@pytest.mark.parametrize(
    ("written", "text", "finished"),
    [
        ("<think>\nhm\n</think>\n\n4", "4", True),
        ("<think>hm</think>- A claim.", "- A claim.", True),
        ("<think>\nit goes on", "", False),
        ("4 <think>", "4 <think>", True),
    ],
)
def test_what_a_model_thinks_aloud_is_not_its_answer(
    server: Any, ask: Callable[..., Reply], written: str, text: str, *, finished: bool
) -> None:
    server.answer = lambda _: chat(written)
    reply = ask()
    assert (reply.text, reply.finished) == (text, finished)


@pytest.mark.parametrize(
    "usage", ["n/a", [1], {"prompt_tokens": "12"}, {"prompt_tokens": 10**30}, {"prompt_tokens": -1}]
)
def test_tokens_that_are_no_numbers_are_reckoned(server: Any, ask: Callable[..., Reply], usage: Any) -> None:
    said = chat("4", {"4": 0.6, "5": 0.3})
    said.content["usage"] = usage
    server.answer = lambda _: said
    reply = ask(max_tokens_total=10_000)
    assert (reply.error, reply.prompt_tokens, len(reply.logprobs)) == (None, None, 2)


def test_half_a_character_and_an_impossible_probability_are_told_in_words_that_a_file_can_hold(
    server: Any, ask: Callable[..., Reply]
) -> None:
    server.answer = lambda _: Answer(status=400, content={"error": {"message": "bad \ud800"}})
    reply = ask()
    assert (reply.error or "").encode("utf-8")
    said = chat("4", {"4": 0.6, "5": 0.3})
    said.content["choices"][0]["logprobs"]["content"][0]["top_logprobs"][1]["logprob"] = 800
    server.answer = lambda _: said
    reply = ask()
    assert "OverflowError" in (reply.error or "")


@pytest.mark.parametrize(("body", "tries"), [({}, 2), ({"temperature": None}, 1), ({"temperature": 0.7}, 1)])
def test_a_late_answer_is_asked_for_again_only_where_it_would_be_the_same(
    server: Any, ask: Callable[..., Reply], body: dict[str, Any], tries: int
) -> None:
    server.answer = lambda _: Answer(status=504)
    ask(max_retries=1, extra_body=body)
    assert len(server.bodies) == tries
