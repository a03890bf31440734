"""JSON Schema (any draft that ``$schema`` names, else 2020-12), bounded in time and without any download."""

import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from jsonschema import ValidationError, validators
from jsonschema.exceptions import SchemaError
from jsonschema.validators import Draft202012Validator
from referencing import Registry
from referencing.exceptions import Unresolvable

from judgefleet.errors import ConfigError
from judgefleet.hashing import canonical_json
from judges.checks.json_text import kind_of, parse_json
from judges.checks.patterns import compile_pattern

# When the validation that runs here must be over; one validator may serve many threads.
_ENDS: ContextVar[float] = ContextVar("_ENDS")
# The library searches these names with Python's re, which no time limit can stop.
_UNBOUNDED = "patternProperties"


def build_validator(schema: Mapping[str, Any]) -> Any:
    """A validator whose patterns end. Raises ConfigError when ``schema`` is not a schema that can be checked here.

    >>> [error.message for error in build_validator({"type": "object"}).iter_errors([])]
    ["[] is not of type 'object'"]
    """
    kind = _draft(schema)
    try:
        kind.check_schema(dict(schema))
    except (SchemaError, RecursionError) as error:
        message = error.message if isinstance(error, SchemaError) else "nested too deeply"
        raise ConfigError(f"found a schema that is not JSON Schema: {message[:200]}") from error
    for pattern in _patterns(schema):
        compile_pattern(pattern)
    bounded = validators.extend(kind, {"pattern": _match_pattern, "uniqueItems": _are_unique})  # type: ignore[no-untyped-call]
    validator = bounded(schema, registry=Registry())
    _try_out(validator)
    return validator


def read_schema(given: Mapping[str, Any] | Path | None) -> Mapping[str, Any] | None:
    """The schema itself where ``given`` is the path of a file with one. Raises ConfigError."""
    if not isinstance(given, Path):
        return given
    try:
        schema = parse_json(given.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"schema: {str(given)!r} cannot be read as JSON ({error}); give a file with a schema"
        ) from error
    if not isinstance(schema, dict):
        raise ConfigError(f"schema: {str(given)!r} holds {kind_of(schema)}; a JSON Schema is an object")
    return schema


def first_error(validator: Any, value: Any) -> str | None:
    """Where and why ``value`` breaks the schema, or None when it does not. Raises TimeoutError, RecursionError.

    >>> first_error(build_validator({"properties": {"n": {"type": "integer"}}}), {"n": "1"})
    "$.n: '1' is not of type 'integer'"
    """
    error = first_violation(validator, value)
    return None if error is None else f"{error.json_path}: {error.message}"


def first_violation(validator: Any, value: Any, timeout_s: float = 1.0) -> ValidationError | None:
    """The first place where ``value`` breaks the schema, as the library describes it.

    Raises TimeoutError when the patterns of the schema made this thread compute for longer than ``timeout_s`` together,
    and RecursionError.
    """
    before = _ENDS.set(time.thread_time() + timeout_s)
    try:
        found: ValidationError | None = next(validator.iter_errors(value), None)
    finally:
        _ENDS.reset(before)
    return found


def _draft(schema: Mapping[str, Any]) -> Any:
    """The validator of the draft that ``$schema`` names; without ``$schema`` that of 2020-12."""
    if "$schema" not in schema:
        return Draft202012Validator
    named = schema["$schema"]
    unknown: Any = None
    kind = validators.validator_for({"$schema": named}, default=unknown) if isinstance(named, str) else unknown
    if kind is None:
        raise ConfigError(
            f"found $schema {named!r}, a draft that is not known here; give the address of draft 3, 4, 6, 7, 2019-09 "
            "or 2020-12 (https://json-schema.org/draft/2020-12/schema), or leave it out for 2020-12"
        )
    return kind


def _patterns(schema: Any) -> Iterator[str]:
    """Every pattern anywhere in the schema."""
    if isinstance(schema, Mapping):
        if isinstance(schema.get(_UNBOUNDED), Mapping):
            raise ConfigError(
                f"found {_UNBOUNDED!r}, which cannot be bounded in time; use propertyNames with a pattern"
            )
        if isinstance(found := schema.get("pattern"), str):
            yield found
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            yield from _patterns(part)


def _try_out(validator: Any) -> None:
    values: tuple[Any, ...] = (None, {}, [], "", 0)
    for value in values:
        try:
            first_error(validator, value)
        except (Unresolvable, RecursionError) as error:
            what = "refers to itself without end" if isinstance(error, RecursionError) else f"refers to {error}"
            raise ConfigError(f"found a schema that {what}; only references inside the schema are followed") from error


def _match_pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not compile_pattern(pattern).search(instance, timeout=_left()):
        yield ValidationError(f"{instance[:60]!r} does not match {pattern!r}")


def _left() -> float:
    left = _ENDS.get() - time.thread_time()
    if left <= 0:
        raise TimeoutError("the patterns of the schema took too long")
    return left


def _are_unique(_validator: Any, wanted: bool, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    # The library compares each item with each; a set of canonical texts does it in one pass.
    if wanted and isinstance(instance, list) and len({canonical_json(item) for item in instance}) < len(instance):
        yield ValidationError(f"{len(instance)} items are not all different")
