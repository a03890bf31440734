"""json_schema: the output is JSON that follows a schema."""

from pathlib import Path

from pydantic import Field, JsonValue

from judges.checks.json_valid import JsonValid


class JsonSchema(JsonValid):
    r"""Passes when the whole output is one JSON document that follows ``schema``: ``json_valid``, the schema required.

    ``schema`` is a JSON Schema or the path of a file with one, of draft 3, 4, 6, 7, 2019-09 or 2020-12 as its
    ``$schema`` says (without: 2020-12). References are followed inside the schema only and may not go round in a
    circle. ``patternProperties`` is refused, since it cannot be bounded in time; ``propertyNames`` with a ``pattern``
    often serves. ``format`` is not checked.

    A ``pattern`` is one of ECMA-262: ``$`` is the end of the text, ``\d`` and ``\w`` are ASCII; but ``\s`` and ``\b``
    know Unicode, and one that begins with flags, such as ``(?i)``, is read as Python has it. ``multipleOf`` compares
    numbers as they are written: 19.99 is a multiple of 0.01.

    >>> from judgefleet.sample import Sample
    >>> from judgefleet.trace import Trace
    >>> schema = {"type": "object", "required": ["days"], "properties": {"days": {"type": "integer", "minimum": 1}}}
    >>> check = JsonSchema("order", JsonSchema.Options(schema=schema))
    >>> for output in ('{"days": 30}', '{"days": 0}'):
    ...     trace = Trace(trace_id="t", output=output)
    ...     sample = Sample(trace=trace, stratum="all", inclusion_probability=1.0, plan_hash="p")
    ...     print(check.score([sample])[0]["valid"].reason)
    found JSON in the whole output: an object of 1, as the schema wants
    breaks the schema at $.days: 0 is less than the minimum of 1
    """

    USE = "json_schema"
    EXAMPLE = "schema: {type: object, required: [days], properties: {days: {type: integer}}}"

    class Options(JsonValid.Options, extra="forbid", frozen=True):
        """``schema`` as a mapping or as the path of a JSON file; ``within_fence`` as for ``json_valid``."""

        json_schema: dict[str, JsonValue] | Path = Field(alias="schema")
