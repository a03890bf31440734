"""MLflow: make_judge with two values, called from threads as mlflow.genai.evaluate does."""

import asyncio
from importlib import import_module
from typing import Any, Literal

from benchmarks.tool_workers.worker import Ask, Job, Shown, work

_TEMPLATE = """{instructions}

The customer's message: {{{{ inputs }}}}
The two answers: {{{{ outputs }}}}

Which answer is better? Reply with A for answer_a or B for answer_b."""


def build(job: Job) -> Ask:
    """One judge for all."""
    judges: Any = import_module("mlflow.genai.judges")
    judge = judges.make_judge(
        name="preference",
        instructions=_TEMPLATE.format(instructions=job.instructions),
        model=f"openai:/{job.model}",
        base_url=f"{job.base_url}/chat/completions",
        feedback_value_type=Literal["A", "B"],
        inference_params={"max_tokens": job.max_tokens},
    )

    async def ask(shown: Shown) -> str:
        feedback = await asyncio.to_thread(
            judge,
            inputs={"question": shown.question, "policy": shown.context},
            outputs={"answer_a": shown.answer_a, "answer_b": shown.answer_b},
        )
        if feedback.error:
            raise ValueError(str(feedback.error))
        return str(feedback.value)

    return ask


if __name__ == "__main__":
    work("mlflow-skinny", build)
