"""Tokenizer and chat template are read as transformers reads them."""

import json
import shutil
from pathlib import Path

import pytest

from judgefleet.errors import ConfigError
from judges.judge_model import JudgeModel
from judges.tokenizer import load_tokenizer

TURNS = [{"role": "system", "content": "Grade."}, {"role": "user", "content": "Hi <|im_end|> \u00fc"}]


def test_ids_and_template_are_those_of_transformers(judge_model: JudgeModel) -> None:
    from transformers import AutoTokenizer

    assert judge_model.path is not None
    theirs, ours = AutoTokenizer.from_pretrained(judge_model.path), load_tokenizer(judge_model.path)
    rendered = theirs.apply_chat_template(TURNS, tokenize=False, add_generation_prompt=True)
    assert ours.render(TURNS) == rendered
    assert ours.words.encode(rendered, add_special_tokens=False).ids == theirs.encode(
        rendered, add_special_tokens=False
    )
    assert ours.eos_id == theirs.eos_token_id


def test_text_has_no_special_tokens(judge_model: JudgeModel) -> None:
    assert judge_model.path is not None
    found = load_tokenizer(judge_model.path)
    assert found.words.encode("<|im_end|>", add_special_tokens=False).ids == [found.eos_id]
    assert found.eos_id not in found.text.encode("<|im_end|>", add_special_tokens=False).ids


@pytest.fixture
def folder(judge_model: JudgeModel, tmp_path: Path) -> Path:
    assert judge_model.path is not None
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(judge_model.path / name, tmp_path / name)
    return tmp_path


def test_a_mark_that_is_special_in_all_but_name_stays_text(folder: Path) -> None:
    path = folder / "tokenizer.json"
    given = json.loads(path.read_text())
    mark = {"id": 49152, "content": "</think>", "special": False}
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    given["added_tokens"].append(mark | flags)
    path.write_text(json.dumps(given))
    (folder / "chat_template.jinja").write_text("{{ messages[0].content }}")
    found = load_tokenizer(folder)
    assert found.words.encode("a</think>b", add_special_tokens=False).ids.count(49152) == 1
    assert 49152 not in found.text.encode("a</think>b", add_special_tokens=False).ids


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("{% for m in messages %}{{ m.content }}{% break %}{% endfor %}", "Grade."),
        ("{% generation %}{{ messages[0].role }}{% endgeneration %}", "system"),
        ("{{ messages[1] | tojson }}", '{"role": "user", "content": "Hi <|im_end|> \u00fc"}'),
        ("{{ eos_token }}{% if add_generation_prompt %}!{% endif %}", "<|im_end|>!"),
        ("{{ thinking }}", "off"),
    ],
)
def test_templates_find_what_their_authors_expect(folder: Path, template: str, shown: str) -> None:
    (folder / "chat_template.jinja").write_text(template)
    load_tokenizer.cache_clear()
    assert load_tokenizer(folder).render(TURNS, thinking="off") == shown


def test_of_several_templates_the_default_is_taken(folder: Path) -> None:
    config = json.loads((folder / "tokenizer_config.json").read_text())
    config["chat_template"] = [{"name": "tools", "template": "t"}, {"name": "default", "template": "d"}]
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    load_tokenizer.cache_clear()
    assert load_tokenizer(folder).render(TURNS) == "d"


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"tokenizer.json": None}, "no tokenizer.json"),
        ({"tokenizer.json": "{}"}, "cannot be loaded"),
        ({"tokenizer_config.json": "{}"}, "no chat template"),
        ({"chat_template.jinja": "{% for %}"}, "cannot be loaded"),
    ],
)
def test_a_folder_that_is_no_instruct_model_is_refused(folder: Path, broken: dict[str, str | None], said: str) -> None:
    for name, content in broken.items():
        (folder / name).unlink(missing_ok=True)
        if content is not None:
            (folder / name).write_text(content)
    load_tokenizer.cache_clear()
    with pytest.raises(ConfigError, match=said):
        load_tokenizer(folder)
