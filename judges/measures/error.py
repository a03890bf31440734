"""error: whether the request failed."""

from collections.abc import Iterator, Mapping

from pydantic import BaseModel, Field

from judgefleet.score import Outcome
from judgefleet.trace import Trace
from judgefleet.traces.reject import UnreadableError
from judgefleet.traces.values import as_count, as_number, parsed
from judges.checks.base import quoted
from judges.measures.base import Measure, first_attribute, measure_info, measured, unknown

STATUS_ATTRIBUTES = ("otel.status_code", "status_code")
LEVEL_ATTRIBUTES = ("langfuse.observation.level", "level", "status")
HTTP_ATTRIBUTES = ("http.response.status_code", "http.status_code", "status_code")
FINISH_ATTRIBUTES = ("gen_ai.response.finish_reasons", "llm.finish_reason", "finish_reasons", "finish_reason")
_HTTP = range(100, 1000)
# The numbers of OTLP; 0 is unset.
_NUMBERS = {1: "OK", 2: "ERROR"}
_NOTHING = frozenset({"", "false", "no", "none", "null", "nil", "nan", "ok", "[]", "{}"})
# The only finish reason that says that something went wrong; others are no sign, but what an option may count.
_SIGN = frozenset({"error"})
_LONGEST_LIST = 10_000


class Error(Measure):
    """1.0 for a request that failed, 0.0 for one that did not, so that the mean is the error rate.

    The first of these that the trace has decides: a finish reason listed in ``finish_reasons``, other than ``error``;
    the span's status (``otel.status_code``, ``status_code``; OTLP's 1 and 2 are OK and ERROR); the level or status
    ERROR (``langfuse.observation.level``, ``level``, ``status``); the finish reason ``error``, where it is listed; an
    attribute of ``attributes``; an HTTP status of at least ``http_from`` (100 to 999; another number is none). So OK is
    final: OpenTelemetry asks tools to suppress the errors that they would find besides. It does not overrule what you
    list as a finish reason, since a span may well be OK whose answer was cut. A request with none of them counts as
    good when an answer came; without an answer it is not applicable, since nobody knows.

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
        listed = frozenset(self.options.finish_reasons)
        yield from _finish(trace, listed - _SIGN)
        yield from _states(trace)
        yield from _finish(trace, listed & _SIGN)
        for name in self.options.attributes:
            text = trace.attributes.get(name, "")
            if not _is_nothing(text[:_LONGEST_LIST]):
                yield True, f"{name} is {quoted(text)}"
        for name in HTTP_ATTRIBUTES:
            code = as_count(trace.attributes.get(name))
            if code is not None and code in _HTTP:
                yield code >= self.options.http_from, f"{name} is {code}"
        if found := first_attribute(trace, FINISH_ATTRIBUTES):
            yield False, f"no sign of an error, and {found[0]} is {quoted(found[1])}"
        if trace.output is not None:
            yield False, f"no sign of an error, and an answer of {len(trace.output)} characters"
        yield None, "neither an answer nor a sign of an error: nobody knows whether the request failed"


def _is_nothing(text: str) -> bool:
    return text.strip().lower() in _NOTHING or as_number(text) == 0


def _finish(trace: Trace, counted: frozenset[str]) -> Iterator[tuple[bool, str]]:
    found = first_attribute(trace, FINISH_ATTRIBUTES)
    bad = [reason for reason in _reasons(found[1]) if reason in counted] if found else []
    if found and bad:
        yield True, f"{found[0]} is {quoted(bad[0])}"


def _states(trace: Trace) -> Iterator[tuple[bool, str]]:
    for name, text in ((name, trace.attributes.get(name, "")) for name in STATUS_ATTRIBUTES + LEVEL_ATTRIBUTES):
        word = text[:_LONGEST_LIST].strip().upper().removeprefix("STATUS_CODE_").removeprefix("STATUSCODE.")
        if name in STATUS_ATTRIBUTES:
            word = _NUMBERS.get(as_count(word) or 0, word)
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
