"""Scorer: anything that scores a sample. What every scorer states about itself, and the one method it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from judgefleet.hashing import canonical_json, stable_hash

if TYPE_CHECKING:
    from judgefleet.sample import Sample
    from judgefleet.score import Outcome


class ScorerKind(StrEnum):
    """How the score came about."""

    CODE = "CODE"
    EMBEDDING = "EMBEDDING"
    LLM = "LLM"
    HUMAN = "HUMAN"


class Direction(StrEnum):
    """Whether a higher value is better."""

    HIGHER = "higher_is_better"
    LOWER = "lower_is_better"
    NONE = "none"


class Need(StrEnum):
    """A part of the trace without which a scorer has nothing to say."""

    QUESTION = "question"
    OUTPUT = "output"
    CONTEXTS = "contexts"
    REFERENCE = "reference"
    TOOL_CALLS = "tool_calls"


@dataclass(frozen=True, kw_only=True)
class ScorerInfo:
    """Name, version and everything that can change what the scorer says (``config``)."""

    name: str
    version: str
    kind: ScorerKind
    axes: tuple[str, ...]
    direction: Direction = Direction.HIGHER
    needs: frozenset[Need] = frozenset({Need.OUTPUT})
    config: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def config_json(self) -> str:
        """The full configuration as canonical JSON: what the fingerprint covers."""
        return canonical_json({"scorer": self.name, "version": self.version, **self.config})

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits; any change of the configuration makes another scorer."""
        return stable_hash(self.config_json, length=16)


class Scorer(Protocol):
    """A scorer that answers by itself (checks, similarity)."""

    @property
    def info(self) -> ScorerInfo:
        """What this scorer is."""
        ...

    def score(self, samples: Sequence[Sample]) -> Sequence[Mapping[str, Outcome]]:
        """One mapping a sample, in order: an outcome for each of ``info.axes``.

        Only samples that have all of ``info.needs`` are passed.
        """
        ...


def with_data(info: ScorerInfo, data: str | None) -> ScorerInfo:
    """The info of a scorer that reads what a golden set adds to traces, with the hash of that set in its configuration.

    >>> info = ScorerInfo(name="x", version="1", kind=ScorerKind.CODE, axes=("a",), needs=frozenset({Need.REFERENCE}))
    >>> with_data(info, "set-1").fingerprint == with_data(info, "set-2").fingerprint
    False
    """
    added = info.needs & {Need.REFERENCE, Need.CONTEXTS}
    return replace(info, config={**info.config, "golden": data}) if data and added else info


def missing_need(info: ScorerInfo, sample: Sample) -> str | None:
    """Why ``sample`` is not applicable to the scorer, or None when it has all that is needed."""
    for need in sorted(info.needs):
        found = getattr(sample.trace, need.value)
        if not found or (isinstance(found, str) and not found.strip()):
            what = need.value.replace("_", " ")
            return f"the trace has no {what}" if not found else f"the {what} is blank"
    return None
