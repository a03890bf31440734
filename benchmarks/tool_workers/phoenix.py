"""Phoenix evals: a classifier of two choices, with an explanation first as it recommends, or without."""

from importlib import import_module
from typing import Any

from benchmarks.tool_workers.worker import LABELS, Ask, Job, Shown, work

_TEMPLATE = """{instructions}

[BEGIN DATA]
************
[Policy]: {{{{context}}}}
************
[Question]: {{{{question}}}}
************
[Answer A]: {{{{answer_a}}}}
************
[Answer B]: {{{{answer_b}}}}
************
[END DATA]

Which answer is better? Reply with A for answer A or B for answer B."""


def build(job: Job) -> Ask:
    """One classifier for all."""
    evals: Any = import_module("phoenix.evals")
    llm = evals.LLM(provider="openai", model=job.model, base_url=job.base_url, api_key="none")
    judge = evals.ClassificationEvaluator(
        name="preference",
        llm=llm,
        prompt_template=_TEMPLATE.format(instructions=job.instructions),
        choices=list(LABELS),
        include_explanation=job.explain,
        max_tokens=job.max_tokens,
    )

    async def ask(shown: Shown) -> str:
        [score] = await judge.async_evaluate(vars(shown))
        return str(score.label)

    return ask


if __name__ == "__main__":
    work("arize-phoenix-evals", build)
