"""The scripted engine: verdicts from a hash of the prompt. Public, for tests and for trying a configuration out."""

import math
import time
from collections.abc import Sequence

from judgefleet.hashing import stable_hash, unit_interval
from judges.prompt import Prompt
from judges.verdict import Reply


class ScriptedEngine:
    """Answers without a model: the same prompt always gets the same reply.

    ``delay_ms`` is slept for every prompt that is asked.

    >>> engine = ScriptedEngine()
    >>> prompt = Prompt(token_ids=(1, 2, 3), labels=("yes", "no"), allowed=(7, 8))
    >>> engine.ask([prompt])[0].logprobs == engine.ask([prompt])[0].logprobs
    True
    """

    def __init__(self, delay_ms: float = 0.0) -> None:
        self._delay = delay_ms / 1000

    def ask(self, prompts: Sequence[Prompt]) -> list[Reply]:
        """One reply a prompt, in order."""
        return [self._reply(prompt) for prompt in prompts]

    def _reply(self, prompt: Prompt) -> Reply:
        started = time.perf_counter()
        if self._delay:
            time.sleep(self._delay)
        key = ",".join(map(str, prompt.token_ids)) or repr(prompt.messages)
        return Reply(
            logprobs=() if prompt.draft else _verdict(key, prompt.labels),
            text=f"A scripted remark, {stable_hash(key, length=8)}." if prompt.draft else "",
            prompt_tokens=len(prompt.token_ids),
            cached_tokens=0,
            completion_tokens=8 if prompt.draft else 1,
            latency_ms=round((time.perf_counter() - started) * 1000, 3),
        )


def _verdict(key: str, labels: Sequence[str]) -> tuple[float, ...]:
    masses = [0.05 + unit_interval(f"{key}|{label}", "scripted") for label in labels]
    total = sum(masses)
    return tuple(math.log(mass / total) for mass in masses)
