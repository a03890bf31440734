"""Everything that can be wrong is found before any work starts: configuration, rubrics, model, input, store."""

from collections.abc import Sequence
from dataclasses import dataclass

from jobs.config import BatchConfig
from jobs.engines.model import judge_model as judge_model
from jobs.judging import JudgeSetup
from jobs.local import LocalSetup
from judgefleet.errors import ConfigError, did_you_mean
from judgefleet.golden import load_golden
from judgefleet.hashing import stable_hash
from judgefleet.scorer import ScorerInfo
from judgefleet.storage import Location, ObjectInfo, ensure_writable, list_objects, open_location
from judges.catalogue import create_all
from judges.judge import CONVERSATION, UnboundJudge
from judges.judge_model import JudgeModel


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A run that can start. ``setup`` is None when no judge is configured.

    ``grouped``: whether a judge reads several traces together, those of one ``group_by`` or of one conversation.
    """

    config: BatchConfig
    store: Location
    objects: list[ObjectInfo]
    local: LocalSetup
    setup: JudgeSetup | None
    local_infos: tuple[ScorerInfo, ...]
    group_by: str | None
    grouped: bool = False

    @property
    def infos(self) -> tuple[ScorerInfo, ...]:
        """Of all scorers and judges."""
        judges = self.setup.judges().values() if self.setup else ()
        return (*self.local_infos, *(judge.info for judge in judges))


def prepare(config: BatchConfig, job: str = "batch") -> Prepared:
    """Check all parts of ``config``. Raises ConfigError for whatever a user can mend.

    ``job``: one that is ``online`` lists its input by itself, again and again; there may be nothing in it yet.
    """
    store = ensure_writable(config.store)
    check_apart(config)
    objects = [] if job == "online" else _objects(config)
    data = _golden_hash(config.input.golden)
    things = create_all((scorer.use, scorer.name, scorer.options) for scorer in config.scorers)
    made = list(zip(config.scorers, things, strict=True))
    local, judges = (tuple(c for c, thing in made if hasattr(thing, "bind") is judge) for judge in (False, True))
    local_setup = LocalSetup(scorers=local, data=data, run_id=config.run_id, job=job)
    setup = None
    if judges:
        models = judge_models(config, [thing for thing in things if hasattr(thing, "bind")])
        setup = JudgeSetup(scorers=judges, models=models, data=data, run_id=config.run_id, job=job)
        setup.judges()
    return Prepared(
        config=config,
        store=store,
        objects=objects,
        local=local_setup,
        setup=setup,
        local_infos=tuple(info for _, info in local_setup.made()),
        group_by=_group_by(things),
        grouped=any(getattr(thing, "together", None) for thing in things),
    )


def check_apart(config: BatchConfig) -> None:
    """Raises ConfigError where the store lies inside the input: its own rows would be read as traces."""
    inside = open_location(config.input.uri).path.rstrip("/") + "/"
    if open_location(config.store).path.startswith(inside):
        raise ConfigError(f"the store {config.store!r} lies inside the input {config.input.uri!r}, and would be read")


def _objects(config: BatchConfig) -> list[ObjectInfo]:
    objects = list_objects(config.input.uri)
    if not objects:
        raise ConfigError(f"no objects under {config.input.uri!r}; input.uri names a folder or a file of traces")
    return objects


def _golden_hash(uri: str | None) -> str | None:
    """Of the content of the golden set: another reference makes another question to whoever reads it."""
    return stable_hash({k: v.model_dump(mode="json") for k, v in load_golden(uri).items()}, length=16) if uri else None


def judge_models(config: BatchConfig, judges: Sequence[UnboundJudge]) -> dict[str, JudgeModel]:
    """The models behind the engines that ``judges`` ask, by engine. Raises ConfigError when one names no engine."""
    found = {}
    for name in sorted({engine for judge in judges for engine in judge.engines}):
        if name not in config.all_engines:
            raise ConfigError(f"no engine {name!r}; {did_you_mean(name, config.all_engines)}")
        found[name] = judge_model(config.all_engines[name])
    return found


def _group_by(made: Sequence[object]) -> str | None:
    """The attribute of which samples with one value are read together; None for those of one conversation."""
    keys = {key for thing in made if (key := getattr(thing, "together", None))}
    if CONVERSATION in keys and len(keys) > 1:
        pairs = sorted(keys - {CONVERSATION})
        raise ConfigError(
            f"one judge compares traces that share {pairs}, another judges whole conversations; "
            "a run reads together either pairs or conversations: make two runs of it, with the same store"
        )
    if len(keys) > 1:
        raise ConfigError(f"pairwise judges of one run share one pair_by, found {sorted(keys)}; make two runs of it")
    return next(iter(keys - {CONVERSATION}), None)
