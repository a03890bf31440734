"""The drafts of JSON Schema: which one a schema is of, and whether it is a schema of it."""

from collections.abc import Mapping
from typing import Any

from jsonschema import FormatChecker, validators
from jsonschema.exceptions import SchemaError
from referencing import Registry

from judgefleet.errors import ConfigError
from judges.checks.json_keywords import compile_ecma

# By the library's lights, \p{L} is no pattern.
_FORMATS = FormatChecker(formats=())
_FORMATS.checks("regex", raises=ConfigError)(lambda text: not isinstance(text, str) or bool(compile_ecma(text)))
_DRAFTS: tuple[Any, ...] = (
    validators.Draft3Validator,
    validators.Draft4Validator,
    validators.Draft6Validator,
    validators.Draft7Validator,
    validators.Draft201909Validator,
    validators.Draft202012Validator,
)
# Their own schemas, the only ones that a reference may find outside the schema it stands in.
KNOWN: Registry[Any] = Registry().with_contents((kind.ID_OF(kind.META_SCHEMA), kind.META_SCHEMA) for kind in _DRAFTS)


def draft_of(schema: Mapping[str, Any]) -> Any:
    """The validator of the draft that ``$schema`` names; without ``$schema`` that of 2020-12. Raises ConfigError.

    >>> draft_of({"$schema": "http://json-schema.org/draft-07/schema#"}).__name__
    'Draft7Validator'
    """
    if "$schema" not in schema:
        return validators.Draft202012Validator
    named = schema["$schema"]
    unknown: Any = None
    kind = validators.validator_for({"$schema": named}, default=unknown) if isinstance(named, str) else unknown
    if kind is None:
        raise ConfigError(
            f"found $schema {named!r}, a draft that is not known here; give the address of draft 3, 4, 6, 7, 2019-09 "
            "or 2020-12 (https://json-schema.org/draft/2020-12/schema), or leave it out for 2020-12"
        )
    return kind


def check_schema(kind: Any, schema: object, at: str = "$") -> None:
    """Raise ConfigError unless ``schema``, which stands at ``at``, is one of the draft ``kind``.

    >>> check_schema(draft_of({}), {"items": {"minimum": "1"}})
    Traceback (most recent call last):
    judgefleet.errors.ConfigError: found a schema that is not JSON Schema: $.items.minimum: '1' is not of type 'number'
    """
    try:
        kind.check_schema(schema, format_checker=_FORMATS)
    except SchemaError as error:
        message = f"{at}{error.json_path[1:]}: {error.message}"
        raise ConfigError(f"found a schema that is not JSON Schema: {message[:200]}") from error
