"""Turns what pydantic finds wrong into sentences: where, what was found, what is allowed."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import partial
from typing import Annotated, Any, TypeAlias, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from judgefleet.errors import ConfigError, did_you_mean

M = TypeVar("M", bound=BaseModel)
Loc: TypeAlias = tuple[int | str, ...]

_LONGEST_FOUND = 80


def validate_mapping(data: object, model: type[M], source: str, line_of: Callable[[Loc], int | None]) -> M:
    """``data`` as a validated ``model``.

    ``line_of`` gives the line in ``source`` of a place in ``data`` (None where there are no lines).
    Raises ConfigError with every mistake at once, one a line.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        mistakes = [_mistake(detail, model, source, line_of) for detail in error.errors()]
    except ConfigError as error:
        mistakes = [f"{source}: {error}"]
    raise ConfigError("\n".join(mistakes))


def _mistake(detail: ErrorDetails, model: type[BaseModel], source: str, line_of: Callable[[Loc], int | None]) -> str:
    line = line_of(detail["loc"])
    where = source if line is None else f"{source}:{line}"
    place = ".".join(str(part) for part in detail["loc"])
    return ": ".join(part for part in (where, place, _sentence(detail, model)) if part)


def _sentence(detail: ErrorDetails, model: type[BaseModel]) -> str:
    """What is wrong, in our words where pydantic's do not say what is allowed."""
    if detail["type"] == "missing":
        return "is missing"
    if detail["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        key = str(detail["loc"][-1])
        return f"unknown key {key!r}; {did_you_mean(key, _keys_at(model, detail['loc'][:-1]))}"
    if detail["type"] in ("model_type", "model_attributes_type", "dict_type"):
        return f"found {_found(detail)}; a mapping (key: value) belongs here"
    if detail["type"] in ("literal_error", "enum", "union_tag_invalid"):
        return _not_one_of(detail)
    return f"found {_found(detail)}; {_lower(detail['msg'].removeprefix('Value error, '))}"


def _not_one_of(detail: ErrorDetails) -> str:
    context = detail.get("ctx", {})
    found = context.get("tag", detail["input"])
    expected = str(context.get("expected") or context.get("expected_tags"))
    names = re.findall(r"'([^']*)'", expected)
    return f"found {found!r}; {did_you_mean(str(found), names) if names else f'allowed: {expected}'}"


def _found(detail: ErrorDetails) -> str:
    text = repr(detail["input"])
    return text if len(text) <= _LONGEST_FOUND else f"{text[:_LONGEST_FOUND]}..."


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _keys_at(model: type[BaseModel], loc: Loc) -> Collection[str]:
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
