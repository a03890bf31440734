"""What makes a folder a model folder, and the digest of its weights."""

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from platformdirs import user_cache_dir

from judgefleet.errors import ConfigError
from judgefleet.hashing import stable_hash

WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.txt", "vocab.json")
_CHUNK = 1 << 22


def cache_root() -> Path:
    """The user cache of this project: ``JUDGEFLEET_CACHE`` if set, else the platform's own place."""
    return Path(os.environ.get("JUDGEFLEET_CACHE") or user_cache_dir("judgefleet")).expanduser()


def weight_files(folder: Path) -> list[Path]:
    """The weights that would be loaded from ``folder``, sorted by name: safetensors if any, else PyTorch's."""
    for pattern in WEIGHTS:
        if found := sorted(p for p in folder.glob(pattern) if p.stat().st_size > 0):
            return found
    return []


def check_model_folder(folder: Path) -> None:
    """Raise ``ConfigError`` naming everything that keeps ``folder`` from being a model folder."""
    if not folder.is_dir():
        raise ConfigError(f"no model folder at {str(folder)!r}: give a folder, an embedded name or a hub id")
    missing = []
    if not (folder / "config.json").is_file():
        missing.append("config.json")
    if not weight_files(folder):
        missing.append(f"weights ({' or '.join(WEIGHTS)})")
    if not any((folder / name).is_file() for name in TOKENIZERS):
        missing.append(f"tokenizer ({' or '.join(TOKENIZERS)})")
    if missing:
        raise ConfigError(
            f"{str(folder)!r} is not a model folder: it has no {', no '.join(missing)}. "
            "Save both model and tokenizer there with save_pretrained, or name another folder."
        )
    _check_config(folder / "config.json")
    for path in weight_files(folder):
        _check_whole(path)


def weights_digest(folder: Path) -> str:
    """SHA-256 (64 hex digits) over name, size and bytes of every weights file in ``folder``.

    The result is kept in the user cache under path, size and modification time of the files, so that a large
    model is read once only.
    """
    files = weight_files(folder)
    record = cache_root() / "digests" / f"{stable_hash([_stamp(path) for path in files])}.json"
    if (known := _read_digest(record)) is not None:
        return known
    digest = hash_files(files)
    write_atomically(record, json.dumps({"folder": str(folder), "digest": digest}))
    return digest


def hash_files(files: Sequence[Path]) -> str:
    """SHA-256 (64 hex digits) over name, size and bytes of ``files`` in the order given."""
    state = hashlib.sha256()
    for path in files:
        state.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                state.update(chunk)
    return state.hexdigest()


def write_atomically(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` so that a reader sees all of it or none; makes the parent folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _check_config(path: Path) -> None:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise ConfigError(
            f"{str(path)!r} cannot be read as JSON ({error}): download or save the model again"
        ) from error
    if not isinstance(config, dict) or not ("model_type" in config or "architectures" in config):
        raise ConfigError(
            f"{str(path)!r} names neither model_type nor architectures: this is not a model's config.json"
        )


def _check_whole(path: Path) -> None:
    """Compare the size of a safetensors file with what its header promises (8 bytes length, JSON, then the tensors)."""
    if path.suffix != ".safetensors":
        return
    try:
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            # A Git LFS pointer is text: read as a length its first bytes are astronomical.
            header: Any = json.loads(stream.read(length)) if length < path.stat().st_size else None
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        whole = 8 + length + max(ends, default=0) == path.stat().st_size
    except (ValueError, AttributeError, KeyError, TypeError, IndexError):
        whole = False
    if not whole:
        raise ConfigError(
            f"{str(path)!r} is not a whole safetensors file ({path.stat().st_size:,} bytes): "
            "it was cut off or is a Git LFS pointer; download or save the model again"
        )


def _stamp(path: Path) -> tuple[str, int, int]:
    stat = path.resolve().stat()
    return str(path.resolve()), stat.st_size, stat.st_mtime_ns


def _read_digest(record: Path) -> str | None:
    try:
        value = json.loads(record.read_text(encoding="utf-8"))["digest"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return value if isinstance(value, str) else None
