"""latency: how long the user waited for the first token, for each further one, and for the whole answer."""

from collections.abc import Mapping
from itertools import pairwise

from pydantic import BaseModel, Field

from judgefleet.score import Outcome
from judgefleet.trace import Trace
from judgefleet.traces.reject import UnreadableError
from judgefleet.traces.values import as_number, loads
from judges.checks.base import quoted
from judges.measures.base import Measure, measure_info, measured, problem, recorded, unknown

AXES = ("ttft_ms", "total_ms", "tpot_ms", "itl_ms")
_MOST_CHARACTERS = 1_000_000


class Latency(Measure):
    """Milliseconds: time to first token, in total, per output token after the first, and between tokens as they came.

    ``ttft_ms`` and ``total_ms`` are those of the trace. Where the trace was read from spans, they are of the model call
    that answered alone, from its start: what the user waited for before it (retrieval, tools, earlier calls of an
    agent) and after it is in neither. ``tpot_ms`` is ``(total - ttft) / (output tokens - 1)``, as
    serving benchmarks define the time per output token (vLLM's among them; as a server metric it is OpenTelemetry's
    ``gen_ai.server.time_per_output_token``). ``itl_ms`` is the mean gap between tokens, or chunks of them, by the times
    in the attribute ``chunk_times``. No convention has a name for such an attribute: OpenTelemetry has the metric
    ``gen_ai.client.operation.time_per_output_chunk`` only. What is undefined (one token, a time that is missing or
    cannot be) is not applicable, never 0.

    >>> from judgefleet.sample import Sample
    >>> from judgefleet.trace import Latency as Times, Usage
    >>> trace = Trace(trace_id="t", usage=Usage(output_tokens=11), latency=Times(ttft_ms=200.0, total_ms=700.0))
    >>> sample = Sample(trace=trace, stratum="all", inclusion_probability=1.0, plan_hash="p")
    >>> found = Latency("latency", Latency.Options()).score([sample])[0]
    >>> found["tpot_ms"].value, found["tpot_ms"].reason
    (50.0, '(700 - 200) ms / (11 - 1) tokens')
    >>> found["itl_ms"].reason
    "the trace has no attribute 'judgefleet.chunk_times_ms'"
    """

    VALUE = "milliseconds, at least 0"

    class Options(BaseModel, extra="forbid", frozen=True):
        """``chunk_times`` names the attribute with a JSON list: for each token or chunk, in order, the milliseconds
        from the request (or any other moment) to its arrival."""

        chunk_times: str = Field(default="judgefleet.chunk_times_ms", min_length=1)

    def __init__(self, name: str, options: Options) -> None:
        self.options = options
        config = options.model_dump(mode="json") | {"unit": "ms"}
        self.info = measure_info(name, use="latency", axes=AXES, config=config)

    def measure(self, trace: Trace) -> Mapping[str, Outcome]:
        """All four, each by itself."""
        return {
            "ttft_ms": recorded("ttft_ms", trace.latency.ttft_ms),
            "total_ms": recorded("total_ms", trace.latency.total_ms),
            "tpot_ms": _per_token(trace.latency.ttft_ms, trace.latency.total_ms, trace.usage.output_tokens),
            "itl_ms": self._between_tokens(trace),
        }

    def _between_tokens(self, trace: Trace) -> Outcome:
        name = self.options.chunk_times
        if not (text := trace.attributes.get(name)):
            return unknown(f"the trace has no attribute {name!r}")
        times = _times(text)
        if times is None:
            return unknown(
                f"{name} is {quoted(text)}; a JSON list of milliseconds, none before the last, belongs there"
            )
        if len(times) < 2:
            return unknown(f"no gap: {name} has {len(times)} of the times")
        gaps = len(times) - 1
        return measured((times[-1] - times[0]) / gaps, f"mean of {gaps} gaps in {name}")


def _per_token(ttft: float | None, total: float | None, tokens: int | None) -> Outcome:
    found = {"ttft_ms": ttft, "total_ms": total, "output_tokens": tokens}
    wrong = next((why for what, value in found.items() if (why := problem(what, value))), None)
    if wrong or ttft is None or total is None or tokens is None:
        return unknown(wrong or "")
    if tokens < 2:
        return unknown(
            f"undefined: the answer has {tokens} output {'token' if tokens == 1 else 'tokens'}, none after the first"
        )
    if total < ttft:
        return unknown(f"the whole answer ({total:.10g} ms) came before its first token ({ttft:.10g} ms)")
    return measured((total - ttft) / (tokens - 1), f"({total:.10g} - {ttft:.10g}) ms / ({tokens} - 1) tokens")


def _times(text: str) -> list[float] | None:
    """Times that never go back, or None."""
    try:
        found = loads(text) if len(text) <= _MOST_CHARACTERS else None
    except UnreadableError:
        return None
    times = [as_number(value) for value in found] if isinstance(found, list) else [None]
    known = [time for time in times if time is not None]
    ordered = all(a <= b for a, b in pairwise(known))
    return known if len(known) == len(times) and ordered else None
