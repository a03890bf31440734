"""What the similarity scorers share: which model, exactly, and text that a tokenizer takes."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from judgefleet.errors import RunError
from judgefleet.sample import Sample
from judges.models import ModelFolder, resolve_model
from judges.weights import hash_files

DEFAULT_MODEL = "embedded/all-minilm-l6-v2"
_SETUP_FILES = ("*.json", "*/config.json", "vocab.txt", "merges.txt", "*.model")


def model_config(folder: ModelFolder) -> dict[str, str]:
    """The model as it belongs into a fingerprint: weights, tokenizer and settings, and no path of this machine."""
    name = Path(folder.name).expanduser().name if Path(folder.name).expanduser().is_dir() else folder.name
    return {"model": name, "weights_sha256": folder.digest, "setup_sha256": hash_files(_setup_files(folder.path))}


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


def text_pair(sample: Sample) -> tuple[str, str]:
    """Output and reference as a tokenizer takes them."""
    return storable(sample.trace.output or ""), storable(sample.trace.reference or "")


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


@contextmanager
def quiet_loading() -> Iterator[None]:
    """Without the progress bar of loading weights where nobody watches a terminal."""
    from transformers.utils import logging

    hide = logging.is_progress_bar_enabled() and not sys.stderr.isatty()
    if hide:
        logging.disable_progress_bar()
    try:
        yield
    finally:
        if hide:
            logging.enable_progress_bar()


def _setup_files(folder: Path) -> list[Path]:
    return sorted({p for pattern in _SETUP_FILES for p in folder.glob(pattern) if p.is_file()})
