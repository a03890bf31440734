"""What the similarity scorers share: which model, exactly, where it runs, and text that a tokenizer takes."""

from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from judgefleet.errors import RunError
from judges.models import ModelFolder, resolve_model
from judges.weights import hash_files

DEFAULT_MODEL = "embedded/all-minilm-l6-v2"
Device = Literal["auto", "cpu", "cuda"]
_SETUP_FILES = ("*.json", "*/config.json", "vocab.txt", "merges.txt", "*.model")


def model_config(folder: ModelFolder, libraries: tuple[str, ...]) -> dict[str, Any]:
    """The model as it belongs into a fingerprint: weights, tokenizer and settings, and no path of this machine."""
    name = Path(folder.name).expanduser().name if Path(folder.name).expanduser().is_dir() else folder.name
    return {
        "model": name,
        "weights_sha256": folder.digest,
        "setup_sha256": hash_files(_setup_files(folder.path)),
        "libraries": {library: version(library) for library in libraries},
    }


def find_again(folder: ModelFolder) -> ModelFolder:
    """``folder`` on the machine that scores, which need not be the one that built the scorer.

    Raises RunError when other weights go by the same name there.
    """
    here = resolve_model(str(folder.path) if folder.path.is_dir() else folder.name)
    if here.digest != folder.digest:
        raise RunError(
            f"the model {folder.name!r} has the digest {here.digest[:12]} here, but the run was configured with "
            f"{folder.digest[:12]}; give all machines the same model and start again"
        )
    return here


def device_here(wanted: Device) -> Literal["cpu", "cuda"]:
    """``cpu`` or ``cuda``; ``auto`` takes the GPU where there is one. Raises RunError for a GPU that is not there.

    >>> device_here("cpu")
    'cpu'
    """
    import torch

    found = torch.cuda.is_available()
    if wanted == "cuda" and not found:
        raise RunError("found device: cuda, but PyTorch sees no GPU on this machine; use device: auto or device: cpu")
    return "cuda" if found and wanted != "cpu" else "cpu"


def storable(text: str) -> str:
    """``text`` with lone surrogates replaced by question marks.

    >>> storable("a\\ud800b")
    'a?b'
    """
    return text.encode("utf-8", "replace").decode()


def cut_reason(limit: int | None, **lengths: int) -> str | None:
    """Which of the texts were longer than the model reads, or None; lengths in tokens.

    >>> cut_reason(256, output=300, reference=20)
    'output cut to 256 tokens'
    """
    long = [name for name, length in lengths.items() if limit is not None and length > limit]
    return f"{' and '.join(long)} cut to {limit} tokens" if long else None


def _setup_files(folder: Path) -> list[Path]:
    return sorted({p for pattern in _SETUP_FILES for p in folder.glob(pattern) if p.is_file()})
