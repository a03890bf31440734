"""error: whether the request failed."""

from collections.abc import Iterator, Mapping

from pydantic import BaseModel, Field

from judgefleet.score import Outcome
from judgefleet.trace import Trace
from judgefleet.traces.reject import UnreadableError
from judgefleet.traces.values import as_count, parsed
from judges.checks.base import quoted
from judges.measures.base import Measure, first_attribute, measure_info, measured, unknown

STATUS_ATTRIBUTES = ("otel.status_code", "status_code")
LEVEL_ATTRIBUTES = ("langfuse.observation.level", "level")
HTTP_ATTRIBUTES = ("http.response.status_code", "http.status_code", "status_code")
FINISH_ATTRIBUTES = ("gen_ai.response.finish_reasons", "llm.finish_reason", "finish_reasons", "finish_reason")
_NOTHING = frozenset({"", "0", "false", "no", "none", "null", "nil", "ok", "[]", "{}"})
_LONGEST_LIST = 10_000


class Error(Measure):
    """1.0 for a request that failed, 0.0 for one that did not, so that the mean is the error rate.

    The first of these that the trace has decides: a finish reason listed in ``finish_reasons``; the span's status
    (``otel.status_code``, ``status_code``), of which OK overrules every other sign, as OpenTelemetry asks of tools, and
    ERROR is an error; the level ERROR (``langfuse.observation.level``, ``level``); an attribute of ``attributes``; an
    HTTP status of at least ``http_from``. A request with none of them counts as good when an answer came; without an
    answer it is not applicable, since nobody knows.

    >>> from judgefleet.sample import Sample
    >>> traces = [Trace(trace_id="t", attributes={"error.type": "timeout"}), Trace(trace_id="u", output="Yes.")]
    >>> samples = [Sample(trace=t, stratum="all", inclusion_probability=1.0, plan_hash="p") for t in traces]
    >>> failed, fine = (found["error"] for found in Error("error", Error.Options()).score(samples))
    >>> failed.value, failed.reason, fine.value
    (1.0, "error.type is 'timeout'", 0.0)
    """

    VALUE = "1.0 failed, 0.0 did not; the mean is the error rate"

    class Options(BaseModel, extra="forbid", frozen=True):
        """``finish_reasons`` are those that count as errors; add ``length`` or ``content_filter`` where a cut or a
        withheld answer is one. ``attributes`` say an error by being there with anything but false, 0 or nothing.
        ``http_from`` is the lowest HTTP status that is an error."""

        finish_reasons: tuple[str, ...] = ("error",)
        attributes: tuple[str, ...] = ("error.type", "error", "exception.type")
        http_from: int = Field(default=400, ge=100, le=999)

    def __init__(self, name: str, options: Options) -> None:
        self.options = options
        self.info = measure_info(name, use="error", axes=("error",), config=options.model_dump(mode="json"))

    def measure(self, trace: Trace) -> Mapping[str, Outcome]:
        """The first sign decides."""
        value, reason = next(self._signs(trace))
        return {"error": unknown(reason) if value is None else measured(value, reason)}

    def _signs(self, trace: Trace) -> Iterator[tuple[bool | None, str]]:
        """What each sign in the trace says, the strongest first, and why."""
        yield from self._finish(trace)
        yield from _states(trace)
        for name in self.options.attributes:
            text = trace.attributes.get(name, "")
            if text[:_LONGEST_LIST].strip().lower() not in _NOTHING:
                yield True, f"{name} is {quoted(text)}"
        if found := first_attribute(trace, HTTP_ATTRIBUTES):
            code = as_count(found[1])
            if code is not None:
                yield code >= self.options.http_from, f"{found[0]} is {code}"
        if found := first_attribute(trace, FINISH_ATTRIBUTES):
            yield False, f"no sign of an error, and {found[0]} is {quoted(found[1])}"
        if trace.output is not None:
            yield False, f"no sign of an error, and an answer of {len(trace.output)} characters"
        yield None, "neither an answer nor a status: nobody knows whether the request failed"

    def _finish(self, trace: Trace) -> Iterator[tuple[bool, str]]:
        if (found := first_attribute(trace, FINISH_ATTRIBUTES)) is None:
            return
        bad = [reason for reason in _reasons(found[1]) if reason in self.options.finish_reasons]
        if bad:
            yield True, f"{found[0]} is {quoted(bad[0])}"


def _states(trace: Trace) -> Iterator[tuple[bool, str]]:
    for name, text in ((name, trace.attributes.get(name, "")) for name in STATUS_ATTRIBUTES + LEVEL_ATTRIBUTES):
        word = text[:_LONGEST_LIST].strip().upper().removeprefix("STATUS_CODE_")
        if word == "ERROR" or (word == "OK" and name in STATUS_ATTRIBUTES):
            told = trace.attributes.get("otel.status_description", "") if word == "ERROR" else ""
            yield word == "ERROR", f"{name} is {word}" + (f": {quoted(told)}" if told else "")


def _reasons(text: str) -> list[str]:
    """Finish reasons: a word, or a JSON list with one for each choice."""
    try:
        found = parsed(text, "") if len(text) <= _LONGEST_LIST else text
    except UnreadableError:
        found = text
    return [str(reason) for reason in found] if isinstance(found, list) else [text]
