"""Token counts as OpenTelemetry means them: input tokens with those that came out of a cache."""

from collections.abc import Mapping
from typing import Any

from judgefleet.trace import Usage
from judgefleet.traces.values import as_count, first_given

_READ, _CREATED = "cache_read_input_tokens", "cache_creation_input_tokens"


def usage_of(record: Mapping[str, Any]) -> Usage:
    """Token counts under their current or older names; what is not a count is left out."""
    return Usage(
        input_tokens=as_count(first_given(record, ("input_tokens", "prompt_tokens"))),
        output_tokens=as_count(first_given(record, ("output_tokens", "completion_tokens"))),
    )


def logged_usage(record: Mapping[str, Any]) -> dict[str, Any]:
    """What an API answered as its usage, details under dotted names.

    Anthropic's ``input_tokens`` leave out what was read from a cache or written to one, and it gives no total
    (https://platform.claude.com/docs/en/build-with-claude/prompt-caching); those are added. All others count them in.

    >>> logged_usage({"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 8}})
    {'prompt_tokens': 9, 'prompt_tokens_details.cached_tokens': 8}
    >>> logged_usage({"input_tokens": 1, "cache_read_input_tokens": 8})
    {'input_tokens': 9, 'cache_read_input_tokens': 8}
    """
    found = flat(record)
    beside = [count for name in (_READ, _CREATED) if (count := as_count(found.get(name))) is not None]
    fresh = as_count(found.get("input_tokens"))
    if beside and fresh is not None and found.get("total_tokens") is None:
        found["input_tokens"] = fresh + sum(beside)
    return found


def flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """``record`` with what its entries hold under dotted names, one level down."""
    return {
        f"{name}.{inner}" if inner else name: found
        for name, value in record.items()
        for inner, found in (value.items() if isinstance(value, Mapping) else (("", value),))
    }
