"""Engines: what answers prompts. One protocol, one function that makes what a configuration names."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Protocol

from jobs.engines.config import EngineConfig
from jobs.engines.scripted import ScriptedEngine
from judges.judge_model import JudgeModel
from judges.prompt import Prompt
from judges.verdict import Reply

# Imported when a configuration names the kind.
_STARTS = {
    "vllm": "jobs.engines.vllm:start_vllm",
    "serve": "jobs.engines.serve:start_serve",
    "transformers": "jobs.engines.transformers:start_transformers",
    "openai": "jobs.engines.openai:start_openai",
}


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
    module, _, function = _STARTS[config.kind].partition(":")
    start: Callable[[EngineConfig, JudgeModel], Engine] = getattr(import_module(module), function)
    return start(config, model)


def ask_by_engine(engines: Mapping[str, Engine], prompts: Sequence[Prompt]) -> list[Reply]:
    """Every prompt to the engine it names, those of one engine in one call; the replies in the order of ``prompts``."""
    replies: dict[int, Reply] = {}
    for name in dict.fromkeys(prompt.engine for prompt in prompts):
        places = [i for i, prompt in enumerate(prompts) if prompt.engine == name]
        replies.update(zip(places, engines[name].ask([prompts[i] for i in places]), strict=True))
    return [replies[i] for i in range(len(prompts))]
