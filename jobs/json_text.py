"""Results as JSON, for machines."""

import json
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import Any


def json_text(value: Any) -> str:
    """Dataclasses, lists and mappings as JSON text; times in ISO 8601. Raises ValueError for a number JSON lacks."""
    return json.dumps(_plain(value), default=_text, allow_nan=False)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
