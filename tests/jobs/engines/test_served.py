"""vLLM behind OpenAI's API, for real: its own server and Ray Serve LLM, asked with the prompts of the pipeline."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.cluster import ray_session
from jobs.engines.base import start_engine
from jobs.engines.config import EngineConfig
from jobs.engines.model import judge_model
from jobs.engines.openai import OpenAiEngine
from jobs.engines.serve import retire_app
from jobs.engines.vllm import engine_env
from judgefleet.errors import RunError
from judgefleet.trace import Message
from judges.prompt import Draft, Prompt
from judges.verdict import Reply

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    # Ray Data warns of its own settings when it is imported.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray"),
]
EMBEDDED = "embedded/smollm2-135m-instruct"
COUNT = 40
Agree = Callable[[Sequence[Reply], str], str]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of vLLM's own server in its default settings, but for what this machine needs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    model = judge_model(EngineConfig())
    command = f"""{sys.executable} -m vllm.entrypoints.openai.api_server --model {model.path} --served-model-name judge
        --host 127.0.0.1 --port {port} --dtype bfloat16 --max-model-len 2048 --max-num-seqs 64 --block-size 32
        --max-num-batched-tokens 4096 --enforce-eager --enable-prompt-tokens-details"""
    log = tmp_path_factory.mktemp("vllm") / "server.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            command.split(), env=os.environ | engine_env(EngineConfig()), stdout=out, stderr=subprocess.STDOUT
        )
        try:
            _wait(f"http://127.0.0.1:{port}/health", process, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            process.wait(60)


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    ends = time.monotonic() + 600
    while time.monotonic() < ends and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
        else:
            return
    raise AssertionError(log.read_text()[-3000:])


def test_a_server_of_vllm_is_asked_exactly(server: str, asked: list[Prompt], agree: Agree) -> None:
    config = EngineConfig(
        kind="openai", base_url=server, model="judge", prompts="tokens", tokenizer=EMBEDDED, timeout_s=300
    )
    engine = OpenAiEngine(config, "judge")
    replies = engine.ask(asked[:COUNT])
    [draft] = engine.ask([Prompt(token_ids=asked[0].token_ids, draft=Draft(max_tokens=5))])
    engine.close()
    print(agree(replies, "bfloat16"))  # noqa: T201 - for whoever measures
    assert sum(reply.cached_tokens or 0 for reply in replies) > 0
    assert [reply.prompt_tokens for reply in replies] == [len(prompt.token_ids) for prompt in asked[:COUNT]]
    assert (draft.completion_tokens, draft.finished) == (5, False)
    assert draft.text


def test_a_server_of_vllm_takes_messages(server: str) -> None:
    config = EngineConfig(kind="openai", base_url=server, model="judge", timeout_s=300)
    engine = OpenAiEngine(config, "judge")
    asked = (Message(role="system", content="Answer with a letter."), Message(role="user", content="A or B? Say A."))
    verdict, draft = engine.ask(
        [Prompt(messages=asked, labels=("A", "B")), Prompt(messages=asked, draft=Draft(max_tokens=5))]
    )
    engine.close()
    assert (verdict.error, draft.error) == (None, None)
    assert verdict.completion_tokens == 1
    # This model may well answer with another word; then there is that word in place of a distribution.
    assert len(verdict.logprobs) == 2 or verdict.text.strip() not in ("A", "B")
    assert draft.completion_tokens == 5


def test_ray_serve_llm_is_started_joined_and_asked_exactly(asked: list[Prompt], agree: Agree) -> None:
    # Routed by prefix although it is alone: that the router passes requests of token ids on is seen here.
    config = EngineConfig(kind="serve", dtype="bfloat16", timeout_s=300, routing="prefix_aware")
    model = judge_model(config)
    with ray_session():
        replies = start_engine(config, model).ask(asked[:COUNT])
        # Whoever wants the same finds it, whoever comes later names the address; neither starts anything.
        running = _replicas()
        began = time.monotonic()
        found = start_engine(config, model).ask(asked[:2])
        assert time.monotonic() - began < 30
        assert _replicas() == running
        import ray.serve as serve
        from ray.serve.context import _get_global_client

        [name] = serve.status().applications
        url = f"http://127.0.0.1:{_get_global_client().http_config.port}/{name}/v1"
        began = time.monotonic()
        again = start_engine(config.model_copy(update={"base_url": url}), model).ask(asked[:2])
        assert time.monotonic() - began < 30
        assert list(serve.status().applications) == [name]
        with pytest.raises(RunError, match="gave no answer"):
            start_engine(config.model_copy(update={"base_url": url, "start_timeout_s": 1.0}), replace(model, name="no"))
        assert retire_app(name)
        assert not serve.status().applications
        assert not retire_app(name)
        serve.shutdown()
    print(agree(replies, "bfloat16"))  # noqa: T201 - for whoever measures
    assert sum(reply.cached_tokens or 0 for reply in replies) > 0
    assert [reply.error for reply in [*found, *again]] == [None] * 4


def _replicas() -> set[str]:
    """Ids of the replicas of engines; each start makes another."""
    from ray.serve.context import _get_global_client

    applications = _get_global_client().get_serve_details()["applications"].values()
    deployments = [one for app in applications for name, one in app["deployments"].items() if "LLMServer" in name]
    found = {replica["replica_id"] for one in deployments for replica in one["replicas"]}
    assert found
    return found
