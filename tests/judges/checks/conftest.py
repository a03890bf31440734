from collections.abc import Callable, Mapping

import pytest

from judgefleet.sample import Sample
from judgefleet.score import Outcome
from judgefleet.trace import Trace
from judges.catalogue import create_scorer

Run = Callable[..., Outcome]


@pytest.fixture
def run() -> Run:
    """Score one output with the check ``use``; the only axis' outcome. ``fields``: what else the trace has."""

    def score(use: str, output: str | None, options: Mapping[str, object] | None = None, **fields: object) -> Outcome:
        scorer = create_scorer(use, None, options or {})
        sample = Sample(
            trace=Trace(trace_id="t", output=output, **fields),  # type: ignore[arg-type]
            stratum="all",
            inclusion_probability=1.0,
            plan_hash="p",
        )
        (outcomes,) = scorer.score([sample])
        assert set(outcomes) == set(scorer.info.axes)
        return outcomes[scorer.info.axes[0]]

    return score
