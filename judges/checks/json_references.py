"""The schemas within a JSON Schema and the references between them, each followed once, before any value is seen."""

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from referencing import Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import specification_with

from judgefleet.errors import ConfigError
from judges.checks.json_drafts import KNOWN, check_schema, draft_of

# Keywords with a schema, a list of schemas or schemas by name: for the same value, for its parts, for nothing yet.
_BESIDE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies")
_BESIDE_DRAFT_3 = ("extends", "disallow", "type")
_OF_ITEMS = ("items", "prefixItems", "additionalItems", "unevaluatedItems", "contains")
_OF_PROPERTIES = ("properties", "additionalProperties", "unevaluatedProperties", "propertyNames")
_UNUSED = ("$defs", "definitions")
_BY_NAME = frozenset({"properties", "dependentSchemas", "dependencies", *_UNUSED})
# What a draft knows without a function of its own.
_SILENT = frozenset({"then", "else", *_UNUSED})
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
# The library searches these names with Python's re, which no time limit can stop.
_UNBOUNDED = "patternProperties"


def check_references(kind: Any, schema: dict[str, Any]) -> None:
    """Raise ConfigError unless all of ``schema``, of the draft ``kind``, can be checked here; remove each ``$schema``.

    A reference may lead into ``schema`` or to the schema of a draft, and not back to itself without going into the
    value. ``patternProperties`` and parts of another draft are refused.

    >>> check_references(draft_of({}), {"items": {"$ref": "#n"}})
    Traceback (most recent call last):
    judgefleet.errors.ConfigError: found a reference to '#n', which is not there; only references inside the schema work
    """
    walk = _Walk(kind, schema)
    walk.follow()
    try:
        TopologicalSorter(walk.beside).prepare()
    except CycleError as error:
        name = next(walk.named[part] for part in error.args[1] if part in walk.named)
        raise ConfigError(f"found {name!r}, which refers to itself without end; let it go into the value") from error


class _Walk:
    """A look at every schema in ``root``, wherever a keyword or a reference says that one stands."""

    def __init__(self, kind: Any, root: dict[str, Any]) -> None:
        self._kind = kind
        self._keywords = kind.VALIDATORS.keys() | _SILENT
        self._specification = specification_with(kind.ID_OF(kind.META_SCHEMA))
        self._own = {id(part) for part in _objects(root)}
        # By id: the schemas that each one asks about the same value, and what the target of a reference was called.
        self.beside: dict[int, list[int]] = {}
        self.named: dict[int, str] = {}
        self._schemas = [(root, KNOWN.resolver_with_root(self._resource(root)))]
        self._references: list[tuple[int, object, Any]] = []

    def follow(self) -> None:
        """Enter the schemas that keywords hold, then those that only references lead to."""
        while self._schemas or self._references:
            if self._schemas:
                self._enter(*self._schemas.pop())
            else:
                self._resolve(*self._references.pop())

    def _enter(self, schema: dict[str, Any], resolver: Any) -> None:
        if id(schema) in self.beside:
            return
        self._check_bounds(schema)
        beside = [*self._parts(schema, _BESIDE + _BESIDE_DRAFT_3)]
        self.beside[id(schema)] = [id(part) for part in beside]
        for part in (*beside, *self._parts(schema, _OF_ITEMS + _OF_PROPERTIES + _UNUSED)):
            self._schemas.append((part, resolver.in_subresource(self._resource(part))))
        for keyword in (k for k in _REFERENCES if k in schema and k in self._keywords):
            self._references.append((id(schema), schema[keyword], resolver))

    def _check_bounds(self, schema: dict[str, Any]) -> None:
        if _UNBOUNDED in schema:
            raise ConfigError(
                f"found {_UNBOUNDED!r}, which cannot be bounded in time; use propertyNames with a pattern"
            )
        if "$schema" in schema and draft_of(schema) is not self._kind:
            raise ConfigError(f"found $schema {schema['$schema']!r} within a schema of another draft; use one draft")
        # The library would go on with its own keywords, which have no bounds, wherever a schema names its draft.
        schema.pop("$schema", None)

    def _parts(self, schema: dict[str, Any], keywords: tuple[str, ...]) -> Iterator[dict[str, Any]]:
        for keyword in (k for k in keywords if k in schema and k in self._keywords):
            value = schema[keyword]
            if keyword in _BY_NAME and isinstance(value, dict):
                value = [*value.values()]
            yield from (part for part in (value if isinstance(value, list) else [value]) if isinstance(part, dict))

    def _resolve(self, source: int, reference: Any, resolver: Any) -> None:
        try:
            found = resolver.lookup(reference)
        # What is no reference, or leads through what is no schema, fails in the library in ways of its own.
        except (Unresolvable, ValueError, TypeError, AttributeError) as error:
            raise ConfigError(
                f"found a reference to {reference!r}, which is not there; only references inside the schema work"
            ) from error
        target = found.contents
        if id(target) in self._own or not isinstance(target, Mapping | bool):
            if id(target) not in self.beside:
                check_schema(self._kind, target, str(reference))
                self._schemas.append((target, found.resolver))
            self.beside[source].append(id(target))
            self.named[id(target)] = reference

    def _resource(self, schema: dict[str, Any]) -> Resource[Any]:
        return self._specification.create_resource(schema)


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _objects(part)
