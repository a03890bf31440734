"""JSON Schema (any draft that ``$schema`` names, else 2020-12), bounded in time and without any download."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jsonschema import ValidationError, validators
from referencing import Registry
from referencing.exceptions import Unresolvable

from judgefleet.errors import ConfigError
from judges.checks.json_drafts import check_schema, draft_of
from judges.checks.json_keywords import KEYWORDS, limited
from judges.checks.json_references import check_references
from judges.checks.json_text import kind_of, parse_json


def build_validator(schema: Mapping[str, Any]) -> Any:
    """A validator whose patterns end. Raises ConfigError when ``schema`` is not a schema that can be checked here.

    >>> [error.message for error in build_validator({"type": "object"}).iter_errors([])]
    ["[] is not of type 'object'"]
    """
    kind = draft_of(schema)
    try:
        own = copy.deepcopy(dict(schema))
        check_schema(kind, own)
        check_references(kind, own)
    except RecursionError as error:
        raise ConfigError("found a schema that is not JSON Schema: nested too deeply") from error
    keywords = {name: keyword for name, keyword in KEYWORDS.items() if name in kind.VALIDATORS}
    return validators.extend(kind, keywords)(own, registry=Registry())  # type: ignore[no-untyped-call]


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
    and RecursionError, also where the library loses a relative reference (``unevaluated...`` over parts with an
    ``$id``).
    """
    try:
        with limited(timeout_s):
            found: ValidationError | None = next(validator.iter_errors(value), None)
    except Unresolvable as error:
        raise RecursionError(f"cannot follow {error}") from error
    return found
