"""Reads a reference file, finds what computes a case, and compares.

A case maps to a function of ``mappers/`` by its topic, by the names of its inputs, which are the names of the
function's parameters, and by the figures it expects. A function that knows the inputs but not the method they name
raises LookupError.
"""

import inspect
import json
import math
import runpy
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

Case: TypeAlias = dict[str, Any]
Kind: TypeAlias = Callable[..., dict[str, Any]]
Kinds: TypeAlias = dict[str, list[Kind]]


def load(path: Path) -> list[Case]:
    cases: list[Case] = json.loads(path.read_text(encoding="utf-8"))["cases"]
    return cases


def kinds() -> Kinds:
    found: Kinds = {}
    for path in sorted(Path(__file__).with_name("mappers").glob("*.py")):
        found |= runpy.run_path(str(path))["KINDS"]
    return found


def answers(case: Case, known: Kinds) -> tuple[Kind, dict[str, Any]]:
    """Who computes the case, and what comes out. Raises LookupError with the reason where nobody does."""
    reasons = []
    for kind in known.get(case["topic"], []):
        arguments = _arguments(kind, case["inputs"])
        if arguments is None:
            continue
        try:
            got = kind(**arguments)
        except LookupError as unknown:
            reasons.append(str(unknown.args[0]))
            continue
        if set(case["expected"]) <= set(got):
            return kind, got
        reasons.append(f"{kind.__name__} gives {sorted(got)}")
    asked = f"topic {case['topic']!r}, inputs {sorted(case['inputs'])}, expected {sorted(case['expected'])}"
    raise LookupError("; ".join([f"case {case['id']!r} maps to no function: {asked}", *reasons]))


def _arguments(kind: Kind, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
    """The inputs as arguments; a note is for readers unless the function asks for it."""
    for skipped in ((), ("note",)):
        arguments = {name: value for name, value in inputs.items() if name not in skipped}
        try:
            inspect.signature(kind).bind(**arguments)
        except TypeError:
            continue
        return arguments
    return None


def differences(case: Case, got: Mapping[str, Any]) -> Iterator[str]:
    """One line for each expected figure that was missed."""
    for name, expected in case["expected"].items():
        compare = _is_published if name.startswith("published") else _is_close
        if not compare(case, got[name], expected):
            within = f"{case['tolerance']} {case['tolerance_kind']}"
            yield f"{name}: got {got[name]!r}, expected {expected!r} within {within}"


def _is_close(case: Case, got: Any, expected: Any) -> bool:
    if isinstance(expected, list):
        items = list(got)
        return len(items) == len(expected) and all(map(_is_close, [case] * len(items), items, expected))
    if expected is None or (isinstance(expected, str) and "nan" in expected):
        return got is None or math.isnan(got)
    if isinstance(expected, str | bool):
        return bool(got == expected)
    if got is None or not np.isfinite(got):
        return False
    allowed: float = case["tolerance"]
    if case["tolerance_kind"] == "rel":
        allowed *= abs(expected)
    elif case["tolerance_kind"] != "abs":
        raise ValueError(f"found the tolerance kind {case['tolerance_kind']!r}; allowed: abs, rel")
    return bool(abs(got - expected) <= allowed)


def _is_published(case: Case, got: float, expected: float) -> bool:
    """A printed figure is right to half a unit of its last digit."""
    digits = len(str(expected).partition(".")[2])
    return bool(abs(got - expected) <= 0.5 * 10.0**-digits + case["tolerance"])
