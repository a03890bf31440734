"""tokens: how many tokens the model read and wrote."""

from collections.abc import Mapping

from pydantic import BaseModel

from judgefleet.score import Outcome
from judgefleet.scorer import Direction
from judgefleet.trace import Trace, Usage
from judges.measures.base import Measure, measure_info, measured, problem, recorded, unknown

AXES = ("input_tokens", "output_tokens", "total_tokens")


class Tokens(Measure):
    """Tokens read, written and both together, as the provider counted them (OpenTelemetry's ``gen_ai.usage.*``).

    The total is the sum of the two and not applicable where one is missing. Neither more nor fewer is better: what
    tokens cost is the measure ``cost``, and whether an answer is too long the check ``length``.

    >>> from judgefleet.sample import Sample
    >>> trace = Trace(trace_id="t", usage=Usage(input_tokens=120))
    >>> sample = Sample(trace=trace, stratum="all", inclusion_probability=1.0, plan_hash="p")
    >>> found = Tokens("tokens", Tokens.Options()).score([sample])[0]
    >>> found["input_tokens"].value, found["total_tokens"].reason
    (120.0, 'the trace has no output_tokens')
    """

    VALUE = "tokens, at least 0"

    class Options(BaseModel, extra="forbid", frozen=True):
        """None."""

    def __init__(self, name: str, options: Options) -> None:
        self.options = options
        config = {"unit": "tokens"}
        self.info = measure_info(name, use="tokens", axes=AXES, config=config, direction=Direction.NONE)

    def measure(self, trace: Trace) -> Mapping[str, Outcome]:
        """Both counts and their sum."""
        usage = trace.usage
        return {
            "input_tokens": recorded("input_tokens", usage.input_tokens),
            "output_tokens": recorded("output_tokens", usage.output_tokens),
            "total_tokens": _total(usage),
        }


def _total(usage: Usage) -> Outcome:
    found = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    if wrong := next((why for what, value in found.items() if (why := problem(what, value))), None):
        return unknown(wrong)
    read, written = (count or 0 for count in found.values())
    return measured(read + written, f"{read} input tokens + {written} output tokens")
