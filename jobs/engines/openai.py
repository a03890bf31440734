"""An endpoint that speaks OpenAI's API: many prompts in flight, tried again with patience, within a budget."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from jobs.engines.budget import Budget, Tokens
from jobs.engines.config import EngineConfig
from jobs.engines.endpoint import Endpoint, Failed, pause
from jobs.engines.pool import ActorPool
from jobs.engines.wire import request, size
from jobs.engines.wire_answer import printable, read, used
from judges.judge_model import JudgeModel
from judges.prompt import Prompt
from judges.verdict import Reply

# Chunks that may wait for the endpoint at once; how many prompts are in flight is bounded besides.
_CALLS = 16


class OpenAiEngine:
    """Asks ``model`` at ``config.base_url``; plain data until it is first asked, so it travels.

    At most ``max_in_flight`` requests are open at once, whoever asks; a request that waits to be tried again counts.
    """

    def __init__(self, config: EngineConfig, model: str) -> None:
        self._config, self._model = config, model
        self._budget = Budget(config)
        self._lock = threading.Lock()
        self._open: tuple[Endpoint, ThreadPoolExecutor] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        # Connections, threads and what is spent stay where they are.
        return OpenAiEngine, (self._config, self._model)

    def ask(self, prompts: Sequence[Prompt]) -> list[Reply]:
        """One reply a prompt, in order; what is over a budget or fails for good is an error on its reply."""
        endpoint, threads = self._opened()
        return list(threads.map(lambda prompt: self._reply(endpoint, prompt), prompts))

    def close(self) -> None:
        """Give connections and threads back."""
        with self._lock:
            if self._open:
                self._open[1].shutdown(cancel_futures=True)
                self._open[0].close()
            self._open = None

    def _opened(self) -> tuple[Endpoint, ThreadPoolExecutor]:
        with self._lock:
            if self._open is None:
                threads = ThreadPoolExecutor(self._config.max_in_flight, thread_name_prefix="openai")
                self._open = Endpoint(self._config), threads
            return self._open

    def _reply(self, endpoint: Endpoint, prompt: Prompt) -> Reply:
        path, body = request(prompt, self._config, self._model)
        reserved, failed = size(prompt, body), Failed(error="not asked")
        for attempt in range(self._config.max_retries + 1):
            if attempt:
                time.sleep(pause(attempt - 1, failed.wait))
            if over := self._budget.reserve(reserved):
                return Reply(error=over)
            started = time.perf_counter()
            found = endpoint.post(path, body)
            if not isinstance(found, Failed):
                self._budget.settle(reserved, used(found, reserved))
                return read(found, prompt, time.perf_counter() - started)
            failed = found
            self._budget.settle(reserved, reserved if failed.billed else Tokens())
            if not failed.again:
                break
        tries = f" ({attempt + 1} tries)" if attempt else ""
        return Reply(error=printable(failed.error + tries))


def start_openai(config: EngineConfig, model: JudgeModel) -> ActorPool:
    """The engine for an endpoint that is up."""
    return ask_from_here(config, model.name)


def ask_from_here(config: EngineConfig, model: str) -> ActorPool:
    """One actor on this node asks for all workers: so that limits and budgets hold for the whole run."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    made = ray.remote(OpenAiEngine).options(num_cpus=0, max_concurrency=_CALLS, scheduling_strategy=here)
    return ActorPool([made.remote(config, model)])
