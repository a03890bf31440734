"""Human-labelled sets by name, from the Hugging Face hub: which files they are, and how to have them without a hub."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from judgefleet.errors import ConfigError, did_you_mean

PREFIX = "hub:"
# Where the hub keeps what it has made Parquet of, whatever a set was uploaded as.
_CONVERTED = "refs/convert/parquet"


@dataclass(frozen=True, kw_only=True, slots=True)
class HubSet:
    """``places``: revisions, each with a pattern of the files there, in the order in which they are tried."""

    repo: str
    places: tuple[tuple[str, str], ...]
    licence: str


SETS: Mapping[str, HubSet] = {
    "mt_bench": HubSet(
        repo="lmsys/mt_bench_human_judgments",
        places=(("main", "data/*.parquet"), (_CONVERTED, "default/*/*.parquet")),
        licence="CC-BY-4.0",
    ),
    "llmbar": HubSet(
        repo="princeton-nlp/LLMBar",
        places=((_CONVERTED, "LLMBar/*/*.parquet"), ("main", "LLMBar/*/*.parquet")),
        licence="MIT",
    ),
    "halueval": HubSet(
        repo="pminervini/HaluEval",
        places=(("main", "general/*.parquet"), (_CONVERTED, "general/*/*.parquet")),
        licence="MIT",
    ),
}


def files_of(name: str) -> list[str]:
    """Local paths of the files of the set called ``name``, downloaded where the hub's cache has them not yet.

    Raises ConfigError for a set that is not known, or that cannot be had: what was tried, and how to import it by hand.
    """
    if name not in SETS:
        raise ConfigError(f"no set {PREFIX}{name}; {did_you_mean(name, SETS)}")
    found, tried = SETS[name], []
    for revision, pattern in found.places:
        try:
            files = list(_download(found.repo, revision, pattern))
        except _unreachable() as error:
            tried.append(f"{pattern} at {revision} ({type(error).__name__}: {str(error).strip().splitlines()[0]:.200})")
            continue
        if files:
            return files
        tried.append(f"{pattern} at {revision} (no such file)")
    raise ConfigError(_explained(name, found, tried))


def _download(repo: str, revision: str, pattern: str) -> Iterator[str]:
    from huggingface_hub import snapshot_download

    folder = Path(snapshot_download(repo, repo_type="dataset", revision=revision, allow_patterns=pattern))
    for file in sorted(folder.rglob("*.parquet")):
        if fnmatch(file.relative_to(folder).as_posix(), pattern):
            yield str(file)


def _unreachable() -> tuple[type[Exception], ...]:
    """What the hub's client raises where a set cannot be had."""
    import httpx
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    return HfHubHTTPError, HFValidationError, OSError, httpx.HTTPError


def _explained(name: str, found: HubSet, tried: list[str]) -> str:
    from huggingface_hub import constants

    state = "switched off by HF_HUB_OFFLINE" if constants.HF_HUB_OFFLINE else f"at {constants.ENDPOINT} (HF_ENDPOINT)"
    return (
        f"{PREFIX}{name} could not be had from the hub, {state}; cache {constants.HF_HUB_CACHE} (HF_HOME). Tried of "
        f"{found.repo}: {'; '.join(tried)}. By hand: download these files where a hub can be reached "
        f"(https://huggingface.co/datasets/{found.repo}), then 'judgefleet audit import AUDIT FILE...'; rows with the "
        "columns of the set are known"
    )
