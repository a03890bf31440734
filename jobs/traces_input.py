"""What ``judgefleet traces`` reads: an address, and how, as a configuration says it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jobs.config import InputConfig, load_batch_config
from judgefleet.validation import validate_mapping


def input_of(uri: str | None, format: str | None = None, config: Path | None = None) -> InputConfig:  # noqa: A002
    """The input of the batch configuration ``config`` with what else is given. Raises ConfigError."""
    return with_given(load_batch_config(config).input.model_dump(exclude_unset=True) if config else {}, uri, format)


def with_given(base: dict[str, Any], uri: str | None, format: str | None) -> InputConfig:  # noqa: A002
    """The input ``base`` with another address or format, where there is one. Raises ConfigError."""
    given = {name: value for name, value in (("uri", uri), ("format", format)) if value is not None}
    return validate_mapping(base | given, InputConfig, "traces", lambda _: None)
