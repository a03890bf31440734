"""The configuration of a batch run: one YAML file, validated at once."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from jobs.engines.config import EngineConfig as EngineConfig
from judgefleet.errors import did_you_mean
from judgefleet.hashing import stable_hash
from judgefleet.sampling import SamplingPlan
from judgefleet.traces.content import ReadOptions
from judgefleet.traces.reader import FORMATS
from judgefleet.yaml_model import StrictModel, load_yaml_model
from judges.prompt import DEFAULT_ENGINE


class InputConfig(StrictModel):
    """``uri``: a folder or file of traces. ``format``: ``auto`` recognises by content. ``golden``: adds references.

    ``read``: names of columns and attributes where they are not the usual ones, and limits.
    """

    uri: str
    format: str = "auto"
    read: ReadOptions = ReadOptions()
    golden: str | None = None
    golden_key: str = "judgefleet.item_id"

    @field_validator("format")
    @classmethod
    def _is_known(cls, given: str) -> str:
        if given not in (known := ["auto", *FORMATS]):
            raise ValueError(did_you_mean(given, known))
        return given


class ScorerConfig(BaseModel):
    """``use`` names an entry of the catalogue, ``name`` is what its rows are called; the rest are its options."""

    model_config = ConfigDict(extra="allow", frozen=True)
    use: str
    name: str | None = None

    @property
    def options(self) -> dict[str, Any]:
        """What is left for the scorer itself."""
        return dict(self.model_extra or {})


class RunConfig(StrictModel):
    """How a run behaves.

    ``chunk_traces``: traces committed together, the most that a kill can undo. ``stall_seconds``: without a row for so
    long an attempt is ended. ``attempts``: tries without a new row before the run gives up. ``max_failed_share``:
    of the rows that a scorer could have scored; above it the command answers with exit code 4.
    """

    chunk_traces: Annotated[int, Field(ge=1, le=4096)] = 16
    stall_seconds: Annotated[float, Field(gt=0)] = 600.0
    attempts: Annotated[int, Field(ge=1)] = 3
    max_failed_share: Annotated[float, Field(ge=0, le=1)] = 0.05
    max_rejected_share: Annotated[float, Field(ge=0, le=1)] = 0.05


class BatchConfig(StrictModel):
    """A batch run: which traces, which of them, scored by whom, into which store.

    ``engines``: more engines beside ``engine``, by the names that judges give as their ``engine``.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$")]
    store: str
    input: InputConfig
    sampling: SamplingPlan = SamplingPlan()
    engine: EngineConfig = EngineConfig()
    engines: dict[str, EngineConfig] = Field(default_factory=dict)
    scorers: Annotated[tuple[ScorerConfig, ...], Field(min_length=1)]
    run: RunConfig = RunConfig()

    @property
    def all_engines(self) -> dict[str, EngineConfig]:
        """Every engine by name; ``engine`` itself is the default one."""
        return {DEFAULT_ENGINE: self.engine, **self.engines}

    @field_validator("engines")
    @classmethod
    def _default_has_its_place(cls, given: dict[str, EngineConfig]) -> dict[str, EngineConfig]:
        if DEFAULT_ENGINE in given:
            raise ValueError(f"the engine called {DEFAULT_ENGINE!r} is configured as engine, not below engines")
        return given

    @property
    def run_id(self) -> str:
        """Name and 8 hex digits over what is scored and how; the same configuration resumes its own run."""
        engines = {name: engine.identity for name, engine in self.engines.items()}
        content = self.model_dump(mode="json", exclude={"run", "store", "engine", "engines", "online"})
        content |= {"engine": self.engine.identity, "engines": engines}
        return f"{self.name}-{stable_hash(content, length=8)}"


def load_batch_config(path: Path) -> BatchConfig:
    """The configuration in ``path``. Raises ConfigError with every mistake, its line and what is allowed."""
    return load_yaml_model(path, BatchConfig)
