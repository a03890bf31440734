"""Prompts as token ids, laid out so that what is shared comes first and trace text stays text."""

from collections.abc import Sequence
from functools import lru_cache

from judgefleet.errors import ConfigError
from judges.choice import Choice, choice_of
from judges.judge_model import JudgeModel
from judges.material import CLOSING, Part, defuse, fit, opening
from judges.prompt import DEFAULT_ENGINE, Body, Draft, Prompt, Script
from judges.tokenizer import load_tokenizer

_BODY = "\u241fbody\u241f"
_CUT = "\n[... {} tokens cut ...]\n"
_VERDICT = "\nVerdict:\n"


class TokenWriter:
    """Writes prompts for one judge model whose tokenizer is at hand.

    Each piece is tokenised by itself and the ids are joined: pieces that two prompts share are the same ids, whatever
    follows. Text from a trace is tokenised with special tokens off, so it can never open or close a role; neither can
    what the judge itself wrote before its verdict.
    """

    def __init__(self, model: JudgeModel, engine: str = DEFAULT_ENGINE) -> None:
        self.model = model
        self._engine = engine
        if model.path is None:
            raise ConfigError(f"the model {model.name!r} is no folder here, so its tokenizer cannot be read")
        self._tokenizer = load_tokenizer(model.path)

    def choice(self, labels: Sequence[str]) -> Choice:
        """One prompt where each label is a token, else one for each place where labels part ways.

        Raises ConfigError for labels that the tokenizer does not tell apart.
        """
        tokens = {label: self._plain(label) for label in labels}
        try:
            return choice_of(tokens, end=self._tokenizer.eos_id)
        except ValueError as error:
            raise ConfigError(f"the labels {list(labels)} cannot be asked of {self.model.name!r}: {error}") from error

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
            return Body(script=None, cut=f"{total} tokens, the judge reads {self.model.max_model_len}")
        ids = list(head)
        for fence, text, keep in zip(fences, texts, kept, strict=True):
            ids += [*fence, *self._shorten(text, keep), *closing]
        short = [
            f"{part.title}: {keep} of {len(text)} tokens read"
            for part, text, keep in zip(parts, texts, kept, strict=True)
            if keep < len(text)
        ]
        return Body(script=Script(token_ids=tuple(ids)), cut="; ".join(short) or None)

    def room(self, question: str) -> int:
        """Tokens of the question and of the end of the user's turn."""
        return len(self._question(question))

    def ask(self, script: Script, question: str) -> Script:
        """The short question that ends a prompt, up to the place where the judge speaks."""
        return Script(token_ids=(*script.token_ids, *self._question(question)))

    def go_on(self, script: Script, draft: str, question: str, *, thinking: bool = False) -> Script:  # noqa: ARG002
        """The judge's own turn goes on after its draft; the question stands above and is not repeated."""
        close = self._special(self.model.thinking.close) if thinking and self.model.thinking else ()
        lead = self._plain("\n\n" if thinking else _VERDICT)
        return Script(token_ids=(*script.token_ids, *self._plain(draft), *close, *lead))

    def prompts(self, script: Script, choice: Choice) -> tuple[Prompt, ...]:
        """One prompt for each node of ``choice``; all share the whole script."""
        return tuple(
            Prompt(
                token_ids=(*script.token_ids, *node.written),
                allowed=node.allowed,
                labels=choice.labels if len(choice.nodes) == 1 else tuple(map(str, node.allowed)),
                engine=self._engine,
            )
            for node in choice.nodes
        )

    def draft(self, script: Script, draft: Draft) -> Prompt:
        """Free text after the script."""
        return Prompt(token_ids=script.token_ids, draft=draft, engine=self._engine)

    def _question(self, text: str) -> tuple[int, ...]:
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
        head, tail = pieces
        thinking = self.model.thinking
        if thinking and not tail.rstrip().endswith(thinking.open):
            tail += thinking.open + "\n"
        return self._special(head), self._special(tail)

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
        return self._tokenizer.render(turns, **self.model.chat_template_kwargs)

    @lru_cache(maxsize=512)  # noqa: B019
    def _plain(self, text: str) -> tuple[int, ...]:
        return tuple(self._tokenizer.text.encode(text, add_special_tokens=False).ids)

    def _special(self, text: str) -> tuple[int, ...]:
        return tuple(self._tokenizer.words.encode(text, add_special_tokens=False).ids)
