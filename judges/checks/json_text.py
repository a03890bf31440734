"""JSON as RFC 8259 has it, read from text that nobody vouches for."""

import json
import re
from typing import Any, NoReturn

from judges.checks.code_blocks import fenced_blocks

# Deeper than any answer needs, and shallow enough for every parser and validator behind us.
MAX_DEPTH = 100
# Possessive, and a string may end with the text: linear on any input.
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
# Python refuses to read longer integers.
_LONGEST_INTEGER = 4000


def parse_json(text: str) -> Any:
    """The value of the JSON document ``text``. Raises ValueError saying why it is none.

    Stricter than ``json.loads``: ``NaN`` and ``Infinity`` are not JSON. A number with an integral value becomes an int
    (JSON knows one kind of number), one too large for that a float. Nesting is limited to 100 levels.

    >>> parse_json('{"a": [1.0, 2.5]}')
    {'a': [1, 2.5]}
    >>> parse_json("[NaN]")
    Traceback (most recent call last):
    ValueError: NaN is not JSON
    """
    if too_deep(text):
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    return json.loads(text, parse_int=_integer, parse_float=_number, parse_constant=_refuse)


def parse_answer(text: str, *, within_fence: bool) -> tuple[Any, str]:
    """The JSON value of an answer, and where it stood: in all of it or, if so allowed, in its first fenced block.

    Raises ValueError saying why there is none.

    >>> parse_answer("Here:\\n```\\n[1]\\n```", within_fence=True)
    ([1], 'in a fenced block')
    """
    try:
        return parse_json(text), "in the whole output"
    except ValueError:
        blocks = fenced_blocks(text) if within_fence else []
        if not blocks:
            raise
    return parse_json(blocks[0].code), "in a fenced block"


def kind_of(value: Any) -> str:
    """What a JSON value is, in words.

    >>> kind_of([1, 2]), kind_of(None)
    ('an array of 2', 'null')
    """
    if isinstance(value, dict | list):
        return f"an {'object' if isinstance(value, dict) else 'array'} of {len(value)}"
    names = {str: "a string", bool: "true or false", int: "a number", float: "a number", type(None): "null"}
    return names[type(value)]


def too_deep(text: str) -> bool:
    """Whether brackets outside strings nest deeper than ``MAX_DEPTH``; stops at the first place where they do.

    >>> too_deep("[" * 101), too_deep('"' + "[" * 101 + '"')
    (True, False)
    """
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(text):
        depth += (found.group() in "[{") - (found.group() in "]}")
        if depth > MAX_DEPTH:
            return True
    return False


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) < _LONGEST_INTEGER else float(digits)


def _number(digits: str) -> int | float:
    number = float(digits)
    return int(number) if number.is_integer() else number


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
