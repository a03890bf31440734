"""DeepEval: ArenaGEval, its pairwise metric, with its evaluation steps given so that it need not ask for them."""

import random
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from benchmarks.tool_workers.worker import Ask, Job, Shown, work


def build(job: Job) -> Ask:
    """One metric a question: a metric holds the state of one measurement."""
    metrics, cases = import_module("deepeval.metrics"), import_module("deepeval.test_case")
    arena: Any = import_module("deepeval.metrics.arena_g_eval.utils")
    arena.random = SimpleNamespace(shuffle=_shuffle_names)
    judge = import_module("deepeval.models").LocalModel(
        model=job.model,
        base_url=job.base_url,
        api_key="none",
        generation_kwargs={"max_tokens": job.max_tokens, "response_format": {"type": "json_object"}},
    )
    params = cases.SingleTurnParams

    async def ask(shown: Shown) -> str:
        metric = metrics.ArenaGEval(
            name="preference",
            evaluation_steps=[job.instructions],
            evaluation_params=[params.INPUT, params.ACTUAL_OUTPUT, params.CONTEXT],
            model=judge,
        )
        return str(await metric.a_measure(_arena(cases, shown), _show_indicator=False))

    return ask


def _shuffle_names(items: list[Any]) -> None:
    """It shuffles the names that it gives to answers, and the answers; here these stay in the order asked for."""
    if isinstance(items[0], str):
        random.shuffle(items)


def _arena(cases: Any, shown: Shown) -> Any:
    answers = {"A": shown.answer_a, "B": shown.answer_b}
    contestants = [
        cases.Contestant(
            name=name,
            test_case=cases.LLMTestCase(input=shown.question, actual_output=answer, context=[shown.context]),
        )
        for name, answer in answers.items()
    ]
    return cases.ArenaTestCase(contestants=contestants)


if __name__ == "__main__":
    work("deepeval", build)
