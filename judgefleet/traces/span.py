"""One span, whatever it was written in, with the names of OpenTelemetry's GenAI conventions for what it says.

https://github.com/open-telemetry/semantic-conventions-genai; other conventions are translated (``dialects``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

OPERATION = "gen_ai.operation.name"
CHAT_OPERATIONS = ("chat", "generate_content", "text_completion")
INPUT, OUTPUT, SYSTEM = "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions"
DOCUMENTS = "gen_ai.retrieval.documents"
TOOL, ARGUMENTS, RESULT = "gen_ai.tool.name", "gen_ai.tool.call.arguments", "gen_ai.tool.call.result"
USAGE = "gen_ai.usage."
MODEL, FINISH = "gen_ai.request.model", "gen_ai.response.finish_reasons"
FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"
_ERROR_TYPE = "error.type"


@dataclass(frozen=True, kw_only=True, slots=True)
class SpanEvent:
    """Something that happened within a span."""

    name: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """One span, whatever it was written in. Times are nanoseconds since 1970, None where the span has none.

    ``status`` is ``OK``, ``ERROR`` or None (unset). ``of_log``: a log record, which says something of the span with
    this id (``log_records``).
    """

    trace_id: str
    span_id: str
    parent_id: str | None = None
    name: str = ""
    start_ns: int | None = None
    end_ns: int | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    events: tuple[SpanEvent, ...] = ()
    resource: Mapping[str, Any] = field(default_factory=dict)
    position: str = ""
    status: str | None = None
    status_message: str = ""
    of_log: bool = False

    @property
    def failed(self) -> bool:
        """Whether the span says that what it did ended in an error."""
        return self.status == "ERROR" or (self.status is None and self.attributes.get(_ERROR_TYPE) is not None)

    @property
    def operation(self) -> Any:
        """What the span did, as ``gen_ai.operation.name`` says."""
        return self.attributes.get(OPERATION)
