"""An OpenAI-compatible endpoint, against a real server that answers well, badly, late and not at all."""

import itertools
import math
import pickle
import runpy
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.engines.config import EngineConfig
from jobs.engines.openai import OpenAiEngine
from judgefleet.trace import Message
from judges.prompt import Draft, Prompt
from judges.verdict import Reply

# An engine that waited for what it should not wait for would wait for an hour.
pytestmark = pytest.mark.timeout(60)
SERVER = runpy.run_path(str(Path(__file__).with_name("openai_server.py")))
Answer, chat, completion = SERVER["Answer"], SERVER["chat"], SERVER["completion"]
KEY = "sk-secret-0123456789"
LABELS = ("A", "B")


def asked(text: str = "Which?", **more: Any) -> Prompt:
    messages = (Message(role="system", content="Rubric."), Message(role="user", content=text))
    return Prompt(**({"messages": messages, "labels": LABELS} | more))


TOKENS = Prompt(token_ids=(5, 6, 7), labels=LABELS, allowed=(32, 33))


@pytest.fixture
def server() -> Iterator[Any]:
    with SERVER["serve"](lambda body: chat("A", {"A": 0.6, "B": 0.2, " A": 0.1, "The": 0.1})) as made:
        yield made


@pytest.fixture
def engine(server: Any) -> Iterator[Callable[..., OpenAiEngine]]:
    made: list[OpenAiEngine] = []

    def make(**config: Any) -> OpenAiEngine:
        whole = {"kind": "openai", "base_url": server.url, "model": "judge-1", "max_retries": 2, "timeout_s": 5}
        made.append(OpenAiEngine(EngineConfig(**(whole | config)), "judge-1"))
        return made[-1]

    yield make
    for one in made:
        one.close()


def only(engine: OpenAiEngine, prompt: Prompt | None = None) -> Reply:
    [reply] = engine.ask([prompt or asked()])
    return reply


def test_a_verdict_is_one_token_with_its_likeliest_rivals(server: Any, engine: Callable[..., OpenAiEngine]) -> None:
    reply = only(engine())
    assert [math.exp(x) for x in reply.logprobs] == pytest.approx([0.7, 0.2])
    assert (reply.error, reply.text, reply.prompt_tokens, reply.completion_tokens) == (None, "A", 100, 1)
    assert server.paths == ["/v1/chat/completions"]
    assert server.bodies == [
        {
            "model": "judge-1",
            "temperature": 0.0,
            "messages": [{"role": "system", "content": "Rubric."}, {"role": "user", "content": "Which?"}],
            "max_tokens": 1,
            "logprobs": True,
            "top_logprobs": 20,
        }
    ]


def test_a_label_that_is_not_among_the_likeliest_has_no_mass(server: Any, engine: Callable[..., OpenAiEngine]) -> None:
    server.answer = lambda body: chat("B", {"B": 0.5, "Well": 0.3})
    assert list(only(engine()).logprobs) == [-math.inf, pytest.approx(math.log(0.5))]


def test_what_is_none_of_the_labels_is_read_as_text(server: Any, engine: Callable[..., OpenAiEngine]) -> None:
    server.answer = lambda body: chat("The", {"The": 0.6, "A": 0.3})
    reply = only(engine())
    assert (reply.logprobs, reply.text) == ((), "The")


def test_without_log_probabilities_there_is_the_text(server: Any, engine: Callable[..., OpenAiEngine]) -> None:
    server.answer = lambda body: chat(" B\n")
    assert only(engine()).logprobs == ()
    assert only(engine(logprobs=False)).text == " B\n"
    assert server.bodies[1]["max_tokens"] == 9
    assert not {"logprobs", "top_logprobs"} & set(server.bodies[1])


def test_a_draft_is_text_and_says_whether_it_was_cut(server: Any, engine: Callable[..., OpenAiEngine]) -> None:
    cut = chat("Because of")
    cut.content["choices"][0]["finish_reason"] = "length"
    server.answer = lambda body: cut
    reply = only(engine(), asked(labels=(), draft=Draft(max_tokens=9, stop=("END",))))
    assert (reply.text, reply.finished, reply.logprobs) == ("Because of", False, ())
    assert (server.bodies[0]["max_tokens"], server.bodies[0]["stop"]) == (9, ["END"])


def test_the_configuration_adds_to_a_request_and_takes_from_it(
    server: Any, engine: Callable[..., OpenAiEngine]
) -> None:
    only(engine(extra_body={"temperature": None, "seed": 7, "top_logprobs": 5}))
    assert "temperature" not in server.bodies[0]
    assert (server.bodies[0]["seed"], server.bodies[0]["top_logprobs"]) == (7, 5)


