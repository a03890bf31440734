"""tokens: how many tokens the model read and wrote."""

from collections.abc import Mapping

from pydantic import BaseModel

from judgefleet.score import Outcome
from judgefleet.scorer import Direction
from judgefleet.trace import Trace
from judgefleet.traces.reject import UnreadableError
from judges.measures.base import Measure, measure_info, measured, problem, recorded, unknown
from judges.measures.calls import Call, calls_of

AXES = ("input_tokens", "output_tokens", "total_tokens")


class Tokens(Measure):
    """Tokens read, written and both together, as the provider counted them (OpenTelemetry's ``gen_ai.usage.*``).

    Where a model was asked several times (``judgefleet.model_calls``, which the readers of spans make), those of all
    calls together, and not applicable where one call has none. The total is the sum of the two and not applicable
    where one is missing. Neither more nor fewer is better: what tokens cost is the measure ``cost``, and whether an
    answer is too long the check ``length``.

    >>> from judgefleet.sample import Sample
    >>> from judgefleet.trace import Usage
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
        try:
            calls = calls_of(trace)
        except UnreadableError as error:
            return dict.fromkeys(AXES, unknown(str(error)))
        return {
            "input_tokens": _counted("input_tokens", calls),
            "output_tokens": _counted("output_tokens", calls),
            "total_tokens": _total(calls),
        }


def _counted(what: str, calls: list[Call]) -> Outcome:
    counts = [getattr(call, what) for call in calls]
    if len(counts) == 1:
        return recorded(what, counts[0])
    wrong = _wrong(what, calls)
    return unknown(wrong) if wrong else measured(sum(counts), f"{what} of {len(calls)} model calls as recorded")


def _total(calls: list[Call]) -> Outcome:
    if wrong := _wrong("input_tokens", calls) or _wrong("output_tokens", calls):
        return unknown(wrong)
    read, written = sum(call.input_tokens for call in calls), sum(call.output_tokens for call in calls)
    of_all = f", of {len(calls)} model calls" if len(calls) > 1 else ""
    return measured(read + written, f"{read} input tokens + {written} output tokens{of_all}")


def _wrong(what: str, calls: list[Call]) -> str | None:
    """Why a call has no such count, with its number where there are several."""
    found = ((number, problem(what, getattr(call, what))) for number, call in enumerate(calls, start=1))
    number, why = next((pair for pair in found if pair[1]), (0, None))
    return f"model call {number} of {len(calls)}: {why}" if why and len(calls) > 1 else why
