"""tool_call_arguments: every tool call names a tool there is, with arguments that follow its schema."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, Field, JsonValue, model_validator

from judgefleet.errors import ConfigError, did_you_mean
from judgefleet.sample import Sample
from judgefleet.score import Outcome, Status, failure
from judgefleet.scorer import Need
from judgefleet.trace import ToolCall
from judges.checks.base import Check, check_info, failed, passed, quoted
from judges.checks.json_schema import build_validator, first_error
from judges.checks.json_text import parse_json
from judges.checks.tool_schemas import tool_schemas


class ToolCallArguments(Check):
    """Passes when every tool call of the trace is right, every required tool was called and no forbidden one.

    A call is right when ``tools`` has its name and its arguments are one JSON document (RFC 8259) that follows the
    tool's JSON Schema, checked as ``json_schema`` says; blank arguments count as ``{}``. ``tools`` is a mapping of
    names to the schemas of arguments, a list of tools as OpenAI (``parameters``), Anthropic (``input_schema``) or the
    Model Context Protocol (``inputSchema``) has it, or the path of a JSON file with either; a tool of the list without
    a schema takes no arguments. Without ``required`` a trace that calls no tool is not applicable; with it, such a
    trace fails.

    >>> from judgefleet.sample import Sample
    >>> from judgefleet.trace import ToolCall, Trace
    >>> track = {"type": "object", "required": ["order"], "properties": {"order": {"type": "integer"}}}
    >>> check = ToolCallArguments("tools", ToolCallArguments.Options(tools={"track": track}))
    >>> for arguments in ('{"order": 44310}', '{"order": "44310"}'):
    ...     trace = Trace(trace_id="t", tool_calls=(ToolCall(name="track", arguments=arguments),))
    ...     sample = Sample(trace=trace, stratum="all", inclusion_probability=1.0, plan_hash="p")
    ...     print(check.score([sample])[0]["calls"].reason)
    1 call, as the schemas want: track
    call 1 (track): $.order: '44310' is not of type 'integer'
    """

    EXAMPLE = "tools: {find_order: {type: object, required: [order]}}"

    class Options(BaseModel, extra="forbid", frozen=True):
        """``tools`` as said above; ``required`` and ``forbidden`` name tools; ``max_calls`` counts all calls of a
        trace."""

        tools: dict[str, dict[str, JsonValue]] | list[dict[str, JsonValue]] | Path
        required: tuple[str, ...] = ()
        forbidden: tuple[str, ...] = ()
        max_calls: int | None = Field(default=None, ge=0)

        @model_validator(mode="after")
        def _do_not_contradict(self) -> Self:
            both = sorted({*self.required} & {*self.forbidden})
            if both:
                raise ValueError(f"{both[0]!r} is required and forbidden; name it once")
            if self.max_calls is not None and self.max_calls < len({*self.required}):
                raise ValueError(f"max_calls {self.max_calls} leaves no room for {len({*self.required})} required")
            return self

    def __init__(self, name: str, options: Options) -> None:
        self.options = options
        self._schemas = tool_schemas(options.tools)
        for tool in (*options.required, *options.forbidden):
            if tool not in self._schemas:
                raise ConfigError(f"required or forbidden: no tool {tool!r}; {did_you_mean(tool, self._schemas)}")
        self._validators = self._build()
        config = options.model_dump(mode="json") | {"tools": self._schemas}
        needs = frozenset() if options.required else frozenset({Need.TOOL_CALLS})
        self.info = check_info(name, use="tool_call_arguments", axis="calls", config=config, needs=needs)

    def _build(self) -> dict[str, Any]:
        validators = {}
        for tool, schema in self._schemas.items():
            try:
                validators[tool] = build_validator(schema)
            except ConfigError as error:
                raise ConfigError(f"tools: {tool!r}: {error}") from error
        return validators

    def __getstate__(self) -> dict[str, Any]:
        # Validators cannot be pickled; they are built again from the schemas.
        return self.__dict__ | {"_validators": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._validators = self._build()

    def check(self, sample: Sample) -> Outcome:
        """Look at every call, then at all together."""
        calls = sample.trace.tool_calls
        if not calls and not self.options.required:
            return failure(Status.NOT_APPLICABLE, "the trace has no tool calls")
        try:
            mistakes = [*self._mistakes(calls)]
        except TimeoutError:
            return failure(Status.TIMEOUT, "a pattern of a schema took too long")
        except RecursionError:
            return failure(Status.ENGINE_ERROR, "the arguments go too deep, or where a reference of a schema is lost")
        if mistakes:
            more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
            return failed(f"{mistakes[0][:240]}{more}")
        counted = ", ".join(f"{tool} {n} times" if n > 1 else tool for tool, n in _counted(calls))
        return passed(f"{len(calls)} call{'s' * (len(calls) != 1)}, as the schemas want: {counted}")

    def _mistakes(self, calls: Sequence[ToolCall]) -> Iterator[str]:
        called = {call.name for call in calls}
        for number, call in enumerate(calls, start=1):
            wrong = self._mistake(call)
            if wrong is not None:
                yield f"call {number} ({quoted(call.name)[1:-1]}): {wrong}"
        yield from (f"{tool!r} is required and was not called" for tool in self.options.required if tool not in called)
        most = self.options.max_calls
        if most is not None and len(calls) > most:
            yield f"found {len(calls)} calls, allowed: at most {most}"

    def _mistake(self, call: ToolCall) -> str | None:
        if call.name in self.options.forbidden:
            return "a forbidden tool"
        if call.name not in self._validators:
            return f"no such tool; {did_you_mean(call.name[:60], self._validators)}"
        try:
            arguments = parse_json(call.arguments if (call.arguments or "").strip() else "{}")
        except ValueError as error:
            return f"the arguments are not JSON: {error}"
        return first_error(self._validators[call.name], arguments)


def _counted(calls: Sequence[ToolCall]) -> list[tuple[str, int]]:
    return list(Counter(call.name for call in calls).items())
