"""Prompts as chat messages, for endpoints that take only text. Trace text stays text there too, as far as text can."""

import math
import re
from collections.abc import Sequence
from functools import lru_cache

from judgefleet.errors import ConfigError
from judgefleet.trace import Message
from judges.choice import Choice
from judges.judge import REASON_LEAD
from judges.judge_model import JudgeModel
from judges.material import CLOSING, Part, defuse, fit, opening
from judges.prompt import DEFAULT_ENGINE, Body, Draft, Prompt, Script
from judges.tokenizer import load_tokenizer

# English takes about four characters a token, code and other languages fewer: with three, prompts rather fit.
CHARACTERS_A_TOKEN = 3
# Tokens that a chat template adds around two to four messages, with room to spare.
_TEMPLATE = 64
_CUT = "\n[... {} tokens cut ...]\n"
_VERDICT = "Now the verdict alone, without any other word. "
# What chat templates write between turns, in the spelling of any model: the endpoint would read it as such.
_MARKS = re.compile(
    r"<[|\uff5c][^<>\n]{1,64}?[|\uff5c]>|</?(?:s|bos|eos|pad|unk|think|start_of_turn|end_of_turn|im_start|im_end|tool_call|tool_response|repo_name|file_sep)>"
    r"|\[/?[A-Z][A-Z_]{2,40}\]|<</?SYS>>"
)
_NEUTRAL = str.maketrans({"<": "\u2039", ">": "\u203a", "[": "\u27e6", "]": "\u27e7"})


def plain(text: str) -> str:
    """``text`` without our fence and without anything that a chat template could take for its own.

    >>> plain("a < b [1] [SHIP-1] <b>")
    'a < b [1] [SHIP-1] <b>'
    >>> ascii(plain("<|im_end|>")), ascii(plain("[INST]"))
    ("'\\\\u2039|im_end|\\\\u203a'", "'\\\\u27e6INST\\\\u27e7'")
    """
    return _MARKS.sub(lambda found: found[0].translate(_NEUTRAL), defuse(text))


class MessageWriter:
    """Writes prompts for a model that is asked in messages: the rubric is the system's, everything else the user's.

    Lengths are counted with the model's tokenizer where the configuration names one, else reckoned from characters.
    """

    def __init__(self, model: JudgeModel, engine: str = DEFAULT_ENGINE) -> None:
        self.model = model
        self._engine = engine
        self._tokenizer = load_tokenizer(model.path).text if model.path else None

    def choice(self, labels: Sequence[str]) -> Choice:
        """The labels as they are. Of an answer only its first token has a probability, so each must be one token.

        Raises ConfigError for labels that may be more, unless the configuration reads them as text.
        """
        if odd := [label for label in labels if not label or label != label.strip()]:
            raise ConfigError(f"found the labels {odd}; what an endpoint writes is read without spaces around it")
        longer = [label for label in labels if not self._is_one_token(label)] if self.model.logprobs else []
        if longer:
            how = "are more than one token" if self._tokenizer else "may be more than one token"
            raise ConfigError(
                f"the labels {longer} {how} for {self.model.name!r}, and log-probabilities tell only the first: use "
                "labels of one character, name a tokenizer in which they are one token, or set logprobs: false to take "
                "the label that is written, unweighted"
            )
        return Choice(labels=tuple(labels))

    def body(self, rubric: str, parts: Sequence[Part], room: int) -> Body:
        """Rubric and material, with ``room`` tokens left for the question. The rubric is never cut."""
        texts = [plain(part.text) for part in parts]
        fixed = _TEMPLATE + room + self._length(rubric) + sum(self._length(opening(p) + CLOSING) for p in parts)
        lengths = [self._length(text) for text in texts]
        kept = fit(lengths, parts, self.model.max_model_len - 1 - fixed)
        if kept is None:
            about = "" if self._tokenizer else "about "
            return Body(
                script=None, cut=f"{about}{fixed + sum(lengths)} tokens, the judge reads {self.model.max_model_len}"
            )
        shown = [self._shorten(text, length, keep) for text, length, keep in zip(texts, lengths, kept, strict=True)]
        user = "".join(f"{opening(part)}{text}{CLOSING}" for part, text in zip(parts, shown, strict=True))
        short = [
            f"{part.title}: {keep} of {length} tokens read"
            for part, length, keep in zip(parts, lengths, kept, strict=True)
            if keep < length
        ]
        messages = (Message(role="system", content=rubric), Message(role="user", content=user))
        return Body(script=Script(messages=messages), cut="; ".join(short) or None)

    def room(self, question: str) -> int:
        """Tokens of the question, which is asked again after a draft."""
        return 2 * self._length(question) + self._length(_VERDICT)

    def ask(self, script: Script, question: str) -> Script:
        """The question that ends the user's turn."""
        *before, user = script.messages
        return Script(messages=(*before, Message(role="user", content=f"{user.content}\n{question}")))

    def go_on(self, script: Script, draft: str, question: str, *, thinking: bool = False) -> Script:  # noqa: ARG002
        """The draft as the judge's turn, and a turn that asks for the verdict alone."""
        again = _VERDICT + question.removeprefix(REASON_LEAD)
        turns = Message(role="assistant", content=plain(draft)), Message(role="user", content=again)
        return Script(messages=(*script.messages, *turns))

    def prompts(self, script: Script, choice: Choice) -> tuple[Prompt, ...]:
        """One prompt: an endpoint's labels are read from the text or from its likeliest tokens."""
        return (Prompt(messages=script.messages, labels=choice.labels, engine=self._engine),)

    def draft(self, script: Script, draft: Draft) -> Prompt:
        """Free text after the script."""
        return Prompt(messages=script.messages, draft=draft, engine=self._engine)

    def _is_one_token(self, label: str) -> bool:
        if self._tokenizer is None:
            return len(label) == 1 and label.isascii()
        return len(self._tokenizer.encode(label, add_special_tokens=False).ids) == 1

    @lru_cache(maxsize=512)  # noqa: B019 - a writer lives as long as its process
    def _length(self, text: str) -> int:
        if self._tokenizer is None:
            return math.ceil(len(text) / CHARACTERS_A_TOKEN)
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def _shorten(self, text: str, length: int, keep: int) -> str:
        """The first two thirds and the last third of what is kept, with a note between them."""
        if keep >= length:
            return text
        note = _CUT.format(length - keep)
        room = max(keep - self._length(note), 0)
        first = -(-room * 2 // 3)
        begin, end = self._at(text, first), self._at(text, length - (room - first))
        return text[:begin] + note + text[end:]

    def _at(self, text: str, token: int) -> int:
        """Where the token of that number begins, in characters."""
        if self._tokenizer is None:
            return min(token * CHARACTERS_A_TOKEN, len(text))
        offsets = self._tokenizer.encode(text, add_special_tokens=False).offsets
        return int(offsets[token][0]) if token < len(offsets) else len(text)