def test_token_prompts_are_sent_as_they_are_and_read_by_id(server: Any, engine: Callable[..., OpenAiEngine]) -> None:
    server.answer = lambda body: completion({33: -0.25, 32: -1.5}, cached=64)
    reply = only(engine(prompts="tokens", tokenizer="embedded/smollm2-135m-instruct"), TOKENS)
    assert (reply.logprobs, reply.cached_tokens) == ((-1.5, -0.25), 64)
    [body] = server.bodies
    assert server.paths == ["/v1/completions"]
    assert (body["prompt"], body["max_tokens"], body["temperature"]) == ([5, 6, 7], 1, 0.0)
    assert body["allowed_token_ids"] == body["logprob_token_ids"] == [32, 33]
    assert (body["logprobs"], body["return_tokens_as_token_ids"]) == (2, True)


def test_a_label_token_that_is_missing_is_an_error_not_a_weight(
    server: Any, engine: Callable[..., OpenAiEngine]
) -> None:
    server.answer = lambda body: completion({32: -0.1, 9: -2.0})
    reply = only(engine(prompts="tokens", tokenizer="embedded/smollm2-135m-instruct"), TOKENS)
    assert reply.logprobs == ()
    assert "token_id:33" in str(reply.error)
    assert "processed_logprobs" in str(reply.error)


def test_requests_are_many_at_once_and_never_more_than_allowed(
    server: Any, engine: Callable[..., OpenAiEngine]
) -> None:
    server.answer = lambda body: Answer(content=chat(body["messages"][1]["content"]).content, delay=0.05)
    made, replies = engine(max_in_flight=4), {}

    def ask(caller: int) -> None:
        replies[caller] = made.ask([asked(f"{caller}-{i}") for i in range(10)])

    callers = [threading.Thread(target=ask, args=(caller,)) for caller in range(3)]
    for thread in callers:
        thread.start()
    for thread in callers:
        thread.join()
    assert server.most == 4
    assert len(server.bodies) == 30
    for caller, got in replies.items():
        assert [reply.text for reply in got] == [f"{caller}-{i}" for i in range(10)]


def test_replies_keep_the_order_of_the_prompts_though_the_first_comes_last(
    server: Any, engine: Callable[..., OpenAiEngine]
) -> None:
    def late(body: dict[str, Any]) -> Any:
        number = int(body["messages"][1]["content"])
        return Answer(content=chat(str(number)).content, delay=0.3 - number / 20)

    server.answer = late
    assert [r.text for r in engine().ask([asked(str(i)) for i in range(6)])] == [str(i) for i in range(6)]


def test_a_server_that_is_busy_is_asked_again_when_it_says(server: Any, engine: Callable[..., OpenAiEngine]) -> None:
    busy = Answer(status=429, content={"error": {"message": "slow down"}}, headers={"Retry-After": "1"})
    turns = iter([busy, chat("B")])
    server.answer = lambda body: next(turns)
    assert only(engine()).text == "B"
    assert 1.0 <= server.times[1] - server.times[0] < 2.0


def test_a_pause_that_is_too_long_is_not_waited_for(server: Any, engine: Callable[..., OpenAiEngine]) -> None:
    server.answer = lambda body: Answer(status=429, content={}, headers={"Retry-After": "3600"})
    assert "asks to wait 3600 s" in str(only(engine()).error)
    assert len(server.bodies) == 1


def test_waits_grow(server: Any, engine: Callable[..., OpenAiEngine]) -> None:
    turns = iter([Answer(status=500, content=b"oops"), Answer(status=503, content=b""), chat("A")])
    server.answer = lambda body: next(turns)
    reply = only(engine())
    assert (reply.text, reply.error) == ("A", None)
    first, second = (b - a for a, b in itertools.pairwise(server.times))
    assert 0.37 < first < 0.7
    assert 0.75 < second < 1.2


def test_an_error_that_stays_is_the_reply_with_its_tries(server: Any, engine: Callable[..., OpenAiEngine]) -> None:
    server.answer = lambda body: Answer(status=500, content={"error": {"message": "out of memory"}})
    assert only(engine(max_retries=1)).error == "HTTP 500: out of memory (2 tries)"
    assert len(server.bodies) == 2


def test_what_is_wrong_with_a_request_is_not_tried_again(server: Any, engine: Callable[..., OpenAiEngine]) -> None:
    server.answer = lambda body: (
        Answer(status=400, content={"error": {"message": "too long", "code": 400}})
        if body["messages"][1]["content"] == "bad"
        else chat("A")
    )
    good, bad = engine().ask([asked("good"), asked("bad")])
    assert (good.text, good.error) == ("A", None)
    assert bad.error == "HTTP 400: too long"
    assert len(server.bodies) == 2


def test_a_server_that_hangs_is_a_timeout(server: Any, engine: Callable[..., OpenAiEngine]) -> None:
    server.answer = lambda body: Answer(content={}, delay=3)
    began = time.monotonic()
    reply = only(engine(timeout_s=0.3, max_retries=1))
    assert time.monotonic() - began < 2.5
    assert str(reply.error).startswith("timeout: ReadTimeout after 0.3 s")
    assert str(reply.error).endswith("(2 tries)")


