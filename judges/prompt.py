"""Prompts as token ids, laid out so that what is shared comes first and trace text stays text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from judgefleet.errors import ConfigError
from judges.material import CLOSING, Part, defuse, fit, opening

if TYPE_CHECKING:
    from judges.judge_model import JudgeModel

LAYOUT_VERSION = "1"
_BODY = "\u241fbody\u241f"
_CUT = "\n[... {} tokens cut ...]\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompt:
    """Token ids up to the verdict, and the token ids the verdict may be."""

    token_ids: tuple[int, ...]
    allowed: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Body:
    """Everything before the question. ``cut`` says what was shortened; None when the material does not fit."""

    token_ids: tuple[int, ...] | None
    cut: str | None


class PromptWriter:
    """Writes prompts for one judge model.

    Each piece is tokenised by itself and the ids are joined: pieces that two prompts share are the same ids, whatever
    follows. Text from a trace is tokenised with special tokens off, so it can never open or close a role.
    """

    def __init__(self, model: JudgeModel) -> None:
        self.model = model
        self._tokenizer = load_tokenizer(str(model.path))

    def label_ids(self, labels: Sequence[str]) -> tuple[int, ...]:
        """The token of each label. Raises ConfigError for a label that is not one token, or not one of its own."""
        pieces = [self._plain(label) for label in labels]
        if long := {label: len(ids) for label, ids in zip(labels, pieces, strict=True) if len(ids) != 1}:
            raise ConfigError(
                f"labels that are not one token for {self.model.name!r}: {long} (label: tokens). A verdict is one "
                "guided token: use a scale such as 1 to 5, or labels such as A and B"
            )
        ids = tuple(piece[0] for piece in pieces)
        if len(set(ids)) < len(ids):
            raise ConfigError(f"labels that are the same token for {self.model.name!r}: {list(labels)}")
        return ids

    def body(self, rubric: str, parts: Sequence[Part], room: int) -> Body:
        """Rubric and material, with ``room`` tokens left for the question. The rubric is never cut."""
        head, tail = self._frame(rubric)
        texts = [self._plain(defuse(part.text)) for part in parts]
        fences = [self._plain(opening(part)) for part in parts]
        closing = self._plain(CLOSING)
        fixed = len(head) + len(tail) + room + sum(map(len, fences)) + len(closing) * len(parts)
        kept = fit([len(t) for t in texts], parts, self.model.max_model_len - 1 - fixed)
        if kept is None:
            total = fixed + sum(map(len, texts))
            return Body(token_ids=None, cut=f"{total} tokens, the judge reads {self.model.max_model_len}")
        ids = list(head)
        for fence, text, keep in zip(fences, texts, kept, strict=True):
            ids += [*fence, *self._shorten(text, keep), *closing]
        short = [
            f"{part.title}: {keep} of {len(text)} tokens read"
            for part, text, keep in zip(parts, texts, kept, strict=True)
            if keep < len(text)
        ]
        return Body(token_ids=tuple(ids), cut="; ".join(short) or None)

    def question(self, text: str) -> tuple[int, ...]:
        """The short question that ends a prompt, up to the place of the verdict."""
        return (*self._plain("\n" + text), *self._frame("")[1])

    def _shorten(self, ids: Sequence[int], keep: int) -> Sequence[int]:
        """The first two thirds and the last third of what is kept, with a note between them."""
        if keep >= len(ids):
            return ids
        note = self._plain(_CUT.format(len(ids) - keep))
        room = max(keep - len(note), 0)
        first = -(-room * 2 // 3)
        return [*ids[:first], *note[:keep], *ids[len(ids) - (room - first) :]]

    @lru_cache(maxsize=64)  # noqa: B019 - a writer lives as long as its process
    def _frame(self, rubric: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
        pieces = self._render(rubric).split(_BODY)
        if len(pieces) != 2:
            raise ConfigError(f"the chat template of {self.model.name!r} does not show the user's turn once")
        return self._special(pieces[0]), self._special(pieces[1])

    def _render(self, rubric: str) -> str:
        turns = [{"role": "system", "content": rubric}, {"role": "user", "content": _BODY}]
        try:
            return self._template(turns)
        except Exception:  # noqa: BLE001 - templates without a system role raise whatever their author chose
            return self._without_system_role(rubric)

    def _without_system_role(self, rubric: str) -> str:
        try:
            return self._template([{"role": "user", "content": f"{rubric}\n{_BODY}"}])
        except Exception as error:
            raise ConfigError(f"the chat template of {self.model.name!r} cannot be rendered: {error}") from error

    def _template(self, turns: list[dict[str, str]]) -> str:
        return str(self._tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))

    @lru_cache(maxsize=512)  # noqa: B019
    def _plain(self, text: str) -> tuple[int, ...]:
        return self._encode(text, special=False)

    def _special(self, text: str) -> tuple[int, ...]:
        return self._encode(text, special=True)

    def _encode(self, text: str, *, special: bool) -> tuple[int, ...]:
        backend = self._tokenizer.backend_tokenizer
        backend.encode_special_tokens = not special
        return tuple(backend.encode(text, add_special_tokens=False).ids)


@lru_cache(maxsize=4)
def load_tokenizer(path: str) -> Any:
    """The tokenizer in a model folder. Raises ConfigError when it has no chat template or is not a fast one."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(path)
    except Exception as error:
        raise ConfigError(f"the tokenizer in {path!r} cannot be loaded: {error}") from error
    if not tokenizer.chat_template:
        raise ConfigError(f"the model in {path!r} has no chat template; a judge needs an instruct model")
    if not tokenizer.is_fast:
        raise ConfigError(f"the model in {path!r} has no tokenizer.json; convert it with transformers first")
    return tokenizer
