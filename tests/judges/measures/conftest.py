from collections.abc import Callable, Mapping

import pytest

from judgefleet.sample import Sample
from judgefleet.score import Outcome
from judgefleet.trace import Trace
from judges.catalogue import create_scorer

Measured = Mapping[str, Outcome]
Run = Callable[..., Measured]


def sample_of(trace: Trace) -> Sample:
    return Sample(trace=trace, stratum="all", inclusion_probability=1.0, plan_hash="p")


@pytest.fixture
def run() -> Run:
    """All axes of the measure ``use`` for a trace with these ``fields``."""

    def score(use: str, options: Mapping[str, object] | None = None, **fields: object) -> Measured:
        scorer = create_scorer(use, None, options or {})
        (outcomes,) = scorer.score([sample_of(Trace(**({"trace_id": "t"} | fields)))])  # type: ignore[arg-type]
        assert set(outcomes) == set(scorer.info.axes)
        return outcomes

    return score
