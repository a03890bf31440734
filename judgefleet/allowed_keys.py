"""Which keys a pydantic model takes at a place, also inside lists, mappings and unions."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import partial
from typing import Annotated, Any, TypeAlias, get_args, get_origin

from pydantic import BaseModel

Loc: TypeAlias = tuple[int | str, ...]


def keys_at(model: type[BaseModel], loc: Loc) -> Collection[str]:
    """The keys that the model (or models, in a union) at ``loc`` would take."""
    types: Sequence[Any] = [model]
    for part in loc:
        types = _step(types, part) or _tagged(types, part) or types
    return {key for found in _models(types) for key in _fields(found)}


def _fields(model: type[Any]) -> Mapping[str, Any]:
    """Annotation of each field by the key that is written in the file."""
    if is_dataclass(model):
        return {f.name: f.type for f in fields(model)}
    return {f.alias or name: f.annotation for name, f in model.model_fields.items()}


def _models(types: Iterable[Any]) -> list[type[Any]]:
    return [t for t in _members(types) if isinstance(t, type) and (issubclass(t, BaseModel) or is_dataclass(t))]


def _members(types: Iterable[Any]) -> list[Any]:
    """``types`` with Annotated stripped, containers kept and unions taken apart."""
    out: list[Any] = []
    for kind in types:
        if get_origin(kind) is Annotated:
            out += _members(get_args(kind)[:1])
        elif get_args(kind) and not _is_container(kind):
            out += _members(get_args(kind))
        else:
            out.append(kind)
    return out


def _is_container(kind: Any) -> bool:
    origin = get_origin(kind)
    return isinstance(origin, type) and issubclass(origin, Collection)


def _step(types: Iterable[Any], part: int | str) -> list[Any]:
    """The types found one step further down, by field, key or index."""
    out: list[Any] = []
    for kind in _members(types):
        if not _is_container(kind):
            out += [_fields(m)[str(part)] for m in _models([kind]) if part in _fields(m)]
        elif isinstance(part, int) or issubclass(get_origin(kind), Mapping):
            out += [a for a in get_args(kind) if a is not Ellipsis][-1:]
    return out


def _tagged(types: Iterable[Any], part: int | str) -> list[Any]:
    """The members of a union that a label of pydantic's own means: a class name or a discriminator's value."""
    return list(filter(partial(_answers_to, str(part)), _models(types)))


def _answers_to(tag: str, model: type[Any]) -> bool:
    values = {str(value) for annotation in _fields(model).values() for value in get_args(annotation)}
    return tag == model.__name__ or tag in values
