"""Reads a YAML file into a pydantic model; every mistake comes with its file and line."""

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict

from judgefleet.allowed_keys import Loc
from judgefleet.errors import ConfigError
from judgefleet.validation import validate_mapping

M = TypeVar("M", bound=BaseModel)


class StrictModel(BaseModel):
    """Knows its keys, refuses others, and never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


_KEY_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "merge")}
_TAB = "found character '\\t'"


def load_yaml_model(path: Path, model: type[M]) -> M:
    """The file at ``path`` as a validated ``model``.

    Raises ConfigError: no such file, not readable, not UTF-8, not YAML, the same key twice, not a mapping, or
    not what ``model`` allows (then with all mistakes at once).
    """
    return parse_yaml_model(_read_text(path), model, source=str(path))


def parse_yaml_model(text: str, model: type[M], source: str) -> M:
    """YAML ``text`` as a validated ``model``; ``source`` names it in errors. Raises ConfigError.

    >>> class Point(BaseModel, extra="forbid"):
    ...     x: int
    >>> parse_yaml_model("x: 1", Point, source="p.yaml")
    Point(x=1)
    >>> parse_yaml_model("x: 1\\ny: 2", Point, source="p.yaml")
    Traceback (most recent call last):
    judgefleet.errors.ConfigError: p.yaml:2: y: unknown key 'y'; allowed: x
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = _construct(node, source)
    except yaml.YAMLError as error:
        raise ConfigError(_yaml_mistake(error, source)) from error
    except RecursionError as error:
        raise ConfigError(f"{source}: nested too deeply to be a configuration") from error
    return validate_mapping(data, model, source, lambda loc: line_at(node, loc))


def line_at(node: yaml.Node | None, loc: Loc) -> int | None:
    """Line (from 1) of the place ``loc`` below ``node``: a key's own line, else that of the nearest thing above it."""
    line = None if node is None else node.start_mark.line + 1
    for part in loc:
        key, child = _child(node, part)
        if key is not None:
            line, node = key.start_mark.line + 1, child
    return line


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file; give the path of a YAML file") from error
    except UnicodeDecodeError as error:
        found = error.object[error.start]
        raise ConfigError(f"{path}: found byte 0x{found:02x} at {error.start}; save the file as UTF-8") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); give the path of a YAML file") from error


def _construct(node: yaml.Node | None, source: str) -> Any:
    if not isinstance(node, yaml.MappingNode):
        found = "nothing" if node is None else "a list" if isinstance(node, yaml.SequenceNode) else "a single value"
        raise ConfigError(
            f"{source}:{line_at(node, ()) or 1}: found {found}; the file must hold a mapping (key: value)"
        )
    if mistakes := _key_mistakes(node, source):
        raise ConfigError("\n".join(mistakes))
    try:
        return yaml.SafeLoader("").construct_document(node)
    except (ValueError, OverflowError) as error:
        raise ConfigError(f"{source}: a value is not what it looks like ({error}); put it in quotes") from error


def _key_mistakes(root: yaml.Node, source: str) -> list[str]:
    """Keys that stand twice in one mapping, and keys that YAML does not read as text (``on``, ``null``)."""
    mistakes: list[str] = []
    seen: set[int] = set()  # an alias makes a node appear twice, or inside itself
    todo = [root]
    while todo:
        node = todo.pop(0)
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            todo += node.value
        elif isinstance(node, yaml.MappingNode):
            mistakes += _mapping_mistakes(node, source)
            todo += [value for _, value in node.value]
    return mistakes


def _mapping_mistakes(node: yaml.MappingNode, source: str) -> list[str]:
    mistakes: list[str] = []
    first: dict[str, int] = {}
    for key, _ in node.value:
        where, line = f"{source}:{key.start_mark.line + 1}", key.start_mark.line + 1
        if key.tag not in _KEY_TAGS:
            shown = repr(key.value) if isinstance(key, yaml.ScalarNode) else "of several parts"
            mistakes.append(f"{where}: found the key {shown}, which YAML does not read as text; put it in quotes")
        elif key.value in first and key.value != "<<":
            mistakes.append(f"{where}: the key {key.value!r} stands twice, first in line {first[key.value]}")
        else:
            first[key.value] = line
    return mistakes


def _child(node: yaml.Node | None, part: int | str) -> tuple[yaml.Node | None, yaml.Node | None]:
    """The node that marks the place of ``part`` below ``node`` and the node to go on from, or Nones."""
    if isinstance(node, yaml.MappingNode):
        return next(((k, v) for k, v in node.value if k.value == str(part)), (None, None))
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part]
    return None, None


def _yaml_mistake(error: yaml.YAMLError, source: str) -> str:
    if not isinstance(error, yaml.MarkedYAMLError):
        return f"{source}: not YAML: {' '.join(str(error).split())}"
    mark = error.problem_mark or error.context_mark
    where = source if mark is None else f"{source}:{mark.line + 1}"
    problem = error.problem or error.context or "not YAML"
    hint = "; YAML is indented with spaces, not tabs" if problem.startswith(_TAB) else ""
    return f"{where}: not YAML: {problem}{hint}"
