"""Reads the options of a plan from a YAML file and from the command line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jobs.capacity_options import PlanOptions
from judgefleet.errors import ConfigError
from judgefleet.validation import validate_mapping
from judgefleet.yaml_model import load_yaml_model


def read_options(file: Path | None, given: Mapping[str, Any]) -> PlanOptions:
    """The file's options with those ``given`` on the command line in their place. Raises ConfigError."""
    if file is None and "traffic" not in given:
        raise ConfigError("found no traffic; give --traffic 50000/day, or a plan in YAML")
    asked = {**given, **({"strata": _strata(given["strata"])} if "strata" in given else {})}
    if file is None:
        return validate_mapping(asked, PlanOptions, "plan", lambda _: None)
    loaded = load_yaml_model(file, PlanOptions)
    if not given:
        return loaded
    written = loaded.model_dump(include=loaded.model_fields_set)
    return validate_mapping({**written, **asked}, PlanOptions, f"{file} and options", lambda _: None)


def _strata(text: str) -> list[dict[str, Any]]:
    strata = []
    for part in text.split(","):
        name, _, share = part.partition("=")
        try:
            strata.append({"name": name.strip(), "share": float(share)})
        except ValueError as error:
            raise ConfigError(
                f"--strata: found {part!r}; allowed: NAME=SHARE, such as checkout=0.1,other=0.9"
            ) from error
    return strata
