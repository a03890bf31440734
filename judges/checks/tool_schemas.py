"""The tools a model was given: their names and the JSON Schemas of their arguments, in the forms people keep them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from jsonschema import validators

from judgefleet.errors import ConfigError
from judges.checks.json_text import parse_json

Schemas: TypeAlias = dict[str, Mapping[str, Any]]

# A function without parameters takes none (OpenAI's reference for tools).
_NO_ARGUMENTS = {"type": "object", "properties": {}, "additionalProperties": False}
# What holds the schema: OpenAI, Anthropic, the Model Context Protocol.
_SCHEMA_KEYS = ("parameters", "input_schema", "inputSchema")
_KEYWORDS = validators.Draft202012Validator.VALIDATORS.keys() | validators.Draft3Validator.VALIDATORS.keys()
_FORMS = (
    'allowed: a mapping of each tool\'s name to the schema of its arguments, or a list of {"type": "function", '
    '"function": {"name": ..., "parameters": ...}} as OpenAI has it, or of {"name": ..., "input_schema": ...}'
)


def tool_schemas(given: object) -> Schemas:
    """The schema of each tool's arguments by name, from a mapping, a list of tools, or a JSON file with either.

    The tools of the list are OpenAI's, with or without the outer ``function`` (chat completions, Responses API),
    Anthropic's (``input_schema``) or of the Model Context Protocol (``inputSchema``). Raises ConfigError for a file
    that cannot be read, another form, no tools, a name that stands twice.

    >>> tool_schemas([{"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}}])
    {'find': {'type': 'object'}}
    >>> tool_schemas([{"name": "find", "description": "Finds.", "input_schema": {"type": "object"}}])
    {'find': {'type': 'object'}}
    """
    if isinstance(given, str | Path):
        return _of(_read(Path(given)), f"tools: {str(given)!r}")
    return _of(given, "tools")


def _read(path: Path) -> Any:
    try:
        return parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"tools: {str(path)!r} cannot be read as JSON ({error}); give a file with the tools"
        ) from error


def _of(given: Any, where: str) -> Schemas:
    if isinstance(given, Mapping):
        found = [(str(name), schema) for name, schema in given.items()]
    elif isinstance(given, Sequence) and not isinstance(given, str):
        found = [_function(entry, where) for entry in given]
    else:
        raise ConfigError(f"{where}: found {_kind(given)}; {_FORMS}")
    if not found:
        raise ConfigError(f"{where}: found no tools; {_FORMS}")
    return _by_name(found, where)


def _by_name(found: list[tuple[str, Any]], where: str) -> Schemas:
    schemas: Schemas = {}
    for name, schema in found:
        if not isinstance(schema, Mapping):
            raise ConfigError(f"{where}: found {_kind(schema)} as the schema of {name!r}; {_FORMS}")
        if _is_tool(schema):
            raise ConfigError(
                f"{where}: found a whole tool as the schema of {name!r}; give the schema of its arguments alone, or "
                "the tools as a list"
            )
        if name in schemas:
            raise ConfigError(f"{where}: the tool {name!r} stands twice; give each tool a name of its own")
        schemas[name] = schema
    return schemas


def _is_tool(schema: Mapping[str, Any]) -> bool:
    """Whether it would pass as a schema only because JSON Schema ignores keywords that it does not know."""
    keywords = _KEYWORDS & schema.keys() - ({"type"} if schema.get("type") in ("function", "custom") else set())
    return not keywords and not schema.keys().isdisjoint(("function", *_SCHEMA_KEYS))


def _function(entry: Any, where: str) -> tuple[str, Any]:
    outer = entry if isinstance(entry, Mapping) else {}
    inner = outer.get("function", outer)
    name = inner.get("name") if isinstance(inner, Mapping) else None
    # Anthropic calls tools "custom" that have a schema; OpenAI those that have none and take any text.
    known = outer.get("type", "function") == "function" or "input_schema" in outer
    if not isinstance(name, str) or not name or not known:
        raise ConfigError(f"{where}: found {repr(entry)[:80]} in the list; {_FORMS}")
    return name, next((inner[key] for key in _SCHEMA_KEYS if inner.get(key) is not None), _NO_ARGUMENTS)


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a value of type {type(value).__name__}"
