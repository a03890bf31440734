"""The embedded judge's tokenizer, and samples to judge."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from judgefleet.sample import Sample
from judgefleet.trace import Message, Trace
from judges.judge_model import JudgeModel
from judges.models import resolve_model
from judges.token_writer import TokenWriter


@pytest.fixture(scope="session")
def judge_model() -> JudgeModel:
    folder = resolve_model("embedded/smollm2-135m-instruct")
    return JudgeModel(
        name=folder.name,
        path=folder.path,
        digest=folder.digest,
        files_digest="t",
        engine="vllm",
        engine_version="1",
        dtype="bfloat16",
        quantization=None,
        max_model_len=2048,
    )


@pytest.fixture(scope="session")
def writer(judge_model: JudgeModel) -> TokenWriter:
    return TokenWriter(judge_model)


@pytest.fixture
def small_writer(judge_model: JudgeModel) -> TokenWriter:
    return TokenWriter(replace(judge_model, max_model_len=700))


MakeSample = Callable[..., Sample]


@pytest.fixture
def make_sample() -> MakeSample:
    def make(trace_id: str = "t1", question: str = "Where is my parcel?", **fields: object) -> Sample:
        known = {
            "span_id": "s1",
            "variant": "A",
            "output": "It is on its way [SHIP-1].",
            "contexts": ("SHIP-1: parcels arrive within 7 days.",),
            "attributes": {"judgefleet.item_id": "q1"},
            "messages": (Message(role="user", content=question),),
        }
        trace = Trace(trace_id=trace_id, **(known | fields))  # type: ignore[arg-type]
        return Sample(trace=trace, stratum="all", inclusion_probability=1.0, plan_hash="p")

    return make
