"""Turns docstrings and annotations into what a person reads in a table."""

import re
import types
from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

_WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path", type(None): "null"}
_LIMITS = {"ge": "at least {}", "gt": "above {}", "le": "at most {}", "lt": "below {}"}
# A sentence ends where a capital, a name in backquotes or a quote begins the next one.
_SENTENCE = re.compile(r"(?<=[.])\s+(?=[A-Z`\"])|;\s+(?=``)")


def paragraphs(docstring: str | None) -> tuple[str, ...]:
    """The prose of a docstring, one line a paragraph, without its examples.

    >>> paragraphs("Counts\\nwords.\\n\\nAll.\\n\\n>>> 1\\n1")
    ('Counts words.', 'All.')
    """
    prose = (docstring or "").split(">>>")[0]
    return tuple(" ".join(part.split()) for part in re.split(r"\n\s*\n", prose) if part.strip())


def explanation(name: str, docstring: str) -> str:
    """The sentence in ``docstring`` that begins with the option, else the first that mentions it, else "".

    >>> explanation("b", "``a``: the first; ``b``: the second, after ``a``. Both count.")
    '``b``: the second, after ``a``.'
    """
    sentences = [s for part in paragraphs(docstring) for s in _SENTENCE.split(part)]
    mark = re.compile(rf"``{re.escape(name)}(?:``|:|=)")
    found = [s for s in sentences if mark.match(s)] or [s for s in sentences if mark.search(s)]
    return found[0] if found else ""


def type_name(annotation: Any, metadata: Iterable[Any] = ()) -> str:
    """What belongs into a field, in words.

    >>> type_name(tuple[str, ...] | None), type_name(Literal["a", "b"]), type_name(dict[str, float])
    ('list of text, or null', '"a", "b"', 'mapping of text to number')
    """
    limits = [text.format(f"{getattr(m, k):g}") for m in metadata for k, text in _LIMITS.items() if hasattr(m, k)]
    return ", ".join([_name(annotation), *limits])


def _name(annotation: Any) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _name(inner[0])
    if origin in (Union, types.UnionType):
        return ", or ".join(dict.fromkeys(map(_name, inner)))
    if origin is Literal:
        return ", ".join(f'"{value}"' for value in inner)
    if origin in (tuple, list, set, frozenset, Mapping, dict) and inner:
        return _collection(origin, inner)
    return _plain(annotation)


def _collection(origin: Any, inner: tuple[Any, ...]) -> str:
    if origin in (dict, Mapping):
        return f"mapping of {_name(inner[0])} to {_name(inner[1])}"
    if origin is tuple and Ellipsis not in inner:
        return f"list of {len(inner)}: {', '.join(map(_name, inner))}"
    return f"list of {_name(inner[0])}"


def _plain(annotation: Any) -> str:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return ", ".join(f'"{member.value}"' for member in annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"mapping with {', '.join(annotation.model_fields)}"
    return _WORDS.get(annotation, "anything")


def markdown(text: str) -> str:
    """Docstring prose as Markdown.

    >>> markdown("see ``x``")
    'see `x`'
    """
    return text.replace("``", "`")


def cell(text: str) -> str:
    """Prose that fits into one cell of a table.

    >>> cell("``a|b``\\nc")
    '`a\\\\|b` c'
    """
    return " ".join(markdown(text).split()).replace("|", "\\|")
