"""Forward passes with transformers on the embedded model, in this process."""

import math
from typing import Any

import pytest

from jobs.engines.config import EngineConfig
from jobs.engines.model import judge_model
from jobs.engines.transformers import TransformersEngine, batches
from judges.prompt import Draft, Prompt
from judges.tokenizer import load_tokenizer

CONFIG = EngineConfig(kind="transformers", dtype="float32", max_num_batched_tokens=256)
MODEL = judge_model(CONFIG)
ENDED = "<|im_end|>"


@pytest.fixture(scope="module")
def engine() -> TransformersEngine:
    return TransformersEngine(CONFIG, MODEL)


def chat(text: str, **more: Any) -> Prompt:
    assert MODEL.path is not None
    tokenizer = load_tokenizer(MODEL.path)
    ids = tokenizer.words.encode(tokenizer.render([{"role": "user", "content": text}]), add_special_tokens=False).ids
    return Prompt(token_ids=tuple(ids), **more)


def test_the_distribution_is_that_of_the_model_over_the_allowed_tokens(engine: TransformersEngine) -> None:
    import torch

    prompts = [chat("Is it? " * n + "Say yes or no.", labels=("x", "y", "z"), allowed=(28, 29, 5)) for n in (1, 9, 4)]
    for prompt, reply in zip(prompts, engine.ask(prompts), strict=True):
        with torch.inference_mode():
            whole = torch.softmax(engine._model(torch.tensor([prompt.token_ids])).logits[0, -1], 0)
        direct = whole[list(prompt.allowed)] / whole[list(prompt.allowed)].sum()
        assert [math.exp(x) for x in reply.logprobs] == pytest.approx(direct.tolist(), abs=1e-4)
        assert (reply.error, reply.prompt_tokens, reply.completion_tokens) == (None, len(prompt.token_ids), 1)


def test_drafts_end_at_their_limit_at_a_stop_or_by_themselves(engine: TransformersEngine) -> None:
    question = "Count: one, two, three, four, five. Repeat it."
    cut, free = engine.ask([chat(question, draft=Draft(max_tokens=n)) for n in (4, 60)])
    assert (cut.finished, cut.completion_tokens) == (False, 4)
    assert free.text.startswith(cut.text)
    assert free.finished
    assert ENDED not in free.text
    stop = free.text.split()[2]
    [stopped] = engine.ask([chat(question, draft=Draft(max_tokens=60, stop=(stop,)))])
    assert stopped.finished
    assert stopped.text == free.text.partition(stop)[0]


def test_drafts_do_not_depend_on_what_is_asked_beside_them(engine: TransformersEngine) -> None:
    draft = Draft(max_tokens=8)
    asked = [chat("What is a parcel?", draft=draft), chat("Why is the sky blue? " * 5, draft=draft)]
    assert [r.text for r in engine.ask(asked)] == [engine.ask([one])[0].text for one in asked]


def test_what_breaks_a_pass_is_the_error_of_its_prompts_alone(engine: TransformersEngine) -> None:
    good, bad = Prompt(token_ids=(1,) * 200, allowed=(5, 6)), Prompt(token_ids=(10**9,) * 100, allowed=(5, 6))
    first, second = engine.ask([bad, good])
    assert first.error is not None
    assert first.logprobs == ()
    assert second.error is None


def test_batches_hold_every_prompt_once_within_their_tokens() -> None:
    asked = [
        Prompt(token_ids=(1,) * (1 + 37 * i % 101), draft=Draft(max_tokens=1) if i % 3 else None) for i in range(40)
    ]
    made = list(batches(asked, tokens=150))
    assert sorted(place for batch in made for place in batch.places) == list(range(40))
    for batch in made:
        assert max(len(p.token_ids) for p in batch.prompts) * len(batch.prompts) <= 150
        assert {p.draft for p in batch.prompts} == {batch.draft}