def test_a_connection_that_breaks_is_tried_again(server: Any, engine: Callable[..., OpenAiEngine]) -> None:
    turns = iter([Answer(status=0), chat("A")])
    server.answer = lambda body: next(turns)
    assert only(engine()).text == "A"


def test_nobody_at_the_address_is_an_error_after_the_tries(engine: Callable[..., OpenAiEngine]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    reply = only(engine(base_url=f"http://127.0.0.1:{port}/v1", max_retries=1))
    assert str(reply.error).startswith("no answer from 127.0.0.1: ConnectError")
    assert "(2 tries)" in str(reply.error)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html>login</html>", "no JSON object: '<html>login"),
        (b"[1]", "no JSON object"),
        ({"choices": []}, "not in OpenAI's form"),
        ({"choices": [{"message": None}]}, "not in OpenAI's form"),
        ({"error": "asleep"}, "not in OpenAI's form"),
    ],
)
def test_an_answer_that_is_none_is_an_error(
    server: Any, engine: Callable[..., OpenAiEngine], content: Any, said: str
) -> None:
    server.answer = lambda body: Answer(content=content)
    reply = only(engine())
    assert said in str(reply.error)
    assert reply.logprobs == ()
    assert len(server.bodies) == 1


def test_the_key_is_sent_and_never_shown(
    server: Any, engine: Callable[..., OpenAiEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUDGE_KEY", f"{KEY}\n")
    server.answer = lambda body: Answer(status=401, content={"error": {"message": f"no such key: {KEY}"}})
    made = engine(api_key_env="JUDGE_KEY")
    assert only(made).error == "HTTP 401: no such key: ***"
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert KEY.encode() not in pickle.dumps(made)


def test_a_key_that_is_not_there_is_an_error_that_names_the_variable(
    server: Any, engine: Callable[..., OpenAiEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JUDGE_KEY", raising=False)
    assert "JUDGE_KEY" in str(only(engine(api_key_env="JUDGE_KEY")).error)
    assert server.bodies == []


def test_an_engine_travels_and_asks_from_there(server: Any, engine: Callable[..., OpenAiEngine]) -> None:
    made = engine()
    only(made)
    there = pickle.loads(pickle.dumps(made))
    assert only(there).text == "A"
    there.close()


def test_a_budget_of_requests_counts_every_try(server: Any, engine: Callable[..., OpenAiEngine]) -> None:
    turns = iter([Answer(status=500, content=b""), *[chat("A")] * 9])
    server.answer = lambda body: next(turns)
    made = engine(max_requests=3, max_in_flight=1)
    replies = made.ask([asked(str(i)) for i in range(4)])
    assert [reply.error is None for reply in replies] == [True, True, False, False]
    assert replies[2].error == "engine.max_requests (3) is spent; raise it and run again with --retry-failed"
    assert (replies[2].logprobs, replies[2].text) == ((), "")
    assert len(server.bodies) == 3


def test_a_budget_of_tokens_counts_what_the_endpoint_says(server: Any, engine: Callable[..., OpenAiEngine]) -> None:
    made = engine(max_tokens_total=250, max_in_flight=1)
    replies = made.ask([asked(str(i)) for i in range(5)])
    assert [reply.error is None for reply in replies] == [True, True, True, False, False]
    assert "max_tokens_total (250)" in str(replies[3].error)


def test_a_budget_is_not_overdrawn_by_many_at_once(server: Any, engine: Callable[..., OpenAiEngine]) -> None:
    server.answer = lambda body: Answer(content=completion({32: -0.1, 33: -2.0}, prompt_tokens=3).content, delay=0.05)
    made = engine(prompts="tokens", tokenizer="embedded/smollm2-135m-instruct", max_tokens_total=30)
    replies = made.ask([TOKENS] * 20)
    assert sum(reply.error is None for reply in replies) == 30 // (3 + 1)
    assert len(server.bodies) == 7


def test_a_budget_of_money(server: Any, engine: Callable[..., OpenAiEngine]) -> None:
    prices = {"price_per_million_input": 10_000.0, "price_per_million_output": 20_000.0}
    server.answer = lambda body: chat("A", prompt_tokens=100, completion_tokens=10)
    replies = engine(max_cost=2.42, max_in_flight=1, **prices).ask([asked(str(i)) for i in range(4)])
    # 1.2 a request: two are 2.40, and what is reckoned for a third does not fit.
    assert [reply.error is None for reply in replies] == [True, True, False, False]
    assert "engine.max_cost (2.42) is spent" in str(replies[2].error)


def test_what_was_refused_is_not_counted_as_tokens(server: Any, engine: Callable[..., OpenAiEngine]) -> None:
    turns = iter([Answer(status=500, content=b"")] * 2 + [chat("A", prompt_tokens=7)])
    server.answer = lambda body: next(turns)
    # The prompt is reckoned with 5 tokens and one to write: with both tries counted, a third would be too much.
    assert only(engine(max_tokens_total=10)).text == "A"
