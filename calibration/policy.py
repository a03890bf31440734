"""The policy: what a judge must show before its trends are believed. Written down before anybody looks."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

from judgefleet.hashing import stable_hash
from judgefleet.yaml_model import load_yaml_model

Metric = Literal["agreement", "kappa", "weighted_kappa", "ac1", "alpha", "decisive", "sensitivity", "specificity"]


class Requirement(BaseModel, extra="forbid", frozen=True):
    """One figure and the least it must be.

    ``rule``: ``lower_bound`` asks that the lower confidence bound reaches the threshold; ``point`` looks at the figure
    alone and is marked weak: it passes a judge that is exactly at the threshold about every second time.
    ``label``: whose sensitivity or specificity. ``segment``: name of a segment that is looked at value by value; every
    value must pass. ``min_n``: fewer items than this never pass.
    """

    metric: Metric = "agreement"
    threshold: float = Field(gt=-1, lt=1)
    rule: Literal["lower_bound", "point"] = "lower_bound"
    label: str | None = None
    segment: str | None = None
    min_n: int = Field(default=30, ge=1)

    @property
    def title(self) -> str:
        """The figure in words."""
        which = f" of {self.label!r}" if self.label else ""
        return f"{self.metric.replace('_', ' ')}{which}{f', each {self.segment}' if self.segment else ''}"


class Policy(BaseModel, extra="forbid", frozen=True):
    """When the gate is open.

    ``alpha``: the risk, over a year, that a judge below a threshold passes; it is divided by ``audits_per_year``, so
    that it holds however the audits fall out. ``max_age_days``: after that the evidence is stale. ``verdict``: which
    verdict about a pair counts: ``both_orders`` where the judge was asked in both, or ``first_order``.
    ``max_no_verdict``: the largest share of labelled items without a verdict; agreement over the rest is no evidence.
    """

    requirements: tuple[Requirement, ...] = Field(min_length=1)
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    audits_per_year: int = Field(default=12, ge=1)
    max_age_days: float = Field(default=90, gt=0)
    verdict: Literal["both_orders", "first_order"] = "both_orders"
    max_no_verdict: float = Field(default=0.1, ge=0, le=1)

    @property
    def alpha_each(self) -> float:
        """What one audit may spend, one-sided."""
        return self.alpha / self.audits_per_year

    @property
    def digest(self) -> str:
        """A short hash of the whole policy."""
        return stable_hash(self.model_dump(mode="json"), 16)


DEFAULT_POLICY = Policy(requirements=(Requirement(threshold=0.8),))


def load_policy(path: Path | None) -> Policy:
    """The policy in a YAML file; without one, agreement of at least 0.80 by its lower bound. Raises ConfigError."""
    return DEFAULT_POLICY if path is None else load_yaml_model(path, Policy)
