"""Lists that are spread over attributes: ``a.0.b`` and ``a.1.b``, or ``a`` with a list of mappings."""

from collections.abc import Iterator, Mapping
from typing import Any

from judgefleet.traces.values import plain_value

Flat = dict[str, Any]


def entries(attributes: Mapping[str, Any], name: str) -> list[Flat]:
    """What the list ``name`` holds, each entry with dotted keys, in order of the indexes.

    >>> entries({"a.1.b": 2, "a.0.b": 1, "a.0.c.0.d": 3}, "a")
    [{'b': 1, 'c.0.d': 3}, {'b': 2}]
    >>> entries({"a": [{"b": {"e": 1}, "c": [{"d": 3}]}]}, "a")
    [{'b.e': 1, 'c.0.d': 3}]
    """
    whole = plain_value(attributes.get(name))
    if isinstance(whole, list):
        return [dict(_flat(entry, "")) for entry in whole if isinstance(entry, Mapping)]
    found: dict[int, Flat] = {}
    for key in keys_of(attributes, name):
        number, _, rest = key[len(name) + 1 :].partition(".")
        found.setdefault(int(number), {})[rest] = attributes[key]
    return [found[number] for number in sorted(found)]


def keys_of(attributes: Mapping[str, Any], name: str) -> list[str]:
    """The attributes over which the list ``name`` is spread."""
    begin = f"{name}."
    return [k for k in attributes if k.startswith(begin) and k[len(begin) :].partition(".")[0].isdecimal()]


def without(attributes: Mapping[str, Any], *names: str) -> Flat:
    """``attributes`` without the lists and single attributes ``names``."""
    gone = set(names).union(*(keys_of(attributes, name) for name in names))
    return {key: value for key, value in attributes.items() if key not in gone}


def _flat(value: Any, at: str) -> Iterator[tuple[str, Any]]:
    inner: Any = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else None
    if inner is None or (isinstance(value, list) and not any(isinstance(item, Mapping) for item in value)):
        yield at, value
        return
    for key, item in inner:
        yield from _flat(item, f"{at}.{key}" if at else str(key))
