"""Prompts for real engines, and what plain forward passes say to them."""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

import pytest

from jobs.engines.config import EngineConfig
from jobs.engines.model import judge_model
from jobs.engines.transformers import TransformersEngine
from judges.material import Part
from judges.prompt import Prompt
from judges.token_writer import TokenWriter
from judges.verdict import Reply

# Largest and mean difference of a probability. In float32 nothing but rounding differs. In bfloat16, which has 8
# bits of precision, one and the same forward pass in two ways of batching differed by up to 0.038, in the mean 0.007,
# on these prompts, and from float32 by 0.033 and 0.007: nothing can be asked to agree better than that.
TOLERANCE = {"float32": (0.001, 0.0001), "bfloat16": (0.06, 0.015)}
_SCALES = [("A", "B"), ("1", "2", "3", "4", "5"), tuple(map(str, range(1, 11))), ("no", "partly", "yes")]


@pytest.fixture(scope="session")
def asked() -> list[Prompt]:
    """100 prompts of 74 to 326 tokens: scales of one and of several tokens, several questions about one body."""
    writer = TokenWriter(judge_model(EngineConfig(dtype="bfloat16")))
    prompts: list[Prompt] = []
    item = 0
    while len(prompts) < 100:
        answer = f"Your parcel number {item} takes {item % 7 + 1} days, see SHIP-{item}. " * (1 + item * 7 % 5)
        policy = Part(title="Policy", text=f"SHIP-{item}: {item % 5 + 2} days. " * (item % 4), yields=0, keep=0.25)
        parts = [policy, Part(title="Answer", text=answer, yields=1, keep=0.5)]
        body = writer.body("Judge the answer of a support bot.", parts, 64)
        assert body.script is not None
        for labels in (_SCALES[item % 4], _SCALES[(item + 1) % 4]):
            script = writer.ask(body.script, f"Is it good? Reply with one of {', '.join(labels)}.")
            prompts += writer.prompts(script, writer.choice(labels))
        item += 1
    return prompts[:100]


def probabilities(reply: Reply) -> list[float]:
    """Of the labels, scaled to sum to one."""
    assert reply.error is None
    masses = [math.exp(value) for value in reply.logprobs]
    return [mass / sum(masses) for mass in masses]


Agree = Callable[[Sequence[Reply], str], str]


@pytest.fixture(scope="session")
def agree(asked: list[Prompt]) -> Agree:
    """Asserts that replies to the first of the prompts agree with forward passes in ``dtype``; says how far apart."""

    @lru_cache(maxsize=2)
    def direct(dtype: str, count: int) -> list[list[float]]:
        config = EngineConfig.model_validate({"kind": "transformers", "dtype": dtype})
        return [probabilities(reply) for reply in TransformersEngine(config, judge_model(config)).ask(asked[:count])]

    def compare(replies: Sequence[Reply], dtype: str) -> str:
        wanted = direct(dtype, len(replies))
        apart = [
            max(abs(a - b) for a, b in zip(probabilities(reply), found, strict=True))
            for reply, found in zip(replies, wanted, strict=True)
        ]
        # Prompts that all have one answer would agree whatever an engine computes.
        assert len({round(found[0], 2) for found in wanted}) > len(wanted) / 5
        largest, mean = max(apart), sum(apart) / len(apart)
        said = f"{dtype}: largest {largest:.5f}, mean {mean:.5f} over {len(apart)} prompts"
        assert largest <= TOLERANCE[dtype][0], said
        assert mean <= TOLERANCE[dtype][1], said
        return said

    return compare
