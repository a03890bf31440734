"""The tokenizer and chat template in a model folder, read without the libraries that run the model."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

from jinja2 import TemplateError, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Tokenizer

from judgefleet.errors import ConfigError

_MARKS = ("<", "[")
_NAMED_TOKENS = ("bos_token", "eos_token", "unk_token", "pad_token")


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatTokenizer:
    """What a writer of prompts needs. Several threads may use it at once.

    ``words`` reads special tokens in what we write, ``text`` none at all: in it ``<|im_end|>`` is ordinary characters.
    """

    words: Tokenizer
    text: Tokenizer
    template: Any
    named: Mapping[str, str]

    @property
    def eos_id(self) -> int | None:
        """The token that ends an answer; None where the model names none."""
        eos = self.named.get("eos_token")
        return None if eos is None else self.words.token_to_id(eos)

    def render(self, turns: Sequence[Mapping[str, str]], **given: object) -> str:
        """``turns`` in the model's own format, up to the place where it answers.

        Raises jinja2.TemplateError: whatever the author of the template forbids.
        """
        return str(self.template.render(messages=list(turns), add_generation_prompt=True, **self.named, **given))


@lru_cache(maxsize=4)
def load_tokenizer(folder: Path) -> ChatTokenizer:
    """The tokenizer in ``folder``. Raises ConfigError when there is none, or no chat template."""
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise ConfigError(f"the model in {str(folder)!r} has no tokenizer.json; convert it with transformers first")
    try:
        words, text = Tokenizer.from_file(str(path)), Tokenizer.from_str(_all_special(path))
        config = _json(folder / "tokenizer_config.json") | _json(folder / "special_tokens_map.json")
        template = _environment().from_string(_template(folder, config))
    except ConfigError:
        raise
    except Exception as error:
        raise ConfigError(f"the tokenizer in {str(folder)!r} cannot be loaded: {error}") from error
    text.encode_special_tokens = True
    named = {name: _content(config[name]) for name in _NAMED_TOKENS if config.get(name)}
    return ChatTokenizer(words=words, text=text, template=template, named=named)


def _all_special(path: Path) -> str:
    """The tokenizer with every added token that looks like a mark (``</think>``, ``[INST]``) special.

    Some models add their marks as ordinary tokens, which a tokenizer reads in any text, special tokens off or not.
    """
    given = json.loads(path.read_text(encoding="utf-8"))
    for token in given.get("added_tokens", ()):
        token["special"] = token["special"] or token["content"][:1] in _MARKS
    return json.dumps(given)


def _json(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def _content(token: str | Mapping[str, Any]) -> str:
    """A token is its text, or a record that has it."""
    return token if isinstance(token, str) else str(token["content"])


def _template(folder: Path, config: Mapping[str, Any]) -> str:
    if (path := folder / "chat_template.jinja").is_file():
        return path.read_text(encoding="utf-8")
    found = config.get("chat_template")
    if isinstance(found, list):
        found = next((entry["template"] for entry in found if entry["name"] == "default"), None)
    if not found:
        raise ConfigError(f"the model in {str(folder)!r} has no chat template; a judge needs an instruct model")
    return str(found)


class _Generation(Extension):
    """Templates may mark what the model writes; for a prompt the mark means nothing."""

    tags = {"generation"}  # noqa: RUF012 - as Jinja declares it

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _environment() -> ImmutableSandboxedEnvironment:
    """Jinja as the authors of chat templates expect it (Hugging Face, "Chat templates")."""
    made = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols, _Generation])
    made.filters["tojson"] = lambda value, **options: json.dumps(value, ensure_ascii=False, **options)
    made.globals["raise_exception"] = _refuse
    made.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    return made


def _refuse(message: str) -> NoReturn:
    raise TemplateError(message)
