"""Engines: what answers prompts. One protocol, one function that makes what a configuration names."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from jobs.config import EngineConfig
from jobs.engines.scripted import ScriptedEngine
from judges.judge_model import JudgeModel
from judges.prompt import Prompt
from judges.verdict import Reply


class Engine(Protocol):
    """Answers prompts. Plain data that travels to any worker; several threads may ask at once."""

    def ask(self, prompts: Sequence[Prompt]) -> list[Reply]:
        """One reply a prompt, in order. What goes wrong with one prompt is an error on its reply.

        Raises when the engine itself is gone: whoever asked starts again with a new one.
        """
        ...


def start_engine(config: EngineConfig, model: JudgeModel) -> Engine:
    """The engine for ``config``; needs a Ray session. What it starts ends with the session."""
    if config.kind == "scripted":
        return ScriptedEngine(config.scripted_delay_ms)
    from jobs.engines.vllm import start_vllm

    return start_vllm(config, model)


def ask_by_engine(engines: Mapping[str, Engine], prompts: Sequence[Prompt]) -> list[Reply]:
    """Every prompt to the engine it names, those of one engine in one call; the replies in the order of ``prompts``."""
    replies: dict[int, Reply] = {}
    for name in dict.fromkeys(prompt.engine for prompt in prompts):
        places = [i for i, prompt in enumerate(prompts) if prompt.engine == name]
        replies.update(zip(places, engines[name].ask([prompts[i] for i in places]), strict=True))
    return [replies[i] for i in range(len(prompts))]
